"""What a person reads at the end of a run. Every number is a mart's; this module only lays them out."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from pathlib import Path

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from llm_spend.database import connect

_TOP = 5
_BUDGETS = 8
_ALERTS = 8
_TOPS = {"tenant": "Top tenants", "endpoint": "Top endpoints", "model": "Top models"}


@dataclass(frozen=True)
class Section:
    """One table of the summary: a title, column headings, and rows of text.

    A heading's leading `>` aligns right; a leading `~` lets its long names fold.
    """

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""


def print_summary(console: Console, database: Path) -> None:
    """Print the summary of the marts in `database`."""
    with connect(database, read_only=True) as connection:
        blocks = [
            headline(connection),
            *(_lines(_top(connection, entity_type, title)) for entity_type, title in _TOPS.items()),
            change_drivers(connection),
            prompt_versions(connection),
            _lines(_retries(connection)),
            _lines(_budgets(connection)),
            _lines(_losses(connection)),
            _lines(_bills(connection)),
            _lines(_unpriced(connection)),
            _lines(_gaps(connection)),
            _lines(_alerts(connection)),
            coverage(connection),
        ]
    for block in blocks:
        if block:
            console.print()
        for line in block:
            console.print(line, highlight=False)


def headline(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """In-scope spend and its period, and what stands beside it, an amount a line."""
    first, last, cost, wasted, requests, attempts, without_cost = _one(
        connection,
        """
        select min(usage_date), max(usage_date), coalesce(sum(cost_usd), 0), coalesce(sum(wasted_cost_usd), 0),
            coalesce(sum(requests), 0), coalesce(sum(attempts), 0), coalesce(sum(attempts_without_cost), 0)
        from marts.entity_daily_spend where entity_type = 'total'
        """,
    )
    (outside,) = _one(connection, "select coalesce(sum(cost_usd), 0) from marts.out_of_scope_spend")
    period = f"{first} to {last}: " if first else ""
    lines = [(usd(cost), f"{period}{count(requests, 'request')} in {count(attempts, 'attempt')}")]
    if wasted:
        lines.append((usd(wasted), "of it wasted on attempts that answered nothing"))
    if outside:
        lines.append((usd(outside), "beside it, outside production: staging, development, tests"))
    if without_cost:
        lines.append((f"{without_cost:,}", "attempts without a known cost, not in it"))
    width = max(len(amount) for amount, _ in lines)
    return [f"[bold]{amount:>{width}}[/bold]  {meaning}" for amount, meaning in lines]


def coverage(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Where every raw row went, and why some were refused."""
    raw, gone, accepted, duplicates, quarantined, rejected, merged, left_out = _one(
        connection,
        """
        select sum(raw_rows), sum(raw_rows_gone), sum(accepted_rows), sum(duplicate_rows), sum(quarantined_rows),
            sum(rejected_rows), sum(merged_rows), sum(left_out_rows)
        from marts.spend_coverage
        """,
    )
    lines = [
        f"[bold]Rows[/bold]    {accepted:,} accepted + {duplicates:,} duplicates + {quarantined:,} quarantined"
        f" + {rejected:,} rejected"
        + (f" + {merged:,} of calls that another record has" if merged else "")
        + (f" + {left_out:,} that are no calls" if left_out else "")
        + f" = {raw:,} raw"
        + (f" + {gone:,} deleted since" if gone else "")
    ]
    if quarantined + rejected:
        lines.append("        [dim]marts.quarantined_events says which, where and why[/dim]")
    return lines


