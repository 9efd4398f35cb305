"""How an error that a person can cause looks in Dagster."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from llm_spend.errors import UserError


@contextmanager
def one_line_failures() -> Iterator[None]:
    """A UserError fails the step with its one line; wrong input is not tried again, a busy database is."""
    try:
        yield
    except UserError as error:
        raise dg.Failure(str(error), allow_retries=error.exit_code == 1) from None
