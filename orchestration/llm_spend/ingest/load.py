"""Load usage logs into the landing tables: exactly once per file content, one transaction per file."""

import difflib
import glob
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb

from llm_spend.errors import UserError
from llm_spend.ingest.database import literal, open_database
from llm_spend.ingest.events import EventSql, Place, places
from llm_spend.ingest.identity import check_hashing, fill_hashed_ids, keyed_digest
from llm_spend.ingest.mapping import Mapping, preset_names
from llm_spend.ingest.readers import (
    TEXT_SUFFIXES,
    FileRows,
    file_format,
    json_pointer,
    open_rows,
    reading_error,
)
from llm_spend.ingest.schema import COLUMNS_BY_NAME, EVENT_COLUMNS, create_statements

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of all bytes done, 0 to 1; from a background thread too."""

_Watch = Callable[[float, float], AbstractContextManager[None]]

REASONS_SHOWN = 3
RAW_TEXT_WITHHELD = "(not kept: this load hashes ids)"


@dataclass(frozen=True)
class Rejection:
    """A row that could not be parsed: its line in the file, from 1, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class FileReport:
    """What became of one file. `is_skipped`: this content was loaded before in the same way, counts are from then."""

    path: str
    accepted: int
    rejected: int
    is_skipped: bool = False
    unused_columns: tuple[str, ...] = ()
    first_rejections: tuple[Rejection, ...] = ()

    @property
    def rows(self) -> int:
        return self.accepted + self.rejected


@dataclass(frozen=True)
class LoadReport:
    """What became of each file, in the order of loading."""

    files: tuple[FileReport, ...]

    @property
    def accepted(self) -> int:
        return sum(file.accepted for file in self.files)

    @property
    def rejected(self) -> int:
        return sum(file.rejected for file in self.files)


@dataclass(frozen=True)
class _Job:
    """How every file of one load is read."""

    mapping: Mapping
    hashed: frozenset[str]
    salt: str | None
    loaded_at: datetime

    @property
    def mapping_hash(self) -> str:
        """Changes with anything that would change the loaded rows; keyed, so that it tells nothing about the salt."""
        meaning = f"{self.mapping.fingerprint()} {' '.join(sorted(self.hashed))}"
        if self.hashed and self.salt:
            return keyed_digest(self.salt, meaning)
        return hashlib.sha256(meaning.encode()).hexdigest()

    @property
    def row_key(self) -> str:
        """Put before a row's text when ids are hashed, so that its md5 cannot be guessed back to the id."""
        return keyed_digest(self.salt, "row") if self.hashed and self.salt else ""


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

    `loaded_at` is aware, or naive UTC. A file whose content was loaded with the same mapping is skipped; with another
    mapping its rows are replaced. Raises UserError (see `errors`) for input that cannot be read, and when not one row of
    all files can be accepted; what was loaded before the error stays, rejected rows included.
    """
    mapping = mapping or Mapping()
    job = _Job(
        mapping=mapping,
        hashed=check_hashing({*hash_fields, *mapping.hashed_fields}, hash_salt),
        salt=hash_salt,
        loaded_at=loaded_at.astimezone(UTC).replace(tzinfo=None) if loaded_at.tzinfo else loaded_at,
    )
    files = find_files(patterns)
    sizes = [path.stat().st_size for path in files]
    total = sum(sizes) or 1
    connection = open_database(db_path)
    try:
        for statement in create_statements():
            connection.execute(statement)
        reports = []
        for index, (path, size) in enumerate(zip(files, sizes, strict=True)):
            start, share = sum(sizes[:index]) / total, size / total
            message = f"loading {path}" + (f" ({index + 1} of {len(files)})" if len(files) > 1 else "")
            progress(message, start)
            watch = partial(_watched, connection, partial(_report_share, progress, message, start, share))
            reports.append(_load_file(connection, path, job, watch))
        progress("loaded", 1.0)
        report = LoadReport(tuple(reports))
        _require_an_event(report)
        return report
    finally:
        connection.close()


def find_files(patterns: Sequence[str]) -> list[Path]:
    """The files that paths and globs name, each once, in the order given. UserError when one names nothing readable."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern).expanduser()
        matches = [path] if path.exists() else sorted(map(Path, glob.glob(str(path), recursive=True)))
        if not matches:
            raise UserError(f"{pattern}: no such file; check the path, or quote the glob")
        if matches == [path] and path.is_dir():
            raise UserError(f"{pattern}: a directory; name its files, such as '{path}/*.jsonl'")
        found.update(dict.fromkeys(match for match in matches if not match.is_dir()))
    for path in found:
        file_format(path)
    return list(found)


