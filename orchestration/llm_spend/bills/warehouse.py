"""Writes bill rows where dbt's target keeps its tables, as dlt load packages: each fetch whole or not at all."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from llm_spend import paths
from llm_spend.bills.tables import DATASET, PERIODS, ROW_HASH, Row, Table, hashed
from llm_spend.database import connect
from llm_spend.dbt_run import environment
from llm_spend.errors import UserError

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.common.destination import Destination
    from dlt.extract import DltResource

_NAME = "llm_spend_bills"
_INSERT_BYTES = 1 << 19
"""DuckDB needs several hundred bytes to read one of a statement, and dlt's are 32 MB long unless told."""


@dataclass(frozen=True)
class Changes:
    """What became of a table: rows that are new or say something new, and rows that hold no longer."""

    added: int = 0
    retired: int = 0


def target_name() -> str:
    """The dbt target in use."""
    return os.environ.get("LLM_SPEND_TARGET") or "duckdb"


def work_folder() -> Path:
    """Where rows are between the API and the warehouse. Nothing in it outlives a run, but one that was killed."""
    return paths.artifacts_dir() / "bills"


class Warehouse:
    """The bill tables of one warehouse; `database` is its file where it is a DuckDB."""

    def __init__(self, pipeline: "Pipeline", database: Path | None) -> None:
        self._pipeline, self._database, self._opened_at = pipeline, database, datetime.now(UTC)

    def replace(self, rows: Mapping[Table, Iterable[Row | list[Row]]]) -> None:
        """Put rows in the place of those that they announce (`Table.announced`), in one load package.

        A row that is as it was stays untouched; one that changed or is gone gets an end (`_dlt_valid_to`), a new one
        a beginning (`_dlt_valid_from`). Where reading a row fails, nothing was written.
        """
        self._load([_resource(table, batches) for table, batches in rows.items()])

    def mark_fetched(self, provider: str, reports: Sequence[str], days: Iterable[date], at: datetime) -> None:
        """Note that these days are here as they were at `at` (aware). Last: a day without it is fetched again."""
        import dlt

        moment = at.astimezone(UTC).replace(tzinfo=None)
        periods = [
            {"provider": provider, "report": report, "usage_date": day, "fetched_at": moment}
            for report in reports
            for day in days
        ]
        resource = dlt.resource(
            periods,
            name=PERIODS,
            primary_key=["provider", "report", "usage_date"],
            columns={
                "provider": {"data_type": "text"},
                "report": {"data_type": "text"},
                "usage_date": {"data_type": "date"},
                "fetched_at": {"data_type": "timestamp", "timezone": False, "nullable": False},
            },
            write_disposition={"disposition": "merge", "strategy": "upsert"},
        )
        self._load([resource])

    def fetched_days(self, provider: str, reports: Sequence[str]) -> dict[date, datetime]:
        """The days of which all reports were fetched, each with the moment of its first one (aware)."""
        found = self._query(
            f"select usage_date, min(fetched_at), count(*) from {{{PERIODS}}} where provider = %s group by usage_date",
            provider,
        )
        return {day: at.replace(tzinfo=UTC) for day, at, count in found if count >= len(reports)}

    def changes(self, table: Table) -> Changes:
        """What became of a table since the warehouse was opened."""
        began, ended = (f"count(case when _dlt_valid_{end} >= %s then 1 end)" for end in ("from", "to"))
        found = self._query(f"select {began}, {ended} from {{{table.name}}}", self._opened_at, self._opened_at)
        return Changes(*found[0]) if found else Changes()

    def _load(self, resources: "list[DltResource]") -> None:
        with _explained():
            self._pipeline.extract(resources)
            self._pipeline.normalize()
            if self._database:
                with connect(self._database):
                    pass  # says in our words when another process has the file open
            self._pipeline.load()

    def _query(self, sql: str, *parameters: object) -> list[tuple]:
        """No rows where the table is not there yet; `{name}` stands for a table."""
        from dlt.destinations.exceptions import DatabaseUndefinedRelation

        with _explained(), self._pipeline.sql_client() as client:
            tables = {PERIODS, *(word.partition("}")[0] for word in sql.split("{")[1:])}
            named = sql.format(**{name: client.make_qualified_table_name(name) for name in tables})
            try:
                with client.execute_query(named, *parameters) as cursor:
                    return cursor.fetchall()
            except DatabaseUndefinedRelation:
                return []


