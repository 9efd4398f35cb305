"""Sums of the marts by the dimensions that the page filters and groups by.

Names outside the largest of their kind are null: the page's "everything else", so that totals stay whole.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from llm_spend.report.encoding import encode

MAX_ROWS = 60_000
"""Of a cube: about a megabyte of the page, and a few milliseconds for each look at it."""
FITS = (
    (50, 50, None), (30, 50, None), (20, 50, None), (15, 30, None),
    (10, 30, None), (10, 20, 366), (6, 12, 183), (4, 6, 92),
)  # fmt: skip
"""How many tenants, how many names of everything else and how many days are tried, until the cube is small enough.
Every tenant calls every endpoint: their number tells."""
CANDIDATES = 2_000
"""The dearest users of an endpoint are looked for among so many of the dearest of all."""
NAMED = ("tenant", "endpoint", "version", "model", "agent")


@dataclass(frozen=True)
class Cube:
    """`columns` and `measures` are SQL by name; the page writes its own statements from them."""

    relation: str
    columns: dict[str, str]
    measures: dict[str, str]
    where: str = ""


SPEND = Cube(
    "marts.fct_daily_spend",
    columns={
        "day": "usage_date",
        "traffic": "environment || ' ' || data_mode",
        "tenant": "tenant_id",
        "endpoint": "endpoint_tag",
        "version": "prompt_version",
        "model": "model",
        "agent": "agent_id",
    },
    measures={
        "attempts": "sum(attempts)",
        "requests": "sum(requests)",
        "successes": "sum(successful_tasks)",
        "without_cost": "sum(attempts_without_cost)",
        "input_tokens": "sum(input_tokens)",
        "cached_tokens": "sum(cached_input_tokens)",
        "output_tokens": "sum(output_tokens)",
        "cost": "sum(cost_usd)",
        "wasted": "sum(wasted_cost_usd)",
        "wasted_by_errors": "sum(error_wasted_cost_usd)",
        "wasted_by_timeouts": "sum(timeout_wasted_cost_usd)",
        "wasted_by_rate_limits": "sum(rate_limited_wasted_cost_usd)",
        "wasted_by_cancelling": "sum(cancelled_wasted_cost_usd)",
        "cache_savings": "sum(cache_savings_usd)",
    },
)

USERS = Cube(
    "marts.fct_llm_attempts",
    columns={**SPEND.columns, "user": "user_id", "user_type": "user_type"},
    measures={
        "attempts": "count(*)",
        "requests": "sum(case when is_first_attempt then 1 else 0 end)",
        "successes": "sum(case when coalesce(task_succeeded, is_useful) then 1 else 0 end)",
        "without_cost": "sum(case when cost_usd is null then 1 else 0 end)",
        "input_tokens": "sum(coalesce(input_tokens, 0))",
        "output_tokens": "sum(coalesce(output_tokens, 0))",
        "cost": "sum(coalesce(cost_usd, 0))",
        "wasted": "sum(coalesce(wasted_cost_usd, 0))",
    },
    where="user_id in (select name from kept where dimension = 'user')",
)

CACHE = Cube(
    "marts.cache_efficiency",
    columns={"day": "usage_date", "endpoint": "endpoint_tag", "model": "model"},
    measures={
        "input_tokens": "sum(input_tokens)",
        "cached_tokens": "sum(cached_input_tokens)",
        "cost": "sum(cost_usd)",
        "savings": "sum(cache_savings_usd)",
        "missed": "sum(coalesce(missed_savings_usd, 0))",
    },
)

MARGIN = Cube(
    "marts.tenant_margin",
    columns={"day": "usage_month", "tenant": "tenant_id", "quadrant": "quadrant"},
    measures={
        "paying": "sum(case when revenue_usd is not null then 1 else 0 end)",
        "revenue": "sum(coalesce(revenue_usd, 0))",
        "calls": "sum(cost_usd)",
        "allocated": "sum(allocated_unattributed_usd + allocated_charges_usd)",
        "without_revenue": "sum(case when revenue_usd is null then total_cost_usd else 0 end)",
        "wasted": "sum(wasted_cost_usd)",
        "margin": "sum(coalesce(margin_usd, 0))",
    },
)

CUBES = {"spend": SPEND, "users": USERS, "cache": CACHE, "margin": MARGIN}
FOLDED = (*NAMED, "user")


def read_cubes(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Every cube, the days they hold, and how many names of each dimension are everything else."""
    first_day = _keep_names(connection)
    _keep_users(connection, first_day)
    return {
        "first_day": str(first_day) if first_day else None,
        "others": _others(connection, first_day),
        "cubes": {
            name: {"relation": cube.relation, "dimensions": cube.columns, "measures": cube.measures}
            | _read(connection, cube, first_day)
            for name, cube in CUBES.items()
        },
    }


