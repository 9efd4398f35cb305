"""What all engines share: how they are talked to, and how a server is started and ended."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Row = tuple[object, ...]
SECONDS_TO_START = 60


@dataclass(frozen=True)
class Engine:
    """A running engine: what a dbt target of its name needs, and ways to talk to it."""

    target: str
    environment: dict[str, str]
    execute: Callable[[str], None]
    """Runs statements, separated by semicolons."""
    query: Callable[[str], tuple[list[str], list[Row]]]
    """Column names and rows. Decimals are Decimal, floats float, timestamps naive UTC datetimes."""
    insert: Callable[[str, Sequence[str], Sequence[Row]], None]
    """Rows of Python values into some columns of a table."""
    keep: Callable[[], None]
    """Keeps a copy of everything that is stored now."""
    restore: Callable[[], None]
    """Brings the copy back, whatever was stored since."""
    let_go: Callable[[], None] = lambda: None
    """Ends what would keep another process out."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def end(server: subprocess.Popen, asked: signal.Signals = signal.SIGTERM) -> None:
    """Ask a server to stop, and wait; one that does not in half a minute is killed."""
    if server.poll() is None:
        server.send_signal(asked)
    try:
        server.wait(timeout=30)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def wait_for(
    attempt: Callable[[], None],
    refusal: type[Exception] | tuple[type[Exception], ...],
    server: subprocess.Popen,
    log: Path,
) -> None:
    """Try until the server answers. RuntimeError with the end of its log where it ended, or does not in a minute."""
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            return attempt()
        except refusal as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server does not answer: {error}\n{log.read_text()[-2000:]}") from error
            time.sleep(0.2)


def statements(sql: str) -> list[str]:
    """Statements without comments, for an engine that takes one at a time."""
    lines = [line for line in sql.splitlines() if not line.startswith("--")]
    return [statement for statement in "\n".join(lines).split(";") if statement.strip()]