@contextmanager
def open_warehouse(database: Path | None) -> Iterator[Warehouse]:
    """The warehouse of the dbt target in use; `database` is the DuckDB file, None on a server.

    The caller holds `writing` on the file, if any, and on `work_folder()`.
    """
    folder = work_folder()
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with _private_dlt(folder) as dlt:
            if database:
                with connect(database):
                    pass  # made in the storage version that all our files have
            pipeline = dlt.pipeline(
                _NAME, pipelines_dir=str(folder), destination=_destination(database), dataset_name=DATASET
            )
            yield Warehouse(pipeline, database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _private_dlt(folder: Path) -> Iterator[ModuleType]:
    """dlt, while it tells nobody, prints nothing, and knows no other folder. UserError when it is not installed."""
    settings = {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
        "RUNTIME__INTERCEPT_SIGNALS": "false",
        # What days are here is asked of the warehouse itself; dlt's own state holds nothing.
        "RESTORE_FROM_DESTINATION": "false",
        "DLT_DATA_DIR": str(folder),
        "DLT_PROJECT_DIR": str(folder),
        "DLT_LOCAL_DIR": str(folder),
        "DLT_DISABLE_PLUGINS": "1",
    }
    with environment(settings):
        try:
            import dlt
            from dlt.pipeline import trace
        except ImportError:
            raise UserError("bills are fetched with dlt: pip install 'llm-spend[bills]'", exit_code=1) from None
        # Even with telemetry off, its module writes an id into the home directory.
        watching, trace.TRACKING_MODULES = trace.TRACKING_MODULES, []
        try:
            yield dlt
        finally:
            trace.TRACKING_MODULES = watching


def _destination(database: Path | None) -> "Destination":
    """Where dbt's target is, in dlt's words."""
    from dlt import destinations

    if database:
        return destinations.duckdb(str(database), max_query_length=_INSERT_BYTES)
    profile = _profile()
    engine = profile["type"]
    if engine == "postgres":
        login = {
            "database": profile["dbname"],
            "username": profile["user"],
            "password": profile["password"],
            "host": profile["host"],
            "port": int(profile["port"]),
        }
        # Bytes as they are, times in UTC: what the models read must not hang on the server's settings.
        return destinations.postgres({**login, "client_encoding": "utf-8", "session_timezone": "UTC"})
    if engine == "snowflake":
        login = {"host": profile["account"], "username": profile["user"]}
        names = ("database", "password", "private_key_path", "private_key_passphrase", "role", "warehouse")
        return destinations.snowflake({**login, **{name: profile[name] for name in names if profile.get(name)}})
    if engine == "bigquery":
        key = Path(profile["keyfile"]).read_text(encoding="utf-8") if profile.get("keyfile") else None
        return destinations.bigquery(credentials=key, project_id=profile["project"], location=profile["location"])
    raise UserError(
        f"target {target_name()}: bills cannot be written to {engine} ({_WHY_NOT.get(engine, 'no way is known')});"
        " fetch them into DuckDB (LLM_SPEND_TARGET=duckdb) and copy the raw_* tables"
    )


_WHY_NOT = {
    "clickhouse": "dlt has no schemas there, and names tables otherwise than the models read them",
    "spark": "dlt does not write to it",
}


def _profile() -> dict[str, object]:
    """The output of profiles.yml that the target names, its variables filled in."""
    import yaml
    from jinja2 import Environment, TemplateError

    file = paths.project_dir() / "profiles.yml"
    output = yaml.safe_load(file.read_text(encoding="utf-8"))["llm_spend"]["outputs"].get(target_name())
    if output is None:
        raise UserError(f"LLM_SPEND_TARGET={target_name()}: {file} has no such target")
    jinja = Environment(autoescape=False)
    jinja.filters["as_number"] = int
    try:
        return {
            name: jinja.from_string(value).render(env_var=os.environ.get) if isinstance(value, str) else value
            for name, value in output.items()
        }
    except (TemplateError, ValueError) as error:
        raise UserError(f"LLM_SPEND_TARGET={target_name()}: {file} cannot be filled in ({error})") from None


def _resource(table: Table, batches: Iterable[Row | list[Row]]) -> "DltResource":
    import dlt

    def rows() -> Iterator[Row]:
        yield from hashed(row for batch in batches for row in (batch if isinstance(batch, list) else [batch]))

    same = " and ".join(f"announced.{name} = {{table}}.{name}" for name in table.replaced_by)
    return dlt.resource(
        rows,
        name=table.name,
        columns=table.columns(),
        max_table_nesting=0,
        write_disposition={
            "disposition": "merge",
            "strategy": "scd2",
            "row_version_column_name": ROW_HASH,
            "source_filter": f"{ROW_HASH} <> ''",
            "destination_scope": f"exists (select 1 from {{staging_table}} as announced where {same})",
        },
    )


@contextmanager
def _explained() -> Iterator[None]:
    """Ours is the error inside of dlt's that a person can use; any other is the warehouse's."""
    try:
        yield
    except Exception as error:
        inner: BaseException | None = error
        while inner:
            if isinstance(inner, UserError | KeyboardInterrupt):
                raise inner from None
            error, inner = inner, inner.__cause__ or inner.__context__
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"the warehouse ({target_name()}) did not take the rows: {reason}. What came before is kept, and the same"
            " command goes on from there",
            exit_code=1,
        ) from None
