"""One HTTP post that is retried within a time budget, and whose address is a secret."""

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util.retry import Retry

from llm_spend.alerts.outbox import SENT, Outcome

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse
    from urllib3.connectionpool import ConnectionPool

CONNECT_SECONDS = 5
READ_SECONDS = 10
BACKOFF_FACTOR = 0.5
TOO_MANY_REQUESTS = 429

_LOGGERS_THAT_NAME_ADDRESSES = ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")


class _BoundedRetry(Retry):
    """Retries while the next wait, a Retry-After included, ends before `deadline` (monotonic seconds)."""

    def __init__(self, *args: object, deadline: float, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.deadline = deadline

    def new(self, **changes: object) -> "_BoundedRetry":
        return super().new(deadline=self.deadline, **changes)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: "BaseHTTPResponse | None" = None,
        error: Exception | None = None,
        _pool: "ConnectionPool | None" = None,
        _stacktrace: TracebackType | None = None,
    ) -> "_BoundedRetry":
        following = super().increment(method, url, response, error, _pool, _stacktrace)
        asked = self.get_retry_after(response) if response else None
        if time.monotonic() + (asked or following.get_backoff_time()) > self.deadline:
            raise MaxRetryError(_pool, url, error)
        return following


def post_json(url: str, body: object, budget_seconds: float) -> Outcome:
    """Post an object as JSON; see `post`."""
    return post(url, json.dumps(body).encode(), budget_seconds)


def post(url: str, body: bytes, budget_seconds: float, headers: Mapping[str, str] | None = None) -> Outcome:
    """Post JSON once, and again on 429 (after Retry-After), 5xx and network errors while the budget lasts.

    2xx is sent. What may work later is pending: 429, 5xx, network. Any other status is dead. The last try may outlast
    the budget by one time-out.
    """
    retry = _BoundedRetry(
        total=None,
        allowed_methods=None,
        status_forcelist={TOO_MANY_REQUESTS, *range(500, 600)},
        backoff_factor=BACKOFF_FACTOR,
        raise_on_status=False,
        deadline=time.monotonic() + budget_seconds,
    )
    with requests.Session() as session, _unlogged():
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        try:
            response = session.post(
                url,
                data=body,
                headers={"Content-Type": "application/json", **(headers or {})},
                timeout=(min(CONNECT_SECONDS, budget_seconds), min(READ_SECONDS, budget_seconds)),
                allow_redirects=False,
                # The status says it all: a body that never ends is not read.
                stream=True,
            )
            status, retry_after = response.status_code, response.headers.get("Retry-After")
            response.close()
        except requests.RequestException as error:
            return Outcome("pending", type(error).__name__)
    if 200 <= status < 300:
        return SENT
    if status == TOO_MANY_REQUESTS or status >= 500:
        return Outcome("pending", f"HTTP {status}", _seconds(retry_after))
    return Outcome("dead", f"HTTP {status}")


def _seconds(retry_after: str | None) -> float | None:
    try:
        return float(Retry().parse_retry_after(retry_after)) if retry_after else None
    except InvalidHeader:
        return None


@contextmanager
def _unlogged() -> Iterator[None]:
    """urllib3 writes the path of a failed request into its warnings."""

    def refuse(_record: logging.LogRecord) -> bool:
        return False

    loggers = [logging.getLogger(name) for name in _LOGGERS_THAT_NAME_ADDRESSES]
    for logger in loggers:
        logger.addFilter(refuse)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(refuse)


@contextmanager
def silent() -> Iterator[None]:
    """No logger of this process writes: any library may be at work, and name an address."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
