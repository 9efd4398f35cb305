"""Fetches the days of a provider's reports that are not here yet, or not final, a month at a time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from dlt.sources.helpers.rest_client import RESTClient

from llm_spend.bills.client import ReportMissingError, client, rows
from llm_spend.bills.providers import Provider, Report
from llm_spend.bills.tables import Row, Table
from llm_spend.bills.warehouse import Changes, Warehouse
from llm_spend.errors import UserError

CHUNK_DAYS = 31
"""What a kill can lose: one page of most reports."""

Progress = Callable[[str, float], None]
"""Told what is being fetched, and the share of days done."""


@dataclass(frozen=True)
class FetchReport:
    """`days` were fetched of all from `first` to `last`; the others are final and were here. `changes` are by the name
    of the report, `missing` the endpoints that the organization does not have.
    """

    first: date
    last: date
    days: int
    changes: Mapping[str, Changes]
    missing: tuple[str, ...]


def fetch(
    provider: Provider,
    warehouse: Warehouse,
    since: date | None,
    until: date | None,
    now: datetime,
    again: bool = False,
    progress: Progress = lambda _message, _share: None,
) -> FetchReport:
    """Bring the days from `since` to `until` (both included; yesterday unless it says) up to date.

    `now` is aware. Without `since` it goes on from the first day ever fetched; `again` reads final days, too. Each
    chunk of days is whole in the warehouse before the next is asked for. UserError for a range that cannot be.
    """
    today = now.astimezone(UTC).date()
    connection = client(provider)
    have = warehouse.fetched_days(provider.name, provider.report_names)
    first, last = _range(provider, since or min(have, default=None), until, today)
    chunks = days_to_fetch({} if again else have, first, last, provider.final_after_days)
    missing: dict[Report, None] = {}
    days_done, days = 0, sum((end - start).days for start, end in chunks)
    for start, end in chunks:
        progress(f"{provider.name} {start} to {end - timedelta(days=1)}", days_done / days)
        warehouse.replace(
            {table: _rows_of(connection, provider, table, start, end, missing) for table in _tables(provider)}
        )
        covered = [start + timedelta(days=day) for day in range((end - start).days)]
        warehouse.mark_fetched(provider.name, provider.report_names, covered, now)
        days_done += len(covered)
    return FetchReport(
        first,
        last,
        days,
        {name: warehouse.changes(table) for table, name in _tables(provider).items()},
        tuple(report.title for report in missing),
    )


def days_to_fetch(
    have: Mapping[date, datetime], first: date, last: date, final_after_days: int
) -> list[tuple[date, date]]:
    """Ranges `[start, end)` of at most CHUNK_DAYS: the days that were never fetched after they were final."""
    chunks: list[tuple[date, date]] = []
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        if day in have and have[day] >= _final_at(day, final_after_days):
            continue
        if chunks and chunks[-1][1] == day and (day - chunks[-1][0]).days < CHUNK_DAYS:
            chunks[-1] = (chunks[-1][0], day + timedelta(days=1))
        else:
            chunks.append((day, day + timedelta(days=1)))
    return chunks


def _final_at(day: date, final_after_days: int) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(days=1 + final_after_days)


def _range(provider: Provider, since: date | None, until: date | None, today: date) -> tuple[date, date]:
    if since is None:
        raise UserError(
            f"--since is missing: no day of {provider.name} is here yet; name the first one, such as"
            f" --since {today.year}-01-01"
        )
    last = until or today - timedelta(days=1)
    for option, day in (("--since", since), ("--until", last)):
        if day > today:
            raise UserError(f"{option} {day}: has not come yet; today is {today}, UTC")
    if until and since > until:
        raise UserError(f"--until {until} is before the first day, {since}")
    return since, last


def _tables(provider: Provider) -> dict[Table, str]:
    return {report.table: report.name for report in provider.reports}


def _rows_of(
    connection: RESTClient, provider: Provider, table: Table, first: date, end: date, missing: dict[Report, None]
) -> Iterator[list[Row]]:
    for report in provider.reports:
        if report.table is not table or report in missing:
            continue
        try:
            yield from rows(connection, provider, report, first, end)
        except ReportMissingError:
            missing[report] = None
