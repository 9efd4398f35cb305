"""The logging that docs/instrument.md shows, run as it stands there, with a client that fails, then answers."""

import io
import re
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import ROOT, build_models, query

SHOWN = re.search(
    r"run by tests/python/test_instrument.py -->\n```python\n(.*?)```",
    (ROOT / "docs" / "instrument.md").read_text(encoding="utf-8"),
    re.DOTALL,
)


class LimitedError(Exception):
    """What an SDK raises at HTTP 429."""

    status_code = 429


class Client:
    """As much of OpenAI's client as the logging uses: every other call is refused."""

    def __init__(self) -> None:
        self.calls = 0
        self.chat = self.completions = self

    def with_options(self, max_retries: int) -> "Client":
        assert max_retries == 0
        return self

    def create(self, model: str, messages: list[dict[str, str]]) -> SimpleNamespace:
        self.calls += 1
        if self.calls % 2:
            raise LimitedError
        usage = SimpleNamespace(
            prompt_tokens=1000,
            completion_tokens=100,
            prompt_tokens_details=SimpleNamespace(cached_tokens=400),
            completion_tokens_details=SimpleNamespace(reasoning_tokens=0),
        )
        return SimpleNamespace(id=f"chatcmpl-{uuid.uuid4().hex}", model=f"{model}-2024-07-18", usage=usage)


@pytest.mark.slow
def test_the_shown_logging_gives_requests_with_their_retries(tmp_path: Path) -> None:
    assert SHOWN
    shown: dict[str, object] = {}
    exec(SHOWN[1], shown)
    written = io.StringIO()
    shown["ask"](Client(), "Where is my parcel?", "acme", "jo@acme.example", b"salt", written)  # type: ignore[operator]
    log = tmp_path / "calls.jsonl"
    log.write_text(written.getvalue(), encoding="utf-8")
    assert "jo@acme" not in written.getvalue()
    build_models(tmp_path / "spend.duckdb", log, "fct_llm_requests")
    ((tenant, endpoint, attempts, outcome, cost),) = query(
        tmp_path / "spend.duckdb",
        "select tenant_id, endpoint_tag, attempts, outcome, cost_usd from marts.fct_llm_requests",
    )
    # 600 plain at $0.15, 400 cached at $0.075, 100 out at $0.60 per million
    assert (tenant, endpoint, attempts, outcome, float(cost)) == ("acme", "support.reply", 2, "success", 0.00018)
