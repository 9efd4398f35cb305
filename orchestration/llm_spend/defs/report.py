"""The report, as a page beside the warehouse."""

import dagster as dg

from llm_spend import paths
from llm_spend.defs.failures import one_line_failures
from llm_spend.defs.settings import PREFIX
from llm_spend.publish import published_path
from llm_spend.report import report_path, write_report


@dg.asset(
    key=[PREFIX, "report"],
    deps=[dg.AssetKey([PREFIX, "published_copy"])],
    group_name="delivery",
    description=(
        "One HTML page of the marts beside the warehouse, `llm_spend.report.html`, made from the published copy: it "
        "holds up no build. Only its owner may read it, for it names customers."
    ),
    kinds={"python"},
)
def report() -> dg.MaterializeResult:
    """Replaces the page of the build before."""
    database = paths.default_database()
    with one_line_failures():
        page = write_report(published_path(database), report_path(database))
    return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(page.path), "bytes": page.size})