def _load_file(connection: duckdb.DuckDBPyConnection, path: Path, job: _Job, watch: _Watch) -> FileReport:
    file_hash, byte_count = _content(path)
    known = connection.execute(
        "select mapping_hash, event_count, rejected_count from raw.raw_loaded_files where _file_hash = ?",
        [file_hash],
    ).fetchone()
    if known and known[0] == job.mapping_hash:
        rejections = _first_rejections(connection, file_hash)
        return FileReport(str(path), known[1], known[2], is_skipped=True, first_rejections=rejections)
    connection.begin()
    try:
        for table in ("raw_usage_events", "raw_rejected_events", "raw_loaded_files"):
            connection.execute(f"delete from raw.{table} where _file_hash = ?", [file_hash])
        report = _land(connection, path, file_hash, job, watch)
        connection.execute(
            "insert into raw.raw_loaded_files values (?, ?, ?, ?, ?, ?, ?)",
            [
                file_hash,
                str(path),
                job.mapping_hash,
                byte_count,
                report.accepted,
                report.rejected,
                job.loaded_at,
            ],
        )
        connection.commit()
    except duckdb.Error as error:
        connection.rollback()
        raise reading_error(path, error) from None
    except BaseException:
        connection.rollback()
        raise
    return report


def _land(
    connection: duckdb.DuckDBPyConnection, path: Path, file_hash: str, job: _Job, watch: _Watch
) -> FileReport:
    """Two passes over the file, so that no row waits in memory: one judges, one inserts."""
    rows = open_rows(connection, path)
    sql = EventSql(job.mapping, job.hashed)
    seen = _check_columns(connection, path, rows, sql)
    selected = rows.select(sql.columns)
    events = sql.events(selected)
    provenance = [file_hash, str(path), job.loaded_at]
    with watch(0.0, 0.4):
        rejected, without_id = _first_row(
            connection,
            f"select count(reason), count(case when reason is null and event_id is null then 1 end) from ({events})",
        )
    if rejected:
        raw = literal(RAW_TEXT_WITHHELD) if job.hashed else "raw"
        connection.execute(
            f"""
            insert into raw.raw_rejected_events
            select $1, $2, line, reason, {raw}, $3 from ({events}) where reason is not null
            """,
            provenance,
        )
    _fill_repeats(connection, selected if without_id else None)
    fill_hashed_ids(connection, _clear_ids(sql, selected), job.salt)
    with watch(0.4, 1.0):
        (accepted,) = _first_row(connection, _insert_events(events, job), [*provenance, job.row_key])
    asked = set(sql.columns)
    return FileReport(
        str(path),
        accepted=accepted,
        rejected=rejected,
        unused_columns=tuple(column for column in seen if column not in asked),
        first_rejections=_first_rejections(connection, file_hash),
    )


def _insert_events(events: str, job: _Job) -> str:
    values = {column.name: f"events.{column.name}" for column in EVENT_COLUMNS}
    values["event_id"] = (
        "coalesce(events.event_id, md5(events.row_hash || '|' || coalesce(repeats.ordinal, 1)))"
    )
    values |= {name: f"hashed_{name}.hashed" for name in job.hashed}
    joins = " ".join(
        f"left join hashed_ids as hashed_{name} on events.{name} = hashed_{name}.clear"
        for name in sorted(job.hashed)
    )
    return f"""
        insert into raw.raw_usage_events
        select
            {", ".join(values.values())},
            $3, {_flag(job.mapping.input_includes_cache)}, {_flag(job.mapping.output_includes_reasoning)},
            $1, $2, events.line, events.row_hash
        from (select *, md5($4 || raw) as row_hash from ({events}) where reason is null) as events
        left join repeats on events.line = repeats.line
        {joins}
    """


