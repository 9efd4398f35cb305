"""The copy of the marts that BI tools read."""

import dagster as dg

from llm_spend import paths
from llm_spend.defs.failures import one_line_failures
from llm_spend.defs.settings import DUCKDB_POOL, PREFIX
from llm_spend.publish import publish
from llm_spend.writing import writing


def published_copy(build: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """Made of every mart of a build, when all of them are there."""

    @dg.asset(
        key=[PREFIX, "published_copy"],
        deps=[key for key in build.keys if key.path[1] == "marts"],
        group_name="delivery",
        description=(
            "A read-only DuckDB file of the marts, beside the warehouse: `llm_spend.published.duckdb`. BI tools that "
            "read it neither wait for a build nor hold one up."
        ),
        kinds={"python", "duckdb"},
        pool=DUCKDB_POOL,
    )
    def copy(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        database = paths.default_database()
        with one_line_failures(), writing(database, "Dagster", tell=context.log.info):
            made = publish(database)
        return dg.MaterializeResult(
            metadata={"path": dg.MetadataValue.path(made.path), "as_of": str(made.as_of), "bytes": made.size}
        )

    return copy
