"""The daily job in one process: load, gate, build, deliver."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conftest import MODELS_ONLY, query, run_cli


def _log(path: Path, rows: int, broken: int = 0) -> Path:
    """One call an hour until October 20, 2026; the last `broken` ones have an unknown status."""
    lines = []
    for number in range(rows):
        day, hour = divmod(20 * 24 - rows + number, 24)
        event = {
            "event_id": f"e{number}",
            "started_at": f"2026-10-{day:02}T{hour:02}:00:00Z",
            "provider": "openai",
            "model": "gpt-4o",
            "tenant_id": "acme",
            "endpoint_tag": "search",
            "input_tokens": 1000,
            "output_tokens": 100,
            "status": "sucess" if number >= rows - broken else "success",
        }
        lines.append(json.dumps(event))
    path.write_text("\n".join(lines) + "\n")
    return path


def _config(path: Path) -> Path:
    path.mkdir()
    (path / "budgets.csv").write_text(
        "scope_type,scope_id,period,amount_usd,valid_from\ntenant,acme,monthly,0.10,2026-10-01\n"
    )
    return path


def _run(tmp_path: Path, log: Path, **environment: str):
    return run_cli(
        "run", "--events", log, "--config", tmp_path / "config", "--as-of", "2026-10-20",
        "--db", tmp_path / "spend.duckdb", DAGSTER_HOME=str(tmp_path / "home"), **environment,
    )  # fmt: skip


@pytest.mark.slow
def test_three_percent_of_bad_rows_go_on_and_ten_stop(tmp_path: Path) -> None:
    _config(tmp_path / "config")
    good = _run(tmp_path, _log(tmp_path / "three.jsonl", 100, broken=3))
    assert good.returncode == 0, good.stderr
    assert "warning" in good.stderr
    assert "spend.published.duckdb, for readers" in good.stdout
    assert query(tmp_path / "spend.duckdb", "select count(*) from marts.quarantined_events") == [(3,)]
    before = query(tmp_path / "spend.duckdb", "select count(*) from marts.fct_llm_attempts")
    published = (tmp_path / "spend.published.duckdb").stat().st_ino
    bad = _run(tmp_path, _log(tmp_path / "ten.jsonl", 110, broken=11))
    assert bad.returncode == 1
    errors = [line for line in bad.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert "ten.jsonl" in errors[0]
    assert "sucess" in errors[0]
    assert query(tmp_path / "spend.duckdb", "select count(*) from marts.fct_llm_attempts") == before
    assert (tmp_path / "spend.published.duckdb").stat().st_ino == published
    # what was stopped is taken back, so that the next build does not read it after all
    assert query(tmp_path / "spend.duckdb", "select count(*) from raw.raw_usage_events") == [(100,)]


@pytest.mark.slow
def test_what_a_killed_run_landed_is_still_judged(tmp_path: Path) -> None:
    _config(tmp_path / "config")
    log = _log(tmp_path / "ten.jsonl", 110, broken=11)
    # as a run leaves it that is killed between its load and its verdict
    assert run_cli("load", "--events", log, "--db", tmp_path / "spend.duckdb").returncode == 0
    again = _run(tmp_path, log)
    assert again.returncode == 1
    assert "sucess" in again.stderr
    assert query(tmp_path / "spend.duckdb", "select count(*) from raw.raw_usage_events") == [(0,)]


@pytest.mark.slow
def test_alerts_are_delivered_once_and_wait_for_an_endpoint_that_is_down(tmp_path: Path) -> None:
    received: list[dict] = []
    answer = {"status": 503}

    class Slack(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if answer["status"] == 200:
                received.append(json.loads(body))
            self.send_response(answer["status"])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    _config(tmp_path / "config")
    log, journal = _log(tmp_path / "log.jsonl", 100), tmp_path / "home" / "alerts.jsonl"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slack)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hook = f"http://127.0.0.1:{server.server_port}/services/canary-secret"
    try:
        down = _run(tmp_path, log, LLM_SPEND_SLACK_WEBHOOK_URL=hook, **MODELS_ONLY)
        assert down.returncode == 0, down.stderr
        assert "wait for the next run" in down.stderr
        # 100 calls of 0.0025 + 0.001: 0.35 of a budget of 0.10, so both limits are crossed, and one page tells of them
        (told,) = (json.loads(line) for line in journal.read_text().splitlines())
        assert (told["rule_id"], told["severity"]) == ("budget_warning", "critical")
        assert [below["rule_id"] for below in told["below"]] == ["budget_exceeded"]
        answer["status"] = 200
        up = _run(tmp_path, log, LLM_SPEND_SLACK_WEBHOOK_URL=hook, **MODELS_ONLY)
        assert up.returncode == 0, up.stderr
        again = run_cli(
            "alerts", "deliver", "--db", tmp_path / "spend.duckdb",
            DAGSTER_HOME=str(tmp_path / "home"), LLM_SPEND_SLACK_WEBHOOK_URL=hook,
        )  # fmt: skip
        assert again.returncode == 0, again.stderr
        assert len(received) == 1
        assert len(journal.read_text().splitlines()) == 1
        assert "canary-secret" not in "".join(ran.stdout + ran.stderr for ran in (down, up, again))
    finally:
        server.shutdown()
        server.server_close()
