"""The door: usage logs land in the warehouse, and are judged before anything is built from them."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from llm_spend import paths
from llm_spend.defs.dbt import LANDING
from llm_spend.defs.failures import one_line_failures
from llm_spend.defs.settings import DUCKDB_POOL, Settings
from llm_spend.ingest.load import LoadReport, load, unload
from llm_spend.ingest.mapping import read_mapping
from llm_spend.writing import writing

if TYPE_CHECKING:
    from llm_spend.quality import Verdict

LOAD_RETRIES = dg.RetryPolicy(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


def landing_asset(settings: Settings) -> dg.AssetsDefinition:
    """Loads the files of LLM_SPEND_EVENTS. A file that cannot be read fails at once; a busy database is tried again."""

    @dg.asset(
        key=LANDING,
        group_name="landing",
        description=(
            "Usage logs as typed rows: the landing tables in the schema `raw`. The files of `LLM_SPEND_EVENTS` are "
            "loaded once per content. Without it the project runs on the bundled demo and nothing is loaded."
        ),
        kinds={"python", "duckdb"},
        retry_policy=LOAD_RETRIES,
        pool=DUCKDB_POOL,
    )
    def landing(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        if not settings.events:
            return dg.MaterializeResult(metadata={"events": "demo: LLM_SPEND_EVENTS is not set, nothing to load"})
        database = paths.default_database()
        with one_line_failures(), writing(database, "Dagster", tell=context.log.info):
            report = load(
                database,
                [settings.events],
                read_mapping(settings.mapping) if settings.mapping else None,
                datetime.now(UTC),
                settings.hash_salt,
            )
        return dg.MaterializeResult(
            metadata={
                "events": settings.events,
                "data_docs": dg.MetadataValue.path(settings.quality_dir / "data_docs" / "index.html"),
                **_counts(report),
            }
        )

    return landing


def landing_verdict(settings: Settings) -> dg.AssetChecksDefinition:
    """Great Expectations' verdict on what landed: an error takes it back and stops the run, a warning goes on."""

    @dg.asset_check(
        asset=LANDING,
        name="landing_verdict",
        blocking=True,
        description="Columns, types, allowed values, volume, freshness, and at least 95% valid rows per file.",
        pool=DUCKDB_POOL,
    )
    def verdict(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        if not settings.events:
            return dg.AssetCheckResult(passed=True, metadata={"events": "demo: bundled with the package"})
        from llm_spend.quality import check

        database = paths.default_database()
        with one_line_failures(), writing(database, "Dagster", tell=context.log.info):
            found = check(database, docs_dir=settings.quality_dir)
            if found.errors:
                unload(database, found.file_hashes)
        return check_result(found)

    return verdict


def check_result(verdict: "Verdict") -> dg.AssetCheckResult:
    """Errors block, warnings only show; each finding is a row of the table beside the result."""
    severity = dg.AssetCheckSeverity.ERROR if verdict.errors else dg.AssetCheckSeverity.WARN
    findings = [
        dg.TableRecord(
            {
                "severity": finding.severity,
                "expectation": finding.expectation,
                "file": finding.source_file or "",
                "message": finding.message,
                "examples": "; ".join(finding.examples),
            }
        )
        for finding in verdict.findings
    ]
    docs = {"data_docs": dg.MetadataValue.path(verdict.docs_page)} if verdict.docs_page else {}
    return dg.AssetCheckResult(
        passed=not verdict.findings,
        severity=severity,
        description="; ".join(f"{one.expectation}: {one}" for one in verdict.errors or verdict.warnings) or None,
        metadata={"rows": verdict.rows, **docs, **({"findings": dg.MetadataValue.table(findings)} if findings else {})},
    )


def _counts(report: LoadReport) -> dict[str, int]:
    return {
        "files_loaded": sum(not file.is_skipped for file in report.files),
        "files_already_loaded": sum(file.is_skipped for file in report.files),
        "events_loaded": report.accepted,
        "lines_rejected": report.rejected,
        "rows_of_another_kind": sum(file.left_out for file in report.files if not file.is_skipped),
    }
