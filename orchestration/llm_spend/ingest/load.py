"""Load usage logs into the landing tables: exactly once per file content, one transaction per file."""

import difflib
import glob
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb

from llm_spend.database import connect
from llm_spend.errors import UserError
from llm_spend.ingest.content import Content, read_content
from llm_spend.ingest.events import EventSql, Place, places
from llm_spend.ingest.identity import check_hashing, fill_hashed_ids, keyed_digest
from llm_spend.ingest.mapping import Mapping, preset_names
from llm_spend.ingest.readers import (
    FileRows,
    compression,
    file_format,
    json_pointer,
    open_rows,
)
from llm_spend.ingest.schema import FILE_COLUMNS, TABLES, USAGE_EVENTS, Landing, create_statements
from llm_spend.ingest.sql import first_line, literal

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of all bytes done, 0 to 1; from a background thread too."""

_Watch = Callable[[], AbstractContextManager[None]]

REASONS_SHOWN = 3
COLUMNS_SHOWN = 30
MEMORY_LIMITS = ("256MB", "512MB", "1GB")
"""What DuckDB may take for a file. The first is enough but for lines of megabytes, millions of identical rows and
Parquet of large row groups: such a file is tried again with the next, in the end with DuckDB's own limit."""

THREADS, ARCHIVE_THREADS = 2, 1
"""Each holds read buffers or a row group: with more, memory would grow. An archive is unpacked by one anyway."""

_SETTINGS = (
    # A load joins millions of rows with a few: never build the hash table from the millions.
    "set disabled_optimizers = 'join_order,build_side_probe_side'",
    # So that query_progress() works; the caller draws the bar.
    "set enable_progress_bar = true",
    "set enable_progress_bar_print = false",
)
RAW_TEXT_WITHHELD = "(not kept: this load hashes ids)"


@dataclass(frozen=True)
class Rejection:
    """A row that could not be parsed: its line in the file, from 1, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class FileReport:
    """What became of one file. `is_skipped`: it was loaded before in the same way, with these counts.

    `left_out` are the rows of another kind than the mapping's `only` takes: counted and not kept.
    """

    path: str
    file_hash: str
    accepted: int
    rejected: int
    left_out: int = 0
    is_skipped: bool = False
    unused_columns: tuple[str, ...] = ()
    first_rejections: tuple[Rejection, ...] = ()

    @property
    def rows(self) -> int:
        return self.accepted + self.rejected + self.left_out


@dataclass(frozen=True)
class LoadReport:
    """What became of each file, in the order of loading."""

    files: tuple[FileReport, ...]

    @property
    def accepted(self) -> int:
        """Rows that this load added: those of skipped files were there."""
        return sum(file.accepted for file in self.files if not file.is_skipped)

    @property
    def rejected(self) -> int:
        """Rows that this load refused: those of skipped files are not counted."""
        return sum(file.rejected for file in self.files if not file.is_skipped)


@dataclass(frozen=True)
class _Job:
    """How every file of one load is read."""

    mapping: Mapping
    hashed: frozenset[str]
    salt: str = field(repr=False)
    loaded_at: datetime

    @property
    def mapping_hash(self) -> str:
        """Changes with anything that would change the loaded rows; the salt cannot be read from it."""
        meaning = f"{self.mapping.fingerprint()} {' '.join(sorted(self.hashed))}"
        return keyed_digest(self.salt, meaning) if self.hashed else hashlib.sha256(meaning.encode()).hexdigest()

    @property
    def row_key(self) -> str:
        """Put before a row's text when ids are hashed, so that its md5 cannot be guessed back to the id."""
        return keyed_digest(self.salt, "row") if self.hashed else ""