def _fill_repeats(connection: duckdb.DuckDBPyConnection, rows: str | None) -> None:
    """Make the temporary table `repeats`: line, and ordinal from 1, of each row that is not the only one of its text."""
    connection.execute("create or replace temp table repeats (line bigint, ordinal bigint)")
    if rows is None:
        return
    connection.execute(
        f"""
        insert into repeats
        with texts as (select line, md5_number(raw) as text_hash from ({rows})),
        repeated as (select text_hash from texts group by text_hash having count(*) > 1)
        select line, row_number() over (partition by text_hash order by line)
        from texts where text_hash in (select text_hash from repeated)
        """
    )


def _clear_ids(sql: EventSql, rows: str) -> str | None:
    columns = [COLUMNS_BY_NAME[name] for name in sorted(sql.hashed)]
    selects = [f"select {column.name} from ({sql.texts(rows, [column])})" for column in columns]
    return " union all ".join(selects) or None


def _check_columns(
    connection: duckdb.DuckDBPyConnection, path: Path, rows: FileRows, sql: EventSql
) -> list[str]:
    """The file's columns. UserError when the mapping, or the contract itself, needs one that no row has."""
    seen = rows.columns(sample=True)
    if not seen:
        return []
    needed = [
        (column, source)
        for column in EVENT_COLUMNS
        if (source := sql.mapping.source(column)).columns and (column.required or not source.optional)
    ]
    if any(candidate.column not in seen for _, source in needed for candidate in places(source.columns[0])):
        seen = rows.columns(sample=False)
    for column, source in needed:
        candidates = [candidate for name in source.columns for candidate in places(name)]
        if any(_has(connection, rows, sql, candidate, seen) for candidate in candidates):
            continue
        has = f"it has {', '.join(seen)}"
        if column.name in sql.mapping.fields:
            near = difflib.get_close_matches(source.columns[0], seen, n=1)
            raise UserError(
                f"{path}: no row has the column {' or '.join(source.columns)}, from which mapping {sql.mapping.name} "
                f"takes {column.name}; {f'did you mean {near[0]}? ' if near else ''}{has}"
            )
        raise UserError(
            f"{path}: no row has the column {source.columns[0]}; {has}; say where it is with --mapping: "
            f"a YAML file, or one of {', '.join(preset_names())}"
        )
    return seen


def _has(
    connection: duckdb.DuckDBPyConnection, rows: FileRows, sql: EventSql, place: Place, seen: Sequence[str]
) -> bool:
    if place.column not in seen or not place.keys:
        return place.column in seen
    pointer = literal(json_pointer(place.keys))
    return bool(
        connection.execute(
            f"""
            select 1 from ({rows.select([place.column])})
            where case when json_valid(fields[1]) then json_exists(fields[1], {pointer}) end limit 1
            """
        ).fetchone()
    )


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
    if report.accepted:
        return
    broken = next((file for file in report.files if file.first_rejections), None)
    if broken is None:
        names = ", ".join(file.path for file in report.files)
        raise UserError(f"{names}: empty, no event to load; name a file that has some")
    first = broken.first_rejections[0]
    raise UserError(
        f"{broken.path}:{first.line}: {first.reason}; none of {report.rejected} rows could be accepted: "
        "fix the file or use --mapping (the rows are kept in raw.raw_rejected_events)"
    )


def _content(path: Path) -> tuple[str, int]:
    """Hex sha256 and size in bytes. UserError when the file cannot be read, or is binary in spite of its name."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                if not size and path.suffix.lower() in TEXT_SUFFIXES and b"\0" in block:
                    raise UserError(
                        f"{path}: binary or UTF-16, not UTF-8 text; check its extension or convert it"
                    )
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); check the file and its permissions"
        ) from None
    return digest.hexdigest(), size


@contextmanager
def _watched(
    connection: duckdb.DuckDBPyConnection, report: Callable[[float], None], start: float, end: float
) -> Iterator[None]:
    """Report how far the running statement is, several times a second, as a share between `start` and `end`."""
    finished = threading.Event()

    def poll() -> None:
        while not finished.wait(0.2):
            report(start + (end - start) * max(connection.query_progress(), 0) / 100)

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def _report_share(progress: Progress, message: str, start: float, size: float, share: float) -> None:
    progress(message, start + size * share)


def _first_row(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()) -> tuple:
    row = connection.execute(sql, list(parameters)).fetchone()
    assert row is not None
    return row


def _flag(value: bool | None) -> str:
    return "null" if value is None else str(value).lower()
