"""What a person reads at the end of a run. Every number is a mart's; this module only lays them out."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from llm_spend.database import connect

_TOP = 5
_BUDGETS = 8


@dataclass(frozen=True)
class Section:
    """One table of the summary: a title, column headings (a leading `>` aligns right), and rows of text."""

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""


def print_summary(console: Console, database: Path) -> None:
    """Print the summary of the marts in `database`."""
    with connect(database, read_only=True) as connection:
        console.print()
        console.print(headline(connection))
        for section in sections(connection):
            console.print()
            console.print(_table(section))
            if section.note:
                console.print(f"  [dim]{section.note}[/dim]")
        versions = prompt_versions(connection)
        if versions:
            console.print("\n[bold]Prompt versions: cost per request, with its 99 % interval[/bold]")
            for line in versions:
                console.print(line, highlight=False)
        console.print()
        console.print(coverage(connection))


def headline(connection: duckdb.DuckDBPyConnection) -> str:
    """Total in-scope spend, its period, and what stands beside it."""
    first, last, cost, wasted, requests, attempts, without_cost = _one(
        connection,
        """
        select min(usage_date), max(usage_date), coalesce(sum(cost_usd), 0), coalesce(sum(wasted_cost_usd), 0),
            coalesce(sum(requests), 0), coalesce(sum(attempts), 0), coalesce(sum(attempts_without_cost), 0)
        from marts.entity_daily_spend where entity_type = 'total'
        """,
    )
    (outside,) = _one(connection, "select coalesce(sum(cost_usd), 0) from marts.out_of_scope_spend")
    if first is None:
        return f"[bold]No production traffic yet.[/bold] Outside production: {_usd(outside)}."
    text = (
        f"[bold]{_usd(cost)}[/bold] from {first} to {last}: {requests:,} requests in {attempts:,} attempts,"
        f" {_usd(wasted)} of it wasted on attempts that answered nothing."
    )
    if without_cost:
        text += f" {without_cost:,} attempts have no known cost and are not in it."
    if outside:
        text += f" Beside it {_usd(outside)} outside production."
    return text


def sections(connection: duckdb.DuckDBPyConnection) -> list[Section]:
    """The tables that have something to say, in reading order."""
    candidates = [
        _top(connection, "tenant", "Top tenants"),
        _top(connection, "endpoint", "Top endpoints"),
        _top(connection, "model", "Top models"),
        _retries(connection),
        _budgets(connection),
        _unpriced(connection),
        _gaps(connection),
    ]
    return [section for section in candidates if section.rows]


def coverage(connection: duckdb.DuckDBPyConnection) -> str:
    """Where every raw row went, in one line, and the reasons of those refused."""
    raw, accepted, duplicates, quarantined, rejected = _one(
        connection,
        """
        select sum(raw_rows), sum(accepted_rows), sum(duplicate_rows), sum(quarantined_rows), sum(rejected_rows)
        from marts.spend_coverage
        """,
    )
    text = (
        f"[bold]Rows[/bold]  {accepted:,} accepted + {duplicates:,} duplicates + {quarantined:,} quarantined"
        f" + {rejected:,} rejected = {raw:,} raw"
    )
    if not quarantined + rejected:
        return text
    reasons = connection.execute(
        """
        select case when outcome = 'rejected' then 'not parsed' else reason end, count(*)
        from marts.quarantined_events group by 1 order by 2 desc, 1
        """
    ).fetchall()
    listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons)
    return f"{text}\n      [dim]refused: {listed} (marts.quarantined_events)[/dim]"


def _top(connection: duckdb.DuckDBPyConnection, entity_type: str, title: str) -> Section:
    rows = connection.execute(
        """
        with spend as (
            select *, usage_date > max(usage_date) over () - 7 as is_last_week,
                usage_date > max(usage_date) over () - 14 and usage_date <= max(usage_date) over () - 7 as is_week_before
            from marts.entity_daily_spend where entity_type = $1
        )
        select entity_id, sum(cost_usd), sum(cost_usd) / nullif(sum(sum(cost_usd)) over (), 0), sum(requests),
            sum(case when is_last_week then cost_usd else 0 end), sum(case when is_week_before then cost_usd else 0 end),
            count(*) over ()
        from spend group by entity_id order by 2 desc, 1 limit $2
        """,
        [entity_type, _TOP],
    ).fetchall()
    count = rows[0][6] if rows else 0
    if count == 1 and rows[0][0] == "(unattributed)":
        return Section(title, (), [])
    return Section(
        title,
        (entity_type, ">spend", ">share", ">requests", ">last 7 days", ">week before"),
        [
            (name, _usd(cost), _percent(share), f"{requests:,}", _usd(week), _usd(before))
            for name, cost, share, requests, week, before, _ in rows
        ],
        f"{count - _TOP} more in marts.entity_daily_spend" if count > _TOP else "",
    )


def prompt_versions(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Two lines for each new prompt version: how cost per request moved, and on what evidence."""
    rows = connection.execute(
        """
        select endpoint_tag, prompt_version, predecessor, first_seen_date, requests_before, requests_after,
            cost_per_request_ratio - 1, cost_per_request_lower_ratio - 1, cost_per_request_upper_ratio - 1,
            rollback_savings_per_30_days_usd, verdict
        from marts.prompt_version_deltas
        order by case verdict when 'regression' then 1 when 'improvement' then 2 when 'no_clear_change' then 3 else 4 end,
            abs(rollback_savings_per_30_days_usd) desc nulls last, endpoint_tag, prompt_version
        limit $1
        """,
        [_TOP],
    ).fetchall()
    lines = []
    for endpoint, version, predecessor, since, before, after, change, lower, upper, rollback, verdict in rows:
        moved = f"{_change(change)} ({_change(lower)} … {_change(upper)})" if change is not None else "unknown"
        evidence = f"{before:,} → {after:,} requests around {since}, against {escape(predecessor)}"
        if verdict == "regression":
            evidence += f"; going back saves {_usd(rollback)} in 30 days"
        lines += [
            f"{escape(endpoint)}  [bold]{escape(version)}[/bold]  {moved}  {_VERDICT[verdict]}",
            f"  [dim]{evidence}[/dim]",
        ]
    return lines