def load(
    db_path: Path,
    patterns: list[str],
    mapping: Mapping | None,
    loaded_at: datetime,
    hash_salt: str | None = None,
    hash_fields: Sequence[str] = (),
    progress: Progress = lambda _message, _share: None,
) -> LoadReport:
    """Load the files that the patterns name into the schema `raw` of a DuckDB file.

    `loaded_at` is aware, or naive UTC. A file whose content was loaded with the same mapping is skipped; with
    another mapping its rows are replaced. The content of an archive is what comes out of it. Raises UserError
    for input that cannot be read, and when not one row can be accepted; what was loaded before the error
    stays, rejected rows included.
    """
    mapping = mapping or Mapping()
    if unknown := sorted({*hash_fields} - set(mapping.landing.by_name)):
        raise UserError(
            f"cannot hash {', '.join(unknown)}: mapping {mapping.name} takes a log of {mapping.landing.source} over as "
            "it is; hash ids before they are logged"
        )
    job = _Job(
        mapping=mapping,
        hashed=check_hashing({*hash_fields, *mapping.hashed_fields}, hash_salt),
        salt=hash_salt or "",
        loaded_at=loaded_at.astimezone(UTC).replace(tzinfo=None) if loaded_at.tzinfo else loaded_at,
    )
    files = find_files(patterns)
    sizes = [path.stat().st_size for path in files]
    total = sum(sizes) or 1
    with connect(db_path) as connection:
        _remove_spilled(connection)
        for statement in (*_SETTINGS, *create_statements()):
            connection.execute(statement)
        reports = []
        for index, (path, size) in enumerate(zip(files, sizes, strict=True)):
            start, share = sum(sizes[:index]) / total, size / total
            message = f"loading {path}" + (f" ({index + 1} of {len(files)})" if len(files) > 1 else "")
            progress(message, start)
            watch = partial(_watched, connection, progress, message, start, share)
            reports.append(_load_file(connection, path, job, watch))
    progress("loaded", 1.0)
    report = LoadReport(tuple(reports))
    _require_an_event(report)
    return report


def _remove_spilled(connection: duckdb.DuckDBPyConnection) -> None:
    """Delete what a killed process spilled beside the database: rows, ids in clear text among them.

    Nobody else uses these files, as this connection alone may write.
    """
    (directory,) = _first_row(connection, "select current_setting('temp_directory')")
    for file in Path(directory).glob("duckdb_temp_*"):
        file.unlink(missing_ok=True)
    with suppress(OSError):
        Path(directory).rmdir()


