"""Prices and the arithmetic of a call as a person reads them, against numbers worked by hand."""

import re
import shutil
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from conftest import query, run_cli
from llm_spend.errors import UserError
from llm_spend.explain import Moment, print_call, read_moment

CALL = "evt-0000074"
"""A call to claude-opus-4-5: 200,000 input tokens, 154,177 of them written to the cache for an hour; 3,243 output."""

HOSTILE = "[red]acme[/red] \x1b[31m[/] 100% [link=http://x]y\\"


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def shown(database: Path, *arguments: object) -> list[str]:
    """What the command prints, blanks run together. It must succeed."""
    result = run_cli(*arguments, "--db", database, COLUMNS="200")
    assert result.returncode == 0, result.stderr
    return lines(result.stdout)


def refused(database: Path, *arguments: object) -> str:
    """The one line of an error that exits with 2 and prints nothing else."""
    result = run_cli(*arguments, "--db", database)
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    return line.removeprefix("error: ")


@pytest.fixture(scope="module")
def changed(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo with calls and prices that it has none of."""
    database = tmp_path_factory.mktemp("explain") / "llm_spend.duckdb"
    shutil.copy(demo, database)
    with duckdb.connect(str(database)) as connection:
        connection.execute("create table call as select * from marts.fct_llm_attempts where event_id = $1", [CALL])
        for event_id, change in {
            CALL: "source = 'gateway', tenant_id = $2, model = $2, endpoint_tag = $2",
            "reported-more": "reported_cost_usd = 2.03716",
            "negotiated": "cost_usd = 1.75, list_cost_usd = 1.85196",
            "as-reported": "cost_status = 'provider_reported', cost_source = 'reported', cost_usd = 2",
            "no-output": "cost_status = 'partial', output_tokens = null",
            "no-breakdown": "cost_status = 'usage_missing', cost_usd = null",
            "cached": "cost_status = 'not_billed', cache_hit = true, cost_usd = 0",
            "eu-batch": "service_tier = 'batch', region = 'EU', reasoning_tokens = 9",
        }.items():
            parameters = [HOSTILE] if "$2" in change else []
            connection.execute(f"update call set event_id = '{event_id}', {change.replace('$2', '$1')}", parameters)
            connection.execute("insert into marts.fct_llm_attempts select * from call")
            connection.execute("delete from call")
            connection.execute(
                "insert into call select * from marts.fct_llm_attempts where event_id = $1 and source = 'app'", [CALL]
            )
        connection.execute("drop table call")
        for model, change in {
            "weekend-model": "weekdays = '0000011', clock_from_minute = 990, clock_to_minute = 1440",
            "agreed-model": "unit_price = 0.0000045, terms = terms || ' - 10 %', source = 'contract', note = '[b]MSA'",
        }.items():
            connection.execute(
                f"""
                create temp table line as select * from marts.dim_model_prices
                where model_id = 'claude-opus-4-5' and provider_id = 'anthropic' and usage_type = 'input'
                    and service_tier = 'default' and region = '' and speed = '';
                update line set model_id = '{model}', {change};
                insert into marts.dim_model_prices select * from line;
                drop table line
                """
            )
    return database


def test_call_is_explained_line_by_line(demo: Path) -> None:
    printed = shown(demo, "explain", CALL)
    assert printed[0] == f"Call {CALL} of app"
    assert "logged 200,000 input tokens (154,177 cache_write, 154,177 cache_write_1h); 3,243 output tokens" in printed
    assert "priced as anthropic claude-opus-4-5" in printed
    # 200,000 - 154,177 = 45,823 × $5/M = 0.229115; 154,177 × $10/M = 1.54177; 3,243 × $25/M = 0.081075; sum 1.85196
    start = printed.index("usage type quantity × price of one = cost in USD price as quoted")
    assert printed[start + 1 : start + 7] == [
        "input 45,823 × 0.000005 = 0.229115 5 USD per 1M tokens",
        "cache_write_1h 154,177 × 0.00001 = 1.54177 10 USD per 1M tokens",
        "output 3,243 × 0.000025 = 0.081075 25 USD per 1M tokens",
        "1.85196",
        "cost $1.85196",
        "why priced: everything it used has a price",
    ]


def test_every_line_is_a_product_and_they_add_up(demo: Path) -> None:
    calls = query(
        demo,
        """
        select min(event_id), arg_min(cost_usd, event_id) from marts.fct_llm_attempts
        where cost_status = 'priced' and cost_usd > 0 group by model, service_tier, reasoning_tokens > 0
        """,
    )
    assert len(calls) >= 10
    for event_id, cost in calls:
        console = Console(file=StringIO(), width=200)
        print_call(console, demo, event_id)
        text = console.file.getvalue()
        products = [
            [Decimal(number.replace(",", "")) for number in match]
            for match in re.findall(r"([\d,]+) +× ([\d.]+) += ([\d.]+)", text)
        ]
        assert products
        assert all(quantity * price == product for quantity, price, product in products)
        assert sum(product for *_, product in products) == cost
        assert f"cost ${cost.normalize():f}" in lines(text)


def test_unknown_model_says_what_to_add(demo: Path) -> None:
    printed = shown(demo, "explain", "evt-0000071")
    assert "priced as no known model" in printed
    assert not [line for line in printed if line.startswith("usage type")]
    assert printed[-5:] == [
        "cost unknown",
        "why unknown: the price book has no such model",
        "to add in price_overrides.csv, with the price:",
        "internal,acme-reranker-1,,input,<price>,1M tokens,USD,,,,",
        "internal,acme-reranker-1,,output,<price>,1M tokens,USD,,,,",
    ]


@pytest.mark.parametrize(
    ("event_id", "cost", "why"),
    [
        ("evt-0000687", "unknown", "unknown: the log has no tokens or other usage for a call that succeeded"),
        ("evt-0000079", "$0", "not billed: it ended as rate_limited and used no tokens"),
        ("cached", "$0", "not billed: answered from the application's own cache"),
        ("no-output", "$1.85196", "partly known: the log has no output_tokens, so only the rest is in the cost"),
        (
            "no-breakdown",
            "unknown",
            "unknown: the log lacks the breakdown that these prices need, such as cached_audio_tokens",
        ),
        ("as-reported", "$2", "as reported by the client or gateway: the setting cost_source says so"),
    ],
)
def test_status_is_put_in_words(changed: Path, event_id: str, cost: str, why: str) -> None:
    printed = shown(changed, "explain", event_id)
    assert f"cost {cost}" in printed
    assert f"why {why}" in printed


def test_reported_cost_stands_beside_ours(changed: Path) -> None:
    # 1.85196 × 1.1 = 2.037156; 2.03716 - 1.85196 = 0.1852, which is 9.1 % of 2.03716
    assert "reported $2.03716 by the client or gateway; ours is $0.1852 less (9.1%)" in shown(
        changed, "explain", "reported-more"
    )
    assert not [line for line in shown(changed, "explain", CALL) if line.startswith("reported")]


def test_negotiated_cost_stands_beside_the_list_price(changed: Path) -> None:
    # 1.85196 - 1.75 = 0.10196, which is 5.5 % of 1.85196
    assert "list price $1.85196, $0.10196 less (5.5%)" in shown(changed, "explain", "negotiated")
    assert not [line for line in shown(changed, "explain", CALL) if line.startswith("list price")]


def test_card_and_parts_that_the_call_did_not_get_are_named(changed: Path) -> None:
    printed = shown(changed, "explain", "eu-batch")
    assert "rate card default, there being none for service tier batch, there being none for region eu" in printed
    assert "reasoning has no price of its own: it costs what it is part of costs" in printed


def test_same_id_of_two_sources_is_two_calls(changed: Path) -> None:
    printed = shown(changed, "explain", CALL)
    assert [line for line in printed if line.startswith("Call ")] == [f"Call {CALL} of app", f"Call {CALL} of gateway"]
    assert printed.count("cost $1.85196") == 2


def test_names_in_the_log_are_text(changed: Path) -> None:
    result = run_cli("explain", CALL, "--db", changed, COLUMNS="300")
    assert "\x1b" not in result.stdout
    assert result.stdout.count("[red]acme[/red] \N{REPLACEMENT CHARACTER}[31m[/] 100% [link=http://x]y\\") == 3


@pytest.mark.parametrize(
    ("event_id", "message"),
    [
        ("evt-00000074", "there is no call evt-00000074; the nearest are evt-0000004, evt-0000007, evt-0000074"),
        ("nothing like it", "there is no call nothing like it"),
        (
            "evt-0001675",
            "the call evt-0001675 has no cost: it was quarantined as missing_required_field (demo.jsonl, line 1,686)",
        ),
        ("[red]\x1b[/]", "there is no call [red]\N{REPLACEMENT CHARACTER}[/]"),
    ],
)
def test_unknown_call_is_one_line(demo: Path, event_id: str, message: str) -> None:
    assert refused(demo, "explain", event_id) == message


PRICES = [
    "usage type price USD for one source",
    "input 5 USD per 1M tokens 0.000005",
    "cached_input 0.5 USD per 1M tokens 0.0000005",
    "cache_write 6.25 USD per 1M tokens 0.00000625",
    "cache_write_1h 10 USD per 1M tokens 0.00001",
    "output 25 USD per 1M tokens 0.000025",
    "web_search 10 USD per 1K requests 0.01",
]


def test_prices_are_those_of_the_price_page(demo: Path) -> None:
    printed = shown(demo, "prices", "show", "claude-opus-4-5", "--provider", "anthropic", "--at", "2026-10-26")
    assert printed[:2] == ["anthropic claude-opus-4-5 prices on 2026-10-26 UTC", "default"]
    for line, expected in zip(printed[2:], PRICES, strict=False):
        assert line.startswith(expected)
    assert [line for line in printed if line.startswith("batch")]


@pytest.mark.parametrize("name", ["CLAUDE-opus-4-5", "anthropic/claude-opus-4-5"])
def test_model_is_found_by_any_spelling(demo: Path, name: str) -> None:
    printed = shown(demo, "prices", "show", name, "--at", "2026-10-26")
    assert "anthropic claude-opus-4-5 prices on 2026-10-26 UTC" in printed


def test_model_is_found_by_its_name_in_the_log(real: Path) -> None:
    printed = shown(real, "prices", "show", "gemini/gemini-2.5-pro-exp-03-25", "--at", "2025-05-01")
    (priced_as,) = query(
        real,
        """
        select distinct priced_provider_id || ' ' || priced_model_id from marts.fct_llm_attempts
        where model = 'gemini/gemini-2.5-pro-exp-03-25'
        """,
    )[0]
    assert [line for line in printed if "prices on" in line] == [f"{priced_as} prices on 2025-05-01 UTC"]


def test_price_change_at_midnight(demo: Path) -> None:
    (before,) = (shown(demo, "prices", "show", "o3", "--provider", "openai", "--at", day) for day in ["2025-06-09"])
    after = shown(demo, "prices", "show", "o3", "--provider", "openai", "--at", "2025-06-10T00:00:00+00:00")
    last = shown(demo, "prices", "show", "o3", "--provider", "openai", "--at", "2025-06-10T01:59+02:00")
    assert before[3].startswith("input 10 USD per 1M tokens")
    assert last[3] == before[3]
    assert after[3].startswith("input 2 USD per 1M tokens")


def test_clock_and_weekday_windows(changed: Path) -> None:
    """2026-10-24 is a Saturday; the window opens at 990 minutes, 16:30."""
    printed = shown(changed, "prices", "show", "weekend-model", "--at", "2026-10-24T16:30")
    assert printed[1] == "default, 16:30 to 24:00 UTC, sat sun"
    assert printed[0] == "anthropic weekend-model prices on 2026-10-24 16:30 UTC"
    for closed in ("2026-10-24T16:29", "2026-10-23T16:30"):
        message = refused(changed, "prices", "show", "weekend-model", "--at", closed)
        assert message == f"anthropic weekend-model: no price on {closed.replace('T', ' ')} UTC"
    assert printed[1:] == shown(changed, "prices", "show", "weekend-model", "--at", "2026-10-24")[1:]


def test_agreed_price_stands_beside_the_list_price(changed: Path) -> None:
    printed = shown(changed, "prices", "show", "agreed-model", "--at", "2026-10-24")
    assert printed[2:] == [
        "usage type price USD for one list price source",
        "input 5 USD per 1M tokens - 10 % 0.0000045 0.000005 contract, [b]MSA",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["claude-opus-4-5-x"],
            "no price of claude-opus-4-5-x; the nearest are claude-opus-4-5, ",
        ),
        (["\x1b[red]", "--provider", "[/]"], "no price of \N{REPLACEMENT CHARACTER}[red]"),
        (["claude-opus-4-5", "--at", "26.10.2026"], "--at 26.10.2026: not a date or time, such as 2026-10-26"),
        (["claude-opus-4-5", "--at", "2026-13-01"], "--at 2026-13-01: not a date or time, such as 2026-10-26"),
    ],
)
def test_unknown_model_or_moment_is_one_line(demo: Path, arguments: list[str], message: str) -> None:
    assert refused(demo, "prices", "show", *arguments).startswith(message)


def test_provider_that_does_not_sell_it_is_told_who_does(demo: Path) -> None:
    message = refused(demo, "prices", "show", "claude-opus-4-5", "--provider", "openai")
    assert message.startswith("openai has no price of claude-opus-4-5; there are prices of anthropic")


@pytest.mark.parametrize("arguments", [["explain", CALL], ["prices", "show", "gpt-4o"]])
def test_without_a_build_there_is_nothing_to_show(tmp_path: Path, arguments: list[str]) -> None:
    empty = tmp_path / "empty.duckdb"
    duckdb.connect(str(empty)).close()
    for database in (tmp_path / "none.duckdb", empty):
        message = refused(database, *arguments)
        assert message == f"{database} holds no prices yet: run llm-spend demo or llm-spend build first"
    assert not (tmp_path / "none.duckdb").exists()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (None, Moment(date(2026, 10, 26))),
        ("2026-10-01", Moment(date(2026, 10, 1))),
        ("2026-10-01T00:00", Moment(date(2026, 10, 1), 0)),
        ("2026-10-01 23:59:59", Moment(date(2026, 10, 1), 1439)),
        ("2026-10-01T00:30+02:00", Moment(date(2026, 9, 30), 1350)),
        ("2026-10-01T09:30Z", Moment(date(2026, 10, 1), 570)),
    ],
)
def test_moment_is_utc(text: str | None, moment: Moment) -> None:
    assert read_moment(text, date(2026, 10, 26)) == moment


def test_moment_must_be_one() -> None:
    with pytest.raises(UserError, match="--at tomorrow: not a date or time"):
        read_moment("tomorrow", date(2026, 10, 26))
