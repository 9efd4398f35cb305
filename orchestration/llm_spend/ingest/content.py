"""What a file holds: its bytes as they were logged. An archive is unpacked block by block, never to a whole."""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backports import zstd

from llm_spend.errors import UserError
from llm_spend.ingest.readers import compression, is_text

_BLOCK_BYTES = 1 << 20
_DAMAGED = (EOFError, zlib.error, zstd.ZstdError, gzip.BadGzipFile)


@dataclass(frozen=True)
class Content:
    """Hex sha256 and number of the bytes, those of an archive as they come out of it."""

    sha256: str
    byte_count: int


def read_content(path: Path) -> Content:
    """Read a file to its end, an archive with its checksums: DuckDB reads over some of the damage.

    UserError when it cannot be read, is cut short or damaged, or should be text and is not.
    """
    digest, size, text = hashlib.sha256(), 0, is_text(path)
    try:
        with _opened(path) as file:
            while block := file.read(_BLOCK_BYTES):
                if not size and text and b"\0" in block:
                    raise UserError(f"{path}: binary or UTF-16, not UTF-8 text; check its extension or convert it")
                digest.update(block)
                size += len(block)
    except _DAMAGED as error:
        raise UserError(
            f"{path}: no whole {compression(path)} archive ({str(error).rstrip('.')}); copy or compress it again"
        ) from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the file and its permissions") from None
    return Content(digest.hexdigest(), size)


def _opened(path: Path) -> BinaryIO:
    kind = compression(path)
    if kind is None:
        return path.open("rb")
    if path.stat().st_size == 0:
        raise EOFError("the file is empty")
    return gzip.open(path, "rb") if kind == "gzip" else zstd.open(path, "rb")