def find_files(patterns: Sequence[str]) -> list[Path]:
    """The files that paths and globs name, each once, in the order given. UserError when one names none."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern).expanduser()
        if path.is_dir():
            raise UserError(f"{pattern}: a directory; name its files, such as '{path}/*.jsonl'")
        # Path.glob would find hidden files, and fail on patterns that glob takes.
        matches = [str(path)] if path.exists() else glob.glob(str(path), recursive=True)  # noqa: PTH207
        named = [match for match in map(Path, sorted(matches)) if not match.is_dir()]
        if not named:
            raise UserError(f"{pattern}: no such file; check the path or the glob")
        found.update(dict.fromkeys(named))
    for path in found:
        file_format(path)
    return list(found)


def _load_file(connection: duckdb.DuckDBPyConnection, path: Path, job: _Job, watch: _Watch) -> FileReport:
    content = read_content(path)
    known = connection.execute(
        """
        select mapping_hash, event_count, rejected_count, left_out_count from raw.raw_loaded_files
        where _file_hash = ?
        """,
        [content.sha256],
    ).fetchone()
    if known and known[0] == job.mapping_hash:
        rejections = _first_rejections(connection, content.sha256)
        return FileReport(str(path), content.sha256, *known[1:], is_skipped=True, first_rejections=rejections)
    try:
        connection.execute(f"set threads = {ARCHIVE_THREADS if compression(path) else THREADS}")
        for limit in MEMORY_LIMITS:
            with suppress(duckdb.OutOfMemoryException):
                connection.execute(f"set memory_limit = '{limit}'")
                return _replace(connection, path, content, job, watch)
        connection.execute("reset memory_limit")
        return _replace(connection, path, content, job, watch)
    except duckdb.Error as error:
        reason = first_line(error)
        raise UserError(f"{path}: cannot be loaded ({reason}); is it what its name says?") from None


def _replace(
    connection: duckdb.DuckDBPyConnection, path: Path, content: Content, job: _Job, watch: _Watch
) -> FileReport:
    """Load a file, instead of what was loaded from it before: all of it or nothing."""
    connection.begin()
    try:
        _forget(connection, content.sha256)
        report = _land(connection, path, content.sha256, job, watch)
        connection.execute(
            f"""
            insert into raw.raw_loaded_files ({", ".join(column.name for column in FILE_COLUMNS)})
            values ({", ".join("?" for _ in FILE_COLUMNS)})
            """,
            [
                content.sha256,
                str(path),
                job.mapping_hash,
                content.byte_count,
                report.accepted,
                report.rejected,
                job.loaded_at,
                report.left_out,
                job.mapping.landing.source,
            ],
        )
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return report


def unload(db_path: Path, file_hashes: Sequence[str]) -> None:
    """Take files back out of the landing tables, as if they had never been loaded."""
    with connect(db_path) as connection:
        connection.begin()
        for file_hash in file_hashes:
            _forget(connection, file_hash)
        connection.commit()


def _forget(connection: duckdb.DuckDBPyConnection, file_hash: str) -> None:
    for table in TABLES:
        connection.execute(f"delete from {table} where _file_hash = ?", [file_hash])


def _land(connection: duckdb.DuckDBPyConnection, path: Path, file_hash: str, job: _Job, watch: _Watch) -> FileReport:
    rows = open_rows(connection, path, job.mapping.unpack)
    sql = EventSql(job.mapping, rows.columns, job.hashed)
    _check_columns(connection, path, rows, sql)
    selected = rows.select(sql.columns)
    events = sql.events(selected)
    provenance = [file_hash, str(path), job.loaded_at]
    ids = [column.name for column in sql.logged if column.name in job.hashed]
    if ids:
        logged_ids = f"select unnest([{', '.join(ids)}]) from ({sql.texts(selected)}) where not is_left_out"
        fill_hashed_ids(connection, logged_ids, job.salt)
    with watch():
        (accepted,) = _first_row(connection, _insert(job.mapping.landing, events, ids), [*provenance, job.row_key])
    if job.mapping.landing is USAGE_EVENTS:
        _number_repeats(connection, file_hash)
    left_out = 0
    if job.mapping.only and accepted < rows.row_count:
        (left_out,) = _first_row(connection, f"select count(*) from ({sql.texts(selected)}) where is_left_out")
    if accepted + left_out < rows.row_count:
        raw = literal(RAW_TEXT_WITHHELD) if job.hashed else "raw"
        connection.execute(
            f"""
            insert into raw.raw_rejected_events
            select $1, $2, line, reason, {raw}, $3, {literal(job.mapping.landing.source)} from ({events})
            where reason is not null and not is_left_out
            """,
            provenance,
        )
    return FileReport(
        str(path),
        file_hash,
        accepted=accepted,
        rejected=rows.row_count - accepted - left_out,
        left_out=left_out,
        # Other systems' rows hold much that is not about spend.
        unused_columns=tuple(column for column in rows.columns if column not in sql.columns)
        if job.mapping.landing is USAGE_EVENTS
        else (),
        first_rejections=_first_rejections(connection, file_hash),
    )


def _insert(landing: Landing, events: str, ids: Sequence[str]) -> str:
    values = {column.name: f"events.{column.sql}" for column in landing.columns}
    if landing is USAGE_EVENTS:
        values["event_id"] = f"coalesce(events.event_id, {_id_of_row('events._row_hash', '1')})"
    values |= {name: f"hashed_{name}.hashed" for name in ids}
    joins = " ".join(f"left join hashed_ids as hashed_{name} on events.{name} = hashed_{name}.clear" for name in ids)
    said = [*values.values(), "$3", *(f"events.{flag.name}" for flag in landing.flags)]
    return f"""
        insert into {landing.table}
        select {", ".join(said)}, $1, $2, events.line, events._row_hash
        from (select *, md5($4 || raw) as _row_hash from ({events}) where reason is null and not is_left_out) as events
        {joins}
    """


def _id_of_row(row_hash: str, ordinal: str) -> str:
    """SQL: the id of an event that was logged without one."""
    return f"md5({row_hash} || '|' || {ordinal})"


def _number_repeats(connection: duckdb.DuckDBPyConnection, file_hash: str) -> None:
    """Identical rows without an id are different events: the second gets another id than the first."""
    connection.execute(
        f"""
        with without_id as (
            select _source_line, _row_hash from raw.raw_usage_events
            where _file_hash = $1 and event_id = {_id_of_row("_row_hash", "1")}
        ),
        repeated as (
            select _row_hash from without_id group by _row_hash having count(*) > 1
        ),
        numbered as (
            select _source_line, row_number() over (partition by _row_hash order by _source_line) as ordinal
            from without_id where _row_hash in (select _row_hash from repeated)
        )
        update raw.raw_usage_events as events
        set event_id = {_id_of_row("events._row_hash", "numbered.ordinal")}
        from numbered
        where events._file_hash = $1 and events._source_line = numbered._source_line and numbered.ordinal > 1
        """,
        [file_hash],
    )


def _check_columns(connection: duckdb.DuckDBPyConnection, path: Path, rows: FileRows, sql: EventSql) -> None:
    """Raise a UserError when the mapping, or the contract itself, needs a column that no row has."""
    if not rows.columns:
        return
    if sql.mapping.only and not any(_has(connection, rows, place) for place in places(sql.mapping.only[0])):
        raise UserError(
            f"{path}: no row has the column {sql.mapping.only[0]}, by which mapping {sql.mapping.name} tells calls "
            f"from other rows; it has {', '.join(rows.columns[:COLUMNS_SHOWN])}"
        )
    for column in sql.mapping.landing.read_columns:
        source = sql.mapping.source(column)
        if not source.columns or (source.optional and not column.required):
            continue
        if any(_has(connection, rows, place) for name in source.columns for place in places(name)):
            continue
        missing, has = " or ".join(source.columns), f"it has {', '.join(rows.columns[:COLUMNS_SHOWN])}"
        if column.name in sql.mapping.fields or column in sql.mapping.landing.flags:
            near = difflib.get_close_matches(source.columns[0], rows.columns, n=1)
            raise UserError(
                f"{path}: no row has the column {missing}, from which mapping {sql.mapping.name} takes "
                f"{column.name.removeprefix('_')}; {f'did you mean {near[0]}? ' if near else ''}{has}"
            )
        raise UserError(
            f"{path}: no row has the column {missing}; {has}; say where it is with --mapping: a YAML file, "
            f"or one of {', '.join(preset_names())}"
        )


def _has(connection: duckdb.DuckDBPyConnection, rows: FileRows, place: Place) -> bool:
    if place.column not in rows.columns or not place.keys:
        return place.column in rows.columns
    pointer = literal(json_pointer(place.keys))
    found = connection.execute(
        f"""
        select 1 from ({rows.select([place.column])})
        where case when json_valid(fields[1]) then json_exists(fields[1], {pointer}) end
        limit 1
        """
    )
    return found.fetchone() is not None


def _first_rejections(connection: duckdb.DuckDBPyConnection, file_hash: str) -> tuple[Rejection, ...]:
    first = connection.execute(
        f"""
        select _source_line, reason from raw.raw_rejected_events
        where _file_hash = ? order by _source_line limit {REASONS_SHOWN}
        """,
        [file_hash],
    ).fetchall()
    return tuple(Rejection(line, reason) for line, reason in first)


def _require_an_event(report: LoadReport) -> None:
    if any(file.accepted for file in report.files):
        return
    broken = next((file for file in report.files if file.first_rejections), None)
    other = next((file for file in report.files if file.left_out), None)
    if broken is None and other is not None:
        raise UserError(
            f"{other.path}: not one row is a call, {other.left_out:,} are of another kind and were left out; "
            "name a file that has calls, or another mapping"
        )
    if broken is None:
        names = ", ".join(file.path for file in report.files)
        raise UserError(f"{names}: empty, no event to load; name a file that has some")
    first = broken.first_rejections[0]
    raise UserError(
        f"{broken.path}:{first.line}: {first.reason}; not one row could be accepted: "
        "fix the file or use --mapping (the rows are kept in raw.raw_rejected_events)"
    )


@contextmanager
def _watched(
    connection: duckdb.DuckDBPyConnection, progress: Progress, message: str, start: float, size: float
) -> Iterator[None]:
    """Report the progress of the running statement, which goes from `start` to `start + size`."""
    finished = threading.Event()

    def poll() -> None:
        while not finished.wait(0.2):
            progress(message, start + size * min(max(connection.query_progress(), 0) / 100, 1))

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def _first_row(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()) -> tuple:
    row = connection.execute(sql, list(parameters)).fetchone()
    assert row is not None
    return row
