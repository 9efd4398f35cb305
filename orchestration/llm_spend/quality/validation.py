"""Great Expectations: a suite over frames, the sum of their results, and the Data Docs."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from llm_spend.errors import UserError
from llm_spend.quality.docs import Page, write_index

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.data_context.types.resource_identifiers import ValidationResultIdentifier
    from great_expectations.expectations import Expectation
    from pandas import DataFrame

SHOWN_VALUES = 20
"""Unexpected values kept per expectation: what a page shows."""

_SITE = "data_docs"


@contextmanager
def _without_spark() -> Iterator[None]:
    """Great Expectations looks for Spark, of which nothing is needed here; PySpark 4 takes a process that Dagster
    started for a run of its own doctests, and ends it."""
    is_hidden = "pyspark" not in sys.modules
    if is_hidden:
        sys.modules["pyspark"] = None
    try:
        yield
    finally:
        if is_hidden:
            del sys.modules["pyspark"]


class Validations:
    """The validations of one run. Nothing is kept on disk but the Data Docs, and nothing is sent anywhere."""

    def __init__(self) -> None:
        try:
            with _without_spark():
                import great_expectations as gx
                from great_expectations.data_context.types.base import (
                    DataContextConfig,
                    InMemoryStoreBackendDefaults,
                    ProgressBarsConfig,
                )
        except ImportError:
            raise UserError("the gate needs Great Expectations: pip install 'llm-spend[quality]'") from None
        self._context = gx.get_context(
            mode="ephemeral",
            project_config=DataContextConfig(
                store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
                progress_bars=ProgressBarsConfig(globally=False),
                analytics_enabled=False,
            ),
        )
        self._source = self._context.data_sources.add_pandas("landing")
        self._run_time = datetime.now(UTC)
        self._kept: dict[ValidationResultIdentifier, str] = {}

    def run(
        self,
        suite_name: str,
        asset: str,
        title: str,
        key: str,
        suite: Sequence["Expectation"],
        frames: Iterable["DataFrame"],
    ) -> "ExpectationSuiteValidationResult | None":
        """Judge the frames as one. `key` is the column that names a row in examples. None when there is no frame.

        Over more than one frame the suite may only hold expectations on the values of single rows.
        """
        import great_expectations as gx

        expectations = self._context.suites.add_or_update(gx.ExpectationSuite(suite_name, expectations=list(suite)))
        batches = self._source.add_dataframe_asset(asset).add_batch_definition_whole_dataframe("all rows")
        total = None
        for frame in frames:
            result = batches.get_batch({"dataframe": frame}).validate(
                expectations,
                result_format={
                    "result_format": "SUMMARY",
                    "unexpected_index_column_names": [key],
                    "partial_unexpected_count": SHOWN_VALUES,
                    "return_unexpected_index_query": False,
                },
            )
            _require_evaluated(result)
            total = _sum(total, result) if total else result
        if total:
            self._keep(total, asset, title)
        return total

    def write_docs(self, directory: Path) -> Path:
        """Replace the Data Docs in `directory` by those of this run; the path of their index page."""
        self._context.add_data_docs_site(
            _SITE,
            {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "store_backend": {
                    "class_name": "TupleFilesystemStoreBackend",
                    "base_directory": str(directory.absolute()),
                },
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            },
        )
        self._context.clean_data_docs(_SITE)
        self._context.build_data_docs([_SITE])
        pages = [
            Page(title, self._path(name, directory), self._context.validation_results_store.get(name))
            for name, title in self._kept.items()
        ]
        return write_index(directory, pages, f"{self._run_time:%Y-%m-%d %H:%M}")

    def _path(self, name: "ValidationResultIdentifier", directory: Path) -> str:
        (site,) = self._context.get_docs_sites_urls(resource_identifier=name)
        return Path(unquote(urlsplit(site["site_url"]).path)).relative_to(directory.absolute()).as_posix()

    def _keep(self, result: "ExpectationSuiteValidationResult", asset: str, title: str) -> None:
        from great_expectations.core.run_identifier import RunIdentifier
        from great_expectations.data_context.types.resource_identifiers import (
            ExpectationSuiteIdentifier,
            ValidationResultIdentifier,
        )

        run = RunIdentifier(run_name="gate", run_time=self._run_time)
        result.meta = {
            "great_expectations_version": result.meta["great_expectations_version"],
            "run_id": run,
            "validation_time": self._run_time,
            "batch_spec": {"data_asset_name": title},
        }
        name = ValidationResultIdentifier(ExpectationSuiteIdentifier(result.suite_name), run, asset)
        self._context.validation_results_store.store_validation_results(result, name)
        self._kept[name] = title


def _require_evaluated(result: "ExpectationSuiteValidationResult") -> None:
    for one in result.results:
        if "exception_message" not in one.exception_info or one.exception_info["raised_exception"]:
            raise UserError(
                f"Great Expectations could not judge '{one.expectation_config.description}': {one.exception_info}",
                exit_code=1,
            )


def _sum(
    total: "ExpectationSuiteValidationResult", batch: "ExpectationSuiteValidationResult"
) -> "ExpectationSuiteValidationResult":
    """`total`, with the counts and first unexpected values of one more batch."""
    more = {one.expectation_config.id: one for one in batch.results}
    for one in total.results:
        _add(one, more[one.expectation_config.id])
    total.success = all(one.success for one in total.results)
    met = sum(bool(one.success) for one in total.results)
    total.statistics = {
        "evaluated_expectations": len(total.results),
        "successful_expectations": met,
        "unsuccessful_expectations": len(total.results) - met,
        "success_percent": 100 * met / len(total.results),
    }
    return total


def _add(one: "ExpectationValidationResult", more: "ExpectationValidationResult") -> None:
    result = one.result
    for count in ("element_count", "unexpected_count", "missing_count"):
        if count in result:
            result[count] += more.result[count]
    for values in ("partial_unexpected_list", "partial_unexpected_index_list"):
        both = [*result.get(values, []), *more.result.get(values, [])]
        if both:
            result[values] = both[:SHOWN_VALUES]
    result["partial_unexpected_counts"] = _value_counts(result["partial_unexpected_list"])
    rows, unexpected = result["element_count"], result["unexpected_count"]
    given = rows - result.get("missing_count", 0)
    result["unexpected_percent"] = 100 * unexpected / given if given else None
    if "missing_count" in result:
        result["missing_percent"] = 100 * result["missing_count"] / rows
        result["unexpected_percent_total"] = 100 * unexpected / rows
        result["unexpected_percent_nonmissing"] = result["unexpected_percent"]
    one.success = not given or (given - unexpected) / given >= one.expectation_config.kwargs.get("mostly", 1)


def _value_counts(values: list) -> list[dict]:
    counts: dict = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return [{"value": value, "count": count} for value, count in sorted(counts.items(), key=lambda item: -item[1])]