def _top(connection: duckdb.DuckDBPyConnection, entity_type: str, title: str) -> Section:
    rows = connection.execute(
        """
        with spend as (
            select *, max(usage_date) over () - usage_date as days_ago
            from marts.entity_daily_spend where entity_type = $1
        )
        select entity_id, sum(cost_usd), sum(cost_usd) / nullif(sum(sum(cost_usd)) over (), 0), sum(requests),
            coalesce(sum(cost_usd) filter (days_ago < 7), 0),
            coalesce(sum(cost_usd) filter (days_ago between 7 and 13), 0),
            count(*) over ()
        from spend group by entity_id order by 2 desc, 1 limit $2
        """,
        [entity_type, _TOP],
    ).fetchall()
    count = rows[0][6] if rows else 0
    if count == 1 and rows[0][0] == "(unattributed)":
        return Section(title, (), [])  # a list of one nobody says nothing
    return Section(
        title,
        ("~" + entity_type, ">spend", ">share", ">requests", ">last 7 days", ">week before"),
        [
            (name, usd(cost), _percent(share), f"{requests:,}", usd(week), usd(before))
            for name, cost, share, requests, week, before, _ in rows
        ],
        f"{count - _TOP} more in marts.entity_daily_spend" if count > _TOP else "",
    )


def change_drivers(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Why the last whole week cost more or less than the one before, largest driver first."""
    rows = connection.execute(
        """
        select driver, cost_change_usd, total_change_usd, period_start from marts.spend_change_drivers
        where period_type = 'week' and entity_type = 'total'
        qualify period_start = max(period_start) over ()
        order by abs(cost_change_usd) desc, driver
        """
    ).fetchall()
    if not rows:
        return []
    _, _, total, week = rows[0]
    drivers = ", ".join(f"{_DRIVER[driver]} {usd(change, sign=True)}" for driver, change, _, _ in rows)
    return [f"[bold]Week of {week} against the week before: {usd(total, sign=True)}[/bold]", f"  {drivers}"]


_DRIVER = {
    "volume": "requests",
    "retries": "retries",
    "model_mix": "model mix",
    "quantities": "tokens per call",
    "unit_price": "prices",
    "new": "new",
    "gone": "gone",
}


def prompt_versions(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Two lines for each new prompt version: how cost per request moved, and on what evidence."""
    rows = connection.execute(
        """
        select endpoint_tag, prompt_version, predecessor, first_seen_date, requests_before, requests_after,
            cost_per_request_ratio - 1, cost_per_request_lower_ratio - 1, cost_per_request_upper_ratio - 1,
            rollback_savings_per_30_days_usd, verdict
        from marts.prompt_version_deltas
        order by
            case verdict when 'regression' then 1 when 'improvement' then 2 when 'no_clear_change' then 3 else 4 end,
            abs(rollback_savings_per_30_days_usd) desc nulls last, endpoint_tag, prompt_version
        limit $1
        """,
        [_TOP],
    ).fetchall()
    lines = ["[bold]Prompt versions: cost per request, with its 99 % bounds[/bold]"] if rows else []
    for endpoint, version, predecessor, since, before, after, change, lower, upper, rollback, verdict in rows:
        moved = (
            f"{percent_change(change)} ({percent_change(lower)} … {percent_change(upper)})"
            if change is not None
            else "unknown"
        )
        evidence = f"{before:,} → {after:,} requests around {since}, against {escape(predecessor)}"
        if verdict == "regression":
            evidence += f"; going back saves {usd(rollback)} in 30 days"
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
        ("~endpoint", ">attempts/request", ">wasted", ">share", "worst day", ">that day"),
        [
            (endpoint, f"{multiplier:.2f}", usd(wasted), _percent(share), str(day), f"{worst:.2f}")
            for endpoint, multiplier, wasted, share, day, worst in rows
        ],
    )


def _budgets(connection: duckdb.DuckDBPyConnection) -> Section:
    rows = connection.execute(
        """
        select case when scope_type = 'total' then 'total' else scope_type || ' ' || scope_id end
                || case when traffic = 'all' and scope_type != 'api_key' then ', all traffic' else '' end,
            period, amount_usd, spent_usd, projected_usd, status, coalesce(owner, '')
        from marts.budget_status where is_current
        order by case status when 'exceeded' then 1 when 'forecast_exceeded' then 2 when 'warning' then 3 else 4 end,
            spent_share_ratio desc nulls last, 1, 2
        """
    ).fetchall()
    return Section(
        "Budgets in their running period",
        ("~budget", "period", ">spent", ">of", ">projected", "status"),
        [
            (name, period, usd(spent), usd(amount), usd(projected), _STATUS[status])
            for name, period, amount, spent, projected, status, _ in rows[:_BUDGETS]
        ],
        "\n  ".join(
            [f"{owner} owns {', '.join(names)}" for owner, names in _owners(rows[:_BUDGETS]).items()]
            + [f"{len(rows) - _BUDGETS} more in marts.budget_status"] * (len(rows) > _BUDGETS)
        ),
    )


