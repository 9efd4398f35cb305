"""Pages of a report API: retried while that may help, numbers exact, the key in no message."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import partial

import requests
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import APIKeyAuth, BearerTokenAuth
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

from llm_spend.bills.providers import Provider, Report, Result
from llm_spend.bills.tables import Row
from llm_spend.errors import UserError

ATTEMPTS = 6
BACKOFF_SECONDS = 1.0
"""Before the second attempt; twice as long before each one after it, unless the API says how long."""

LONGEST_WAIT_SECONDS = 300
TIMEOUT_SECONDS = (10, 60)
MOST_PAGES = 1_000

_NO_SUCH_REPORT = (403, 404)
_NOT_ADMITTED = (401, 403)


class ReportMissingError(Exception):
    """The organization does not have this report, and a bill can do without."""


def client(provider: Provider) -> RESTClient:
    """A client with the admin key. UserError when there is none."""
    key = provider.key()
    retrying = Client(
        request_timeout=TIMEOUT_SECONDS,
        raise_for_status=False,
        retry_condition=_is_broken,
        request_max_attempts=ATTEMPTS,
        request_backoff_factor=BACKOFF_SECONDS,
        request_max_retry_delay=LONGEST_WAIT_SECONDS,
    )
    return RESTClient(
        provider.url(),
        headers=dict(provider.headers),
        auth=APIKeyAuth(provider.key_header, key) if provider.key_header else BearerTokenAuth(key),
        session=retrying.session,
    )


def rows(client: RESTClient, provider: Provider, report: Report, first: date, end: date) -> Iterator[list[Row]]:
    """The rows of the days `[first, end)`, page by page, and at the end each day announced.

    Raises ReportMissingError before the first row, and UserError with exit code 1 for an answer that cannot be used.
    """
    seen = set()
    for buckets in _pages(client, provider, report, first, end):
        page = []
        for day, result in _results(provider, report, buckets):
            if not first <= day < end:
                continue
            try:
                row = report.table.row({**report.says(result), **(report.fixed or {}), "usage_date": day})
            except (KeyError, TypeError, ValueError) as error:
                raise _unexpected(provider, report, f"a result of {day}: {error}") from None
            key = report.table.key(row)
            if key in seen:
                names = ", ".join(str(value) for value in key if value is not None)
                raise _unexpected(provider, report, f"the same group twice: {names}")
            seen.add(key)
            page.append(row)
        yield page
    days = (date.fromordinal(day) for day in range(first.toordinal(), end.toordinal()))
    yield [report.table.announced(usage_date=day, **(report.fixed or {})) for day in days]


def _pages(client: RESTClient, provider: Provider, report: Report, first: date, end: date) -> Iterator[list[Result]]:
    number = 0
    try:
        pages = client.paginate(
            report.path,
            params=provider.parameters(report, first, end),
            paginator=JSONResponseCursorPaginator("next_page", "page", has_more_path="has_more"),
            data_selector="data",
            hooks={"response": [_only_fine_answers, _exact_numbers]},
            # The key goes to nobody that the API names.
            allow_redirects=False,
        )
        for number, page in enumerate(pages, 1):
            if number > MOST_PAGES:
                raise _unexpected(provider, report, f"more than {MOST_PAGES:,} pages for {(end - first).days} days")
            if _is_broken(page.response, None):
                raise _unexpected(provider, report, f"HTTP {page.response.status_code} without a whole page")
            yield page
    except requests.HTTPError as error:
        if error.response.status_code in _NO_SUCH_REPORT and not report.is_needed and not number:
            raise ReportMissingError from None
        raise _refused(provider, report, error.response.status_code) from None
    except (requests.RequestException, ValueError) as error:
        raise UserError(
            f"{_called(provider, report)} cannot be read after {ATTEMPTS} attempts ({_reason(error)}): what came before"
            " is kept, and the same command goes on from there",
            exit_code=1,
        ) from None


def _results(provider: Provider, report: Report, buckets: list[Result]) -> Iterator[tuple[date, Result]]:
    for bucket in buckets:
        try:
            day, results = provider.day_of(bucket), bucket["results"]
        except (KeyError, TypeError, ValueError) as error:
            raise _unexpected(provider, report, f"a bucket without {error}") from None
        for result in results:
            yield day, result


def _is_broken(response: requests.Response | None, _error: BaseException | None) -> bool:
    """Whether an answer that says it is fine is not a whole page."""
    if response is None or response.status_code != requests.codes.ok:
        return False
    try:
        page = response.json()
    except ValueError:
        return True
    if not isinstance(page, dict) or not isinstance(page.get("data"), list):
        return True
    return not isinstance(page.get("has_more"), bool) or (page["has_more"] and not page.get("next_page"))


def _only_fine_answers(response: requests.Response, *_arguments: object, **_options: object) -> None:
    if response.status_code != requests.codes.ok:
        raise requests.HTTPError(response=response)


def _exact_numbers(response: requests.Response, *_arguments: object, **_options: object) -> None:
    response.json = partial(response.json, parse_float=Decimal)


def _called(provider: Provider, report: Report) -> str:
    return f"{provider.name} {report.name} ({provider.url()}/{report.path})"


def _unexpected(provider: Provider, report: Report, what: str) -> UserError:
    return UserError(
        f"{_called(provider, report)} answered what its documentation does not say, {what}: nothing of these days was"
        " changed; try again later",
        exit_code=1,
    )


def _refused(provider: Provider, report: Report, status: int) -> UserError:
    if status in _NOT_ADMITTED:
        return UserError(
            f"{_called(provider, report)} refuses the key in {provider.key_variable} (HTTP {status}): it takes an admin"
            f" key that may read usage and costs, from {provider.key_page}",
            exit_code=1,
        )
    if status == requests.codes.too_many_requests or status >= 500:
        return UserError(
            f"{_called(provider, report)} still answers HTTP {status} after {ATTEMPTS} attempts: what came before is"
            " kept, and the same command goes on from there",
            exit_code=1,
        )
    return UserError(
        f"{_called(provider, report)} answers HTTP {status}: check {provider.url_variable}, or leave it out",
        exit_code=1,
    )


def _reason(error: Exception) -> str:
    """The kind of failure: its text may name more than a message should."""
    return "no whole JSON page" if isinstance(error, ValueError) else type(error).__name__