_VERDICT = {
    "regression": "[red]regression[/red]",
    "improvement": "[green]improvement[/green]",
    "no_clear_change": "no clear change",
    "insufficient_data": "[dim]insufficient data[/dim]",
}


def _retries(connection: duckdb.DuckDBPyConnection) -> Section:
    rows = connection.execute(
        """
        select entity_id, sum(attempts) / nullif(sum(requests), 0), sum(wasted_cost_usd),
            sum(wasted_cost_usd) / nullif(sum(cost_usd), 0), arg_max(usage_date, retry_multiplier_ratio),
            max(retry_multiplier_ratio)
        from marts.retry_multipliers where entity_type = 'endpoint'
        group by entity_id having sum(wasted_cost_usd) > 0 order by 3 desc, 1 limit $1
        """,
        [_TOP],
    ).fetchall()
    return Section(
        "Retries: what they multiply",
        ("endpoint", ">attempts/request", ">wasted", ">share", "worst day", ">that day"),
        [
            (endpoint, f"{multiplier:.2f}", _usd(wasted), _percent(share), str(day), f"{worst:.2f}")
            for endpoint, multiplier, wasted, share, day, worst in rows
        ],
    )


def _budgets(connection: duckdb.DuckDBPyConnection) -> Section:
    rows = connection.execute(
        """
        select case when scope_type = 'total' then 'total' else scope_type || ' ' || scope_id end, period, amount_usd,
            spent_usd, projected_usd, status, coalesce(owner, '')
        from marts.budget_status where is_current
        order by case status when 'exceeded' then 1 when 'forecast_exceeded' then 2 when 'warning' then 3 else 4 end,
            spent_share_ratio desc nulls last, 1, 2
        """
    ).fetchall()
    return Section(
        "Budgets in their running period",
        ("budget", "period", ">spent", ">of", ">projected", "status"),
        [
            (name, period, _usd(spent), _usd(amount), _usd(projected), _STATUS[status])
            for name, period, amount, spent, projected, status, _ in rows[:_BUDGETS]
        ],
        "\n  ".join(
            [f"{name}: {owner} owns it" for name, *_, status, owner in rows[:_BUDGETS] if status != "ok" and owner]
            + [f"{len(rows) - _BUDGETS} more in marts.budget_status"] * (len(rows) > _BUDGETS)
        ),
    )