def _keep_names(connection: duckdb.DuckDBPyConnection) -> date | None:
    """Fill `kept` with the names that are shown, as many as fit, and return the first day that is."""
    connection.execute("create or replace temp table kept (dimension text, name text)")
    first, last = connection.execute("select min(usage_date), max(usage_date) from marts.fct_daily_spend").fetchone()
    for tenants, names, days in FITS:
        if last and days:
            first = max(first, last - timedelta(days - 1))
        connection.execute("delete from kept")
        for dimension in NAMED:
            column = SPEND.columns[dimension]
            connection.execute(
                f"""
                insert into kept
                select $1, {column} from marts.fct_daily_spend where usage_date >= $2
                group by {column}
                order by sum(case when is_in_scope then cost_usd else 0 end) desc, sum(cost_usd) desc, {column}
                limit $3
                """,
                [dimension, first, {"tenant": tenants, "version": 3 * names}.get(dimension, names)],
            )
        connection.execute(_NAMED_ELSEWHERE)
        (rows,) = connection.execute(f"select count(*) from ({_select(SPEND)})", [first]).fetchone()
        if rows <= MAX_ROWS:
            break
    return first


# What an alert or a comparison of versions speaks of can be looked at.
_NAMED_ELSEWHERE = """
    insert into kept
    select entity_type, entity_id from marts.alerts where is_page and entity_type in ('tenant', 'endpoint', 'agent')
    union
    select 'tenant', '(unattributed)'
    union
    select 'endpoint', endpoint_tag from marts.prompt_version_deltas where verdict in ('regression', 'improvement')
    union
    select 'version', prompt_version from marts.prompt_version_deltas where verdict in ('regression', 'improvement')
    union
    select 'version', predecessor from marts.prompt_version_deltas where verdict in ('regression', 'improvement')
    except
    select * from kept
"""


def _keep_users(connection: duckdb.DuckDBPyConnection, first_day: date | None) -> None:
    """Add the dearest users of each endpoint and of all to `kept`, as many as fit.

    A user's days at an endpoint have a row for each version and model: seldom more than two.
    """
    connection.execute(
        """
        create or replace temp table users as
        with dearest as (
            select entity_id from marts.entity_daily_spend where entity_type = 'user' and usage_date >= $1
            group by entity_id order by sum(cost_usd) desc, entity_id limit $2
        )

        select
            endpoint_tag, user_id, sum(case when is_in_scope then cost_usd end) as cost_usd, count(*) as attempts
        from marts.fct_llm_attempts
        where usage_date >= $1 and user_id in (select entity_id from dearest)
        group by endpoint_tag, user_id
        """,
        [first_day, CANDIDATES],
    )
    for names in (100, 50, 20, 10, 5, 2):
        connection.execute("delete from kept where dimension = 'user'")
        connection.execute(_DEAREST_USERS, [names])
        (rows,) = connection.execute(
            """
            with days as (select count(distinct usage_date) as days from marts.retry_multipliers)

            select coalesce(sum(least(attempts, 2 * days.days)), 0)
            from users cross join days
            where user_id in (select name from kept where dimension = 'user')
            """
        ).fetchone()
        if rows <= MAX_ROWS:
            break


_DEAREST_USERS = """
    insert into kept
    with overall as (
        select user_id, sum(cost_usd) as cost_usd from users group by user_id
    ),

    ranked as (
        select
            user_id, row_number() over (partition by endpoint_tag order by cost_usd desc nulls last, user_id) as place
        from users
        where endpoint_tag in (select name from kept where dimension = 'endpoint')
        union all
        select
            user_id, ceil(row_number() over (order by cost_usd desc nulls last, user_id) / 2) as place
        from overall
    )

    select distinct 'user', user_id from ranked where place <= $1
"""


def _others(connection: duckdb.DuckDBPyConnection, first_day: date | None) -> dict[str, int]:
    """Dimension → how many of its names are not shown by themselves."""
    others = {
        dimension: connection.execute(
            f"""
            select count(distinct {SPEND.columns[dimension]}) from marts.fct_daily_spend
            where usage_date >= $1 and {SPEND.columns[dimension]} not in (select name from kept where dimension = $2)
            """,
            [first_day, dimension],
        ).fetchone()[0]
        for dimension in NAMED
    }
    (users,) = connection.execute(
        """
        select count(distinct entity_id) from marts.entity_daily_spend
        where entity_type = 'user' and usage_date >= $1
            and entity_id not in (select name from kept where dimension = 'user')
        """,
        [first_day],
    ).fetchone()
    return {**others, "user": users}


def _read(connection: duckdb.DuckDBPyConnection, cube: Cube, first_day: date | None) -> dict[str, Any]:
    cursor = connection.execute(f"{_select(cube)} order by all", [first_day])
    return encode([column[0] for column in cursor.description], cursor.fetchall())


def _select(cube: Cube) -> str:
    columns = [
        f"case when {sql} in (select name from kept where dimension = '{name}') then {sql} end as {name}"
        if name in FOLDED
        else f"{sql} as {name}"
        for name, sql in cube.columns.items()
    ]
    measures = [f"{sql} as {name}" for name, sql in cube.measures.items()]
    first = (
        f"{cube.columns['day']} >= date_trunc('month', cast($1 as date))"
        if cube is MARGIN
        else f"{cube.columns['day']} >= $1"
    )
    conditions = [first, *([cube.where] if cube.where else [])]
    return (
        f"select {', '.join(columns + measures)} from {cube.relation} where {' and '.join(conditions)}"
        f" group by {', '.join(str(place + 1) for place in range(len(columns)))}"
    )
