"""What the next run would write: which days, why, and how many dollars move."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Table

from llm_spend.database import connect

REASONS = {
    "everything": "all of it: a first or full run",
    "new_day": "days without attempts so far",
    "new_rows": "rows landed, or are gone",
    "prices": "prices changed",
    "configuration": "aliases, keys or settings changed",
    "unfinished": "the last run stopped before its end",
    "asked": "asked for",
    "request": "requests and events with a part on these days",
}
"""Reasons of `int_touched_days`, in words."""


@dataclass(frozen=True)
class Change:
    """The days of one reason, from `first` to `last`: attempts and known cost in USD as told now and after the run."""

    reason: str
    days: int
    first: date
    last: date
    attempts_now: int
    attempts_then: int
    cost_now_usd: Decimal
    cost_then_usd: Decimal


def planned_changes(database: Path) -> list[Change]:
    """The days of int_touched_days against the attempts, once the models up to int_attempts_priced are built."""
    with connect(database, read_only=True) as connection:
        is_first_run = not connection.execute(
            "select count(*) from information_schema.tables"
            " where table_schema = 'marts' and table_name = 'fct_llm_attempts'"
        ).fetchone()[0]
        told = "select null::date as usage_date_utc, null::decimal(28, 12) as cost_usd where false"
        if not is_first_run:
            told = "select usage_date_utc, cost_usd from marts.fct_llm_attempts"
        rows = connection.execute(
            f"""
            with told as ({told}),

            now_by_day as (
                select usage_date_utc, count(*) as attempts, sum(coalesce(cost_usd, 0)) as cost_usd
                from told group by usage_date_utc
            ),

            then_by_day as (
                select usage_date_utc, count(*) as attempts, sum(coalesce(cost_usd, 0)) as cost_usd
                from intermediate.int_attempts_priced group by usage_date_utc
            )

            select
                days.reason, count(*), min(days.usage_date_utc), max(days.usage_date_utc),
                coalesce(sum(now_by_day.attempts), 0), coalesce(sum(then_by_day.attempts), 0),
                coalesce(sum(now_by_day.cost_usd), 0), coalesce(sum(then_by_day.cost_usd), 0)
            from intermediate.int_touched_days as days
            left join now_by_day using (usage_date_utc)
            left join then_by_day using (usage_date_utc)
            group by days.reason
            """
        ).fetchall()
    order = list(REASONS)
    return sorted((Change(*row) for row in rows), key=lambda change: order.index(change.reason))


def print_plan(out: Console, changes: list[Change]) -> None:
    """The plan as a table, or one line where there is nothing to write."""
    if not changes:
        out.print("Nothing to write: every day is what its raw rows, prices and configuration say.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("why")
    for name in ("from", "to"):
        table.add_column(name, no_wrap=True)
    for name in ("days", "calls now", "then", "cost now", "then", "moves"):
        table.add_column(name, justify="right", no_wrap=True)
    for change in changes:
        table.add_row(
            REASONS[change.reason],
            str(change.first),
            str(change.last),
            f"{change.days:,}",
            f"{change.attempts_now:,}",
            f"{change.attempts_then:,}",
            f"${change.cost_now_usd:,.2f}",
            f"${change.cost_then_usd:,.2f}",
            f"{change.cost_then_usd - change.cost_now_usd:+,.2f}",
        )
    out.print(table)