def _owners(budgets: list[tuple]) -> dict[str, list[str]]:
    """Who must act, and on which of the budgets that are not ok."""
    owners: dict[str, list[str]] = {}
    for name, *_, status, owner in budgets:
        if status != "ok" and owner:
            owners.setdefault(owner, []).append(name)
    return owners


_STATUS = {
    "exceeded": "[red]exceeded[/red]",
    "forecast_exceeded": "[yellow]will exceed[/yellow]",
    "warning": "[yellow]warning[/yellow]",
    "ok": "[green]ok[/green]",
}


def _losses(connection: duckdb.DuckDBPyConnection) -> Section:
    rows = connection.execute(
        """
        select tenant_id, strftime(usage_month, '%Y-%m'), total_cost_usd, revenue_usd, margin_usd
        from marts.tenant_margin where margin_usd < 0
        qualify usage_month = max(usage_month) over ()
        order by margin_usd, tenant_id
        """
    ).fetchall()
    return Section(
        "Tenants that cost more than they pay",
        ("~tenant", "month", ">cost", ">pays", ">margin"),
        [(tenant, month, usd(cost), usd(pays), usd(margin)) for tenant, month, cost, pays, margin in rows[:_TOP]],
        f"{len(rows) - _TOP} more in marts.tenant_margin" if len(rows) > _TOP else "",
    )


def _bills(connection: duckdb.DuckDBPyConnection) -> Section:
    rows = connection.execute(
        f"""
        select provider, strftime(usage_month, '%Y-%m'), billed_cost_usd, our_cost_usd, matched_ratio, explained_ratio,
            status, {", ".join(f"{cause}_usd" for cause in _CAUSE)}
        from marts.monthly_reconciliation
        qualify usage_month >= max(usage_month) over () - interval 2 month
        order by provider, usage_month
        """
    ).fetchall()
    causes = {cause: sum(usd) for cause, *usd in zip(_CAUSE, *(row[7:] for row in rows), strict=True)}
    largest = sorted(causes.items(), key=lambda cause: -abs(cause[1]))[:_TOP]
    return Section(
        "Against the providers' bills",
        ("provider", "month", ">billed", ">logged", ">matched", ">explained", "status"),
        [
            (provider, month, usd(billed), usd(logged), _percent(matched), _percent(explained), _RECONCILED[status])
            for provider, month, billed, logged, matched, explained, status, *_ in rows
        ],
        ", ".join(f"{_CAUSE[cause]} {usd(amount, sign=True)}" for cause, amount in largest if amount)
        + "\n  by day, project, key and model: marts.provider_reconciliation",
    )


_CAUSE = {
    "coverage": "missing calls",
    "tokens": "tokens",
    "price": "prices",
    "non_token": "other usage",
    "fixed": "fixed charges",
    "timing": "timing",
    "unexplained": "unexplained",
}

_RECONCILED = {"reconciled": "[green]reconciled[/green]", "gap": "[yellow]gap[/yellow]", "open": "open"}


