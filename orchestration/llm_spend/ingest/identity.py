"""Hashing of ids that a person may not read. The salt stays in Python: DuckDB gets digests only."""

import hmac
import os
from collections.abc import Iterable

import duckdb

from llm_spend.errors import UserError
from llm_spend.ingest.mapping import HASHABLE_FIELDS

SALT_VARIABLE = "LLM_SPEND_HASH_SALT"
_BATCH = 10_000


def salt_from_environment() -> str | None:
    """The salt that `load` wants as `hash_salt`; None when the variable is unset or empty."""
    return os.environ.get(SALT_VARIABLE) or None


def check_hashing(fields: Iterable[str], salt: str | None) -> frozenset[str]:
    """The fields to hash. UserError when one of them is no id, or when there is no salt."""
    wanted = frozenset(fields)
    unknown = sorted(wanted - set(HASHABLE_FIELDS))
    if unknown:
        raise UserError(f"cannot hash {', '.join(unknown)}; only {' and '.join(HASHABLE_FIELDS)} can be hashed")
    if wanted and not salt:
        raise UserError(
            f"hashing {', '.join(sorted(wanted))} needs a salt: set the environment variable {SALT_VARIABLE} "
            "to a long random text, and keep it"
        )
    return wanted


def keyed_digest(salt: str, text: str) -> str:
    """HMAC-SHA-256 of the text, 64 lower-case hex digits."""
    return hmac.digest(salt.encode(), text.encode(), "sha256").hex()


def fill_hashed_ids(connection: duckdb.DuckDBPyConnection, clear_ids: str, salt: str) -> None:
    """Make the temporary table `hashed_ids` (clear, hashed) for the distinct texts of a one-column select."""
    connection.execute("create or replace temp table hashed_ids (clear varchar, hashed varchar)")
    connection.execute(
        f"create or replace temp table clear_ids as select distinct clear from ({clear_ids}) as t(clear)"
    )
    done = 0
    while batch := connection.execute(
        f"select clear from clear_ids where clear is not null limit {_BATCH} offset {done}"
    ).fetchall():
        clear = [text for (text,) in batch]
        hashed = [keyed_digest(salt, text) for text in clear]
        connection.execute("insert into hashed_ids select unnest(?), unnest(?)", [clear, hashed])
        done += len(batch)
    connection.execute("drop table clear_ids")
