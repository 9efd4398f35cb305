"""Puts a new file in the place of an old one, all at once."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

_COPIED_AT_ONCE = 1 << 30


@contextmanager
def replacing(target: Path, name: str) -> Iterator[Path]:
    """A path called `name`, alone in a directory on the disk of `target`; the file written there becomes `target`.

    It is swapped in when it is on disk. After an error, or a kill, the old file stands; what a killed one left goes
    with the next. The write-ahead log of a DuckDB file that was `target` goes too: it does not belong to the new one.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{target.name}."
    for leftover in target.parent.glob(f"{escape(prefix)}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    workshop = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    try:
        draft = workshop / name
        yield draft
        _sync(draft)
        draft.replace(target)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    target.with_name(f"{target.name}.wal").unlink(missing_ok=True)
    _sync(target.parent)


def copy_file(source: Path, target: Path) -> None:
    """A file system that lets files share blocks (Btrfs, XFS) does this at once, whatever the size."""
    if not hasattr(os, "copy_file_range"):
        shutil.copyfile(source, target)
        return
    with source.open("rb") as reader, target.open("xb") as writer:
        while os.copy_file_range(reader.fileno(), writer.fileno(), _COPIED_AT_ONCE):
            pass


def _sync(path: Path) -> None:
    """Have the disk hold what was written."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