def _unpriced(connection: duckdb.DuckDBPyConnection) -> Section:
    rows = connection.execute(
        """
        select case when provider = '(unattributed)' then model else provider || ' ' || model end, cost_status,
            sum(attempts), sum(input_tokens + output_tokens), min(first_started_at)::date, max(last_started_at)::date,
            max(nearest_models), count(*) over ()
        from marts.unpriced_usage group by 1, 2 order by 4 desc, 1 limit $1
        """,
        [_TOP],
    ).fetchall()
    more = rows[0][7] - _TOP if rows else 0
    similar = next(
        (f"{name.rsplit('/')[-1]} resembles {near.split(', ')[0]}" for name, *_, near, _ in rows if near), ""
    )
    notes = [escape(similar), f"{more} more in marts.unpriced_usage, with what to add" if more > 0 else ""]
    return Section(
        "Not in the spend above: usage without a known cost",
        ("~model", "why", ">attempts", ">tokens", "first", "last"),
        [
            (name, status.replace("_", " "), f"{attempts:,}", f"{tokens:,}", str(first), str(last))
            for name, status, attempts, tokens, first, last, *_ in rows
        ],
        "\n  ".join(filter(None, notes)),
    )


def _gaps(connection: duckdb.DuckDBPyConnection) -> Section:
    rows = connection.execute(
        """
        select started_at, case when provider = '(unattributed)' then model else provider || ' ' || model end,
            coalesce(input_tokens, 0) + coalesce(output_tokens, 0), reported_cost_usd, cost_usd, count(*) over ()
        from marts.reported_cost_gaps order by abs(gap_usd) desc, event_id limit 3
        """
    ).fetchall()
    more = rows[0][5] - len(rows) if rows else 0
    return Section(
        "Reported cost far from the price list",
        ("call", "~model", ">tokens", ">reported", ">computed"),
        [
            (f"{at:%Y-%m-%d %H:%M}", model, f"{tokens:,}", usd(reported), usd(cost))
            for at, model, tokens, reported, cost, _ in rows
        ],
        "the bill uses the computed cost" + (f"; {more:,} more in marts.reported_cost_gaps" if more else ""),
    )


def _alerts(connection: duckdb.DuckDBPyConnection) -> Section:
    rows = connection.execute(
        """
        select rule_id,
            case when entity_type in ('total', 'prompt_version') then '' else entity_type || ' ' end || entity_id,
            severity, opened_at, resolved_at, impact_usd, count(*) over (), count(*) filter (status = 'open') over ()
        from marts.alerts
        where is_page
        order by status, case severity when 'critical' then 1 when 'warning' then 2 else 3 end, opened_at desc, alert_id
        limit $1
        """,
        [_ALERTS],
    ).fetchall()
    found, still_open = rows[0][6:] if rows else (0, 0)
    return Section(
        f"Alerts: {still_open} open, {found - still_open} resolved",
        ("severity", "~what", "known since", "resolved", ">at stake"),
        [
            (
                _SEVERITY[severity],
                f"{rule.replace('_', ' ')}: {about}",
                f"{opened:%Y-%m-%d}" if opened.time() == time() else f"{opened:%Y-%m-%d %H:%M}",
                f"{resolved:%Y-%m-%d}" if resolved else "",
                usd(impact),
            )
            for rule, about, severity, opened, resolved, impact, *_ in rows
        ],
        (f"{found - _ALERTS} more; " if found > _ALERTS else "") + "why, and what to do: llm-spend alerts list",
    )


_SEVERITY = {"critical": "[red]critical[/red]", "warning": "[yellow]warning[/yellow]", "info": "info"}


def _lines(section: Section) -> list[Table | str]:
    """The section as things to print; none when it has no rows."""
    if not section.rows:
        return []
    table = Table(title=section.title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for heading in section.headings:
        table.add_column(
            heading.lstrip(">~"),
            justify="right" if heading.startswith(">") else "left",
            no_wrap=not heading.startswith("~"),
            overflow="fold",
        )
    for row in section.rows:
        table.add_row(*row)
    return [table, f"  [dim]{section.note}[/dim]"] if section.note else [table]


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple:
    return connection.execute(query).fetchone()


def count(number: int, noun: str) -> str:
    """`1 event`, `2,000 events`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def usd(amount: Decimal | None, sign: bool = False) -> str:
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


def percent_change(ratio: float | None) -> str:
    """`+12.5%`; nothing for an unknown change."""
    return "" if ratio is None else f"{ratio:+.1%}"