_STATUS = {
    "exceeded": "[red]exceeded[/red]",
    "forecast_exceeded": "[yellow]will exceed[/yellow]",
    "warning": "[yellow]warning[/yellow]",
    "ok": "[green]ok[/green]",
}


def _unpriced(connection: duckdb.DuckDBPyConnection) -> Section:
    rows = connection.execute(
        """
        select case when provider = '(unattributed)' then model else provider || ' ' || model end, cost_status,
            sum(attempts), sum(input_tokens + output_tokens), min(first_started_at)::date, max(last_started_at)::date,
            count(*) over ()
        from marts.unpriced_usage group by 1, 2 order by 4 desc, 1 limit $1
        """,
        [_TOP],
    ).fetchall()
    more = rows[0][6] - _TOP if rows else 0
    return Section(
        "Not in the bill above: usage without a known cost",
        ("model", "why", ">attempts", ">tokens", "first", "last"),
        [
            (name, status.replace("_", " "), f"{attempts:,}", f"{tokens:,}", str(first), str(last))
            for name, status, attempts, tokens, first, last, _ in rows
        ],
        f"{more} more in marts.unpriced_usage" if more > 0 else "",
    )


def _gaps(connection: duckdb.DuckDBPyConnection) -> Section:
    rows = connection.execute(
        """
        select started_at, case when provider = '(unattributed)' then model else provider || ' ' || model end, input_tokens, output_tokens,
            reported_cost_usd, cost_usd, gap_usd, count(*) over ()
        from marts.reported_cost_gaps order by abs(gap_usd) desc, event_id limit 3
        """
    ).fetchall()
    more = rows[0][7] - len(rows) if rows else 0
    return Section(
        "Reported cost far from the price list",
        ("call", "model", ">input tokens", ">output tokens", ">reported", ">computed", ">gap"),
        [
            (f"{at:%Y-%m-%d %H:%M:%S}", model, f"{tokens_in or 0:,}", f"{tokens_out or 0:,}", _usd(reported), _usd(cost), _usd(gap, sign=True))
            for at, model, tokens_in, tokens_out, reported, cost, gap, _ in rows
        ],
        f"{more:,} more in marts.reported_cost_gaps; the bill uses the computed cost" if more > 0 else "",
    )  # fmt: skip


def _table(section: Section) -> Table:
    table = Table(title=section.title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for heading in section.headings:
        is_number = heading.startswith(">")
        table.add_column(
            heading.removeprefix(">"), justify="right" if is_number else "left", no_wrap=is_number, overflow="fold"
        )
    for row in section.rows:
        table.add_row(*row)
    return table


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple:
    return connection.execute(query).fetchone()


def _usd(amount: Decimal | None, sign: bool = False) -> str:
    """Dollars to the cent; small amounts to the first two digits that say something."""
    if amount is None:
        return ""
    prefix = ("-" if amount < 0 else "+" if sign and amount > 0 else "") + "$"
    size = abs(amount)
    if size == 0 or size >= Decimal("0.1"):
        return f"{prefix}{size:,.2f}"
    return f"{prefix}{size:,.4f}" if size >= Decimal("0.001") else f"{prefix}{size:,.6f}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _change(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:+.1%}"
