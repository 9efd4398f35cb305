"""Everything that the page shows, as one object."""

from datetime import date
from typing import Any

import duckdb

from llm_spend.report.cubes import read_cubes
from llm_spend.report.lists import read_drivers, read_lists, read_samples


def read(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Sums, lists and samples of the marts, and from when they are. Only temporary tables are written."""
    settings = dict(connection.execute("select setting, setting_value from marts.package_settings").fetchall())
    cubes = read_cubes(connection)
    first_day = date.fromisoformat(cubes["first_day"]) if cubes["first_day"] else None
    return {
        "as_of": settings["as_of"],
        "timezone": settings["reporting_timezone"],
        "release": settings["package_version"],
        **cubes,
        "lists": read_lists(connection),
        "drivers": read_drivers(connection, first_day),
        "samples": read_samples(connection, first_day),
    }
