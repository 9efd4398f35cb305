"""Prices and the cost of one call, laid out so that a person can check them against the price page.

Every number is a mart's. What a log or a price book names is shown as text, never as markup or control codes.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby, zip_longest
from pathlib import Path

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from llm_spend.database import connect
from llm_spend.errors import UserError

Row = Mapping[str, object]
Lines = list[Table | str]

_NEAR = 3
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_ALWAYS = (date(1900, 1, 1), date(9999, 12, 31))
_NO_LIMIT = 2**63 - 1

_CARD_KEYS = (
    "provider_id", "model_id", "service_tier", "speed", "region", "min_input_tokens", "max_input_tokens",
    "valid_from", "valid_to", "clock_from_minute", "clock_to_minute", "weekdays",
)  # fmt: skip
_WHO = ("tenant_id", "team", "user_id", "project_id", "api_key_id", "environment", "data_mode")
_WHAT = ("endpoint_tag", "prompt_version", "feature_name", "agent_id", "workflow_id", "cost_group", "call_name")
_PARTS_OF = {
    "input_tokens": (
        "cached_input_tokens", "cache_write_tokens", "cache_write_1h_tokens", "input_audio_tokens",
        "cached_audio_tokens", "input_image_tokens", "cached_image_tokens",
    ),
    "output_tokens": ("reasoning_tokens", "output_audio_tokens", "output_image_tokens"),
    "web_search_requests": (),
}  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """A UTC day, and the minute of it from 0; None is the whole day."""

    day: date
    minute: int | None = None

    def __str__(self) -> str:
        clock = "" if self.minute is None else f" {_clock(self.minute)}"
        return f"{self.day}{clock}"


def read_moment(text: str | None, today: date) -> Moment:
    """`2026-10-26` is a day, `2026-10-26T09:30Z` a minute; None is today. Anything else is a UserError."""
    if text is None:
        return Moment(today)
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return Moment(date.fromisoformat(text))
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"--at {text}: not a date or time, such as 2026-10-26 or 2026-10-26T09:30Z") from None
    if moment.tzinfo:
        moment = moment.astimezone(UTC)
    return Moment(moment.date(), moment.hour * 60 + moment.minute)


def print_prices(console: Console, database: Path, model: str, provider: str | None, moment: Moment) -> None:
    """Print the rate cards of a model, by its id or by a name in the log, in force at `moment`."""
    with _marts(database) as connection:
        _print(console, model_prices(connection, model, provider, moment))


def print_call(console: Console, database: Path, event_id: str) -> None:
    """Print how the cost of a call came about, one block for each source that has the id."""
    with _marts(database) as connection:
        _print(console, call_cost(connection, event_id))


def model_prices(
    connection: duckdb.DuckDBPyConnection, model: str, provider: str | None, moment: Moment
) -> list[Lines]:
    """A block for each model of that name and one for each of its rate cards. UserError when there is none."""
    models = _models(connection, model, provider)
    lines = _rows(
        connection,
        """
        select * from marts.dim_model_prices
        where list_contains($1, provider_id || ' ' || model_id) and valid_from <= $2 and valid_to > $2
            and ($3 is null or ($3 between clock_from_minute and clock_to_minute - 1
                and substr(weekdays, isodow($2), 1) = '1'))
        order by provider_id, model_id, service_tier != 'default', service_tier, region, speed, min_input_tokens,
            valid_from, weekdays, clock_from_minute
        """,
        models,
        moment.day,
        moment.minute,
    )
    if not lines:
        raise UserError(f"{_plain(', '.join(models))}: no price on {moment} UTC")
    order = _usage_types(connection)
    return [
        [
            f"[bold]{_text(provider_id)} {_text(model_id)}[/bold]  prices on {moment} UTC",
            *_price_page(list(of_model), order),
        ]
        for (provider_id, model_id), of_model in groupby(
            lines, key=lambda line: (line["provider_id"], line["model_id"])
        )
    ]


def call_cost(connection: duckdb.DuckDBPyConnection, event_id: str) -> list[Lines]:
    """A block for each call of that id: who, what, price, arithmetic, status. UserError when there is none."""
    calls = _rows(connection, "select * from marts.fct_llm_attempts where event_id = $1 order by source", event_id)
    if not calls:
        raise UserError(_unknown_call(connection, event_id))
    order = _usage_types(connection)
    blocks = []
    for call in calls:
        components = _rows(
            connection,
            "select * from marts.fct_cost_components where event_id = $1 and source = $2",
            event_id,
            call["source"],
        )
        prices = _rows(connection, "select * from marts.dim_model_prices where price_id = $1", call["price_id"])
        components.sort(key=lambda line: order.index(line["usage_type"]) if line["usage_type"] in order else len(order))
        blocks.append(
            [
                f"[bold]Call {_text(call['event_id'])}[/bold]  of {_text(call['source'])}",
                _facts(call, prices),
                "",
                *_arithmetic(call, components, prices),
                *_judgement(call, components, prices, _missing_price(connection, call)),
            ]
        )
    return blocks


def _facts(call: Row, prices: Sequence[Row]) -> Table:
    facts = _table(("", ""))
    attempt = f"attempt {call['attempt_number']}" if call["attempt_number"] else ""
    outcome = ", ".join(
        filter(None, [call["status"], call["error_code"], attempt, "retry" if call["is_retry"] else ""])
    )
    rows = [
        ("when", f"{call['started_at']:%Y-%m-%d %H:%M:%S} UTC"),
        ("who", _named(call, _WHO)),
        ("what", _named(call, _WHAT)),
        ("outcome", outcome),
        ("logged", _logged(call)),
        ("model", f"{call['provider']} {call['model']}"),
        ("priced as", _priced_as(call)),
    ]
    if prices:
        rows += [("rate card", _card_name(prices[0], call, safe=False)), ("price id", str(call["price_id"]))]
    for name, value in rows:
        facts.add_row(f"[dim]{name}[/dim]", _text(value))
    return facts


def _arithmetic(call: Row, components: Sequence[Row], prices: Sequence[Row]) -> Lines:
    """Quantity times price for each usage type, and their sum; none where nothing was calculated."""
    if not components or call["cost_status"] == "provider_reported":
        return []
    terms = {line["usage_type"]: line["terms"] for line in prices}
    table = _table(("usage type", ">quantity", ">× price of one", ">= cost in USD", "price as quoted"))
    for line in components:
        table.add_row(
            _text(line["usage_type"]),
            f"{line['quantity']:,}",
            f"× {_digits(line['unit_price'])}",
            f"= {_digits(line['cost_usd'])}",
            _text(terms.get(line["usage_type"], "")),
        )
    table.add_row("", "", "", f"[bold]{_digits(sum(line['cost_usd'] for line in components))}[/bold]", "")
    notes = [
        f"[dim]{_text(part)} has no price of its own: it costs what it is part of costs[/dim]"
        for part in _unpriced_parts(call, terms)
    ]
    return [table, *notes, ""]


def _judgement(call: Row, components: Sequence[Row], prices: Sequence[Row], missing: Row | None) -> Lines:
    """The status in words, what the list price would have been, and the reported cost beside ours."""
    cost, listed, reported = call["cost_usd"], call["list_cost_usd"], call["reported_cost_usd"]
    table = _table(("", ""))
    table.add_row("[dim]cost[/dim]", f"[bold]{_text(_usd(cost))}[/bold]")
    table.add_row("[dim]why[/dim]", _text(_status_in_words(call, components, prices)))
    for name, value in _advice(call, missing):
        table.add_row(f"[dim]{name}[/dim]", _text(value))
    if listed is not None and cost is not None and listed != cost and call["cost_source"] != "reported":
        table.add_row("[dim]list price[/dim]", _text(f"{_usd(listed)}, {_difference(cost, listed)}"))
    if reported is not None and call["cost_source"] != "reported":
        against = "" if cost is None else f"; ours is {_difference(cost, reported)}"
        table.add_row("[dim]reported[/dim]", _text(f"{_usd(reported)} by the client or gateway{against}"))
    return [table]


def _status_in_words(call: Row, components: Sequence[Row], prices: Sequence[Row]) -> str:
    match call["cost_status"]:
        case "priced" if not components:
            return (
                "priced: everything it used is free" if prices and prices[0]["is_free"] else "priced: it used nothing"
            )
        case "priced":
            return "priced: everything it used has a price"
        case "not_billed" if call["cache_hit"]:
            return "not billed: answered from the application's own cache"
        case "not_billed":
            return f"not billed: it ended as {call['status']} and used no tokens"
        case "partial" if call["input_tokens"] is None:
            return "partly known: the log has no input_tokens, so only the rest is in the cost"
        case "partial" if call["status"] == "success" and call["output_tokens"] is None:
            return "partly known: the log has no output_tokens, so only the rest is in the cost"
        case "partial":
            return "partly known: some of what it used has no price, and is not in the cost"
        case "usage_missing" if _quantities(call):
            return "unknown: the log lacks the breakdown that these prices need, such as cached_audio_tokens"
        case "usage_missing":
            return "unknown: the log has no tokens or other usage for a call that succeeded"
        case "unpriced" if call["price_id"]:
            return "unknown: the setting cost_source is reported, and the log reports no cost"
        case "unpriced" if call["priced_model_id"]:
            return "unknown: the model has no price at that time"
        case "unpriced":
            return "unknown: the price book has no such model"
        case "provider_reported":
            return "as reported by the client or gateway: the setting cost_source says so"
    return str(call["cost_status"])


def _advice(call: Row, missing: Row | None) -> Iterator[tuple[str, str]]:
    if not missing:
        return
    if missing["nearest_models"]:
        yield "similar", f"{missing['nearest_models']}: is it one of them? Say so in model_aliases.csv"
    if missing["price_override_rows"] and call["cost_status"] in ("unpriced", "partial"):
        yield "to add", "in price_overrides.csv, with the price:"
        for line in str(missing["price_override_rows"]).splitlines():
            yield "", line


def _missing_price(connection: duckdb.DuckDBPyConnection, call: Row) -> Row | None:
    rows = _rows(
        connection,
        """
        select nearest_models, price_override_rows from marts.unpriced_usage
        where provider = $1 and model = $2 and cost_status = $3 and is_in_scope = $4
        """,
        *(call[key] for key in ("provider", "model", "cost_status", "is_in_scope")),
    )
    return rows[0] if rows else None


def _priced_as(call: Row) -> str:
    provider, model = call["priced_provider_id"], call["priced_model_id"]
    if model is None:
        return "no known model"
    if provider != str(call["provider"]).lower():
        return f"{provider} {model}, the price book of {provider}"
    if model == call["model"]:
        return f"{provider} {model}"
    return f"{provider} {model}, which that name stands for"


def _card_name(line: Row, call: Row | None = None, safe: bool = True) -> str:
    """Which of a model's cards it is. With a call: what the call asked for where the card is another."""
    asked = call or {}
    parts = []
    for key, fallback in (("service_tier", "default"), ("speed", ""), ("region", "")):
        value, wanted = line[key], str(asked.get(key) or "").lower()
        if value != fallback or key == "service_tier":
            parts.append(f"region {value}" if key == "region" else str(value))
        if wanted not in ("", value) and wanted != fallback:
            parts.append(f"there being none for {key.replace('_', ' ')} {wanted}")
    above, upto = line["min_input_tokens"], line["max_input_tokens"]
    if upto != _NO_LIMIT:
        parts.append(f"{above:,} to {upto:,} input tokens" if above else f"up to {upto:,} input tokens")
    elif above:
        parts.append(f"{above:,} input tokens and more")
    if (line["clock_from_minute"], line["clock_to_minute"]) != (0, _DAY_MINUTES):
        parts.append(f"{_clock(line['clock_from_minute'])} to {_clock(line['clock_to_minute'])} UTC")
    if line["weekdays"] != "1" * len(_WEEKDAYS):
        parts.append(" ".join(day for day, holds in zip(_WEEKDAYS, line["weekdays"], strict=True) if holds == "1"))
    if line["valid_from"] != _ALWAYS[0]:
        parts.append(f"from {line['valid_from']}")
    if line["valid_to"] != _ALWAYS[1]:
        parts.append(f"before {line['valid_to']}")
    name = ", ".join(parts)
    return _text(name) if safe else name


def _price_page(lines: Sequence[Row], order: Sequence[str]) -> Lines:
    """A heading and a table for each rate card; the tables have one set of columns."""
    cards: dict[tuple, list[Row]] = {}
    for line in lines:
        cards.setdefault(tuple(line[key] for key in _CARD_KEYS), []).append(line)
    for card in cards.values():
        card.sort(key=lambda line: order.index(line["usage_type"]))
    is_negotiated = any(line["unit_price"] != line["list_unit_price"] for line in lines)
    headings = ("  usage type", "price", ">USD for one", *([">list price"] if is_negotiated else []), "source")
    rows = {key: [_price_row(line, is_negotiated) for line in card] for key, card in cards.items()}
    columns = zip(headings, *(row for card_rows in rows.values() for row in card_rows), strict=True)
    widths = [max(map(len, column)) for column in columns]
    page: Lines = []
    for key, card in cards.items():
        table = _table(headings, widths[:-1])
        table.show_header = not page
        for row in rows[key]:
            table.add_row(*row)
        page += [f"[bold]{_card_name(card[0])}[/bold]", table]
    return page


def _price_row(line: Row, is_negotiated: bool) -> tuple[str, ...]:
    verified = f", verified {line['verified_on']}" if line["verified_on"] else ""
    note = f", {line['note']}" if line["note"] else ""
    return (
        f"  {_text(line['usage_type'])}",
        _text(line["terms"]),
        _digits(line["unit_price"]),
        *([_digits(line["list_unit_price"])] if is_negotiated else []),
        _text(f"{line['source'] or ''}{verified}{note}"),
    )


def _logged(call: Row) -> str:
    """What the call used, as logged: parts in brackets behind their whole."""
    texts = []
    for whole, parts in _PARTS_OF.items():
        of_it = ", ".join(f"{call[part]:,} {part.removesuffix('_tokens')}" for part in parts if call[part])
        if call[whole] is not None or of_it:
            number = "unknown" if call[whole] is None else f"{call[whole]:,}"
            texts.append(f"{number} {whole}{f' ({of_it})' if of_it else ''}".replace("_", " ", 1))
    if call["other_usage"]:
        texts.append(str(call["other_usage"]))
    return "; ".join(texts) or "no usage"


def _quantities(call: Row) -> bool:
    return any(call[whole] for whole in _PARTS_OF) or bool(call["other_usage"])


def _unpriced_parts(call: Row, terms: Mapping[str, str]) -> Iterator[str]:
    """Logged parts, such as reasoning, that the rate card prices only within their whole."""
    for parts in _PARTS_OF.values():
        for part in parts:
            if call[part] and part.removesuffix("_tokens") not in terms:
                yield part.removesuffix("_tokens")


def _models(connection: duckdb.DuckDBPyConnection, model: str, provider: str | None) -> list[str]:
    """`provider model` of the price book for a model id or a logged name. UserError with the nearest when unknown."""
    found = connection.execute(
        """
        with named as (
            select provider_id, model_id, provider_id as logged_provider from marts.dim_model_prices
            where lower($1) in (lower(model_id), lower(provider_id || '/' || model_id))
            union
            select priced_provider_id, priced_model_id, lower(provider) from marts.fct_llm_attempts
            where lower(model) = lower($1) and priced_model_id is not null
        )
        select distinct provider_id, model_id, lower($2) is null or lower($2) in (provider_id, logged_provider)
        from named order by 1, 2
        """,
        [model, provider],
    ).fetchall()
    wanted = list(dict.fromkeys(f"{provider_id} {model_id}" for provider_id, model_id, is_wanted in found if is_wanted))
    if wanted:
        return wanted
    if found:
        sellers = ", ".join(dict.fromkeys(provider_id for provider_id, *_ in found))
        raise UserError(f"{_plain(provider)} has no price of {_plain(model)}; there are prices of {_plain(sellers)}")
    known = dict(connection.execute("select distinct lower(model_id), model_id from marts.dim_model_prices").fetchall())
    near = [known[name] for name in difflib.get_close_matches(model.lower(), known, _NEAR)]
    raise UserError(f"no price of {_plain(model)}{_nearest(near)}")


def _unknown_call(connection: duckdb.DuckDBPyConnection, event_id: str) -> str:
    refused = connection.execute(
        "select outcome, reason, source_file, source_line from marts.quarantined_events where event_id = $1 limit 1",
        [event_id],
    ).fetchone()
    if refused:
        outcome, reason, file, line = refused
        place = f" ({_plain(file)}, line {line:,})" if file and line else ""
        return f"the call {_plain(event_id)} has no cost: it was {outcome} as {reason}{place}"
    near = connection.execute(
        """
        select event_id from marts.fct_llm_attempts
        where abs(length(event_id) - length($1)) <= 3 and levenshtein(event_id, $1) <= greatest(3, length($1) // 4)
        group by event_id order by levenshtein(event_id, $1), event_id limit $2
        """,
        [event_id, _NEAR],
    ).fetchall()
    return f"there is no call {_plain(event_id)}{_nearest([name for (name,) in near])}"


def _nearest(names: Sequence[str]) -> str:
    return f"; the nearest are {', '.join(map(_plain, names))}" if names else ""


@contextmanager
def _marts(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a database that has been built; UserError when it has not."""
    unbuilt = UserError(f"{database} holds no prices yet: run llm-spend demo or llm-spend build first")
    if not database.exists():
        raise unbuilt
    with connect(database, read_only=True) as connection:
        built = connection.execute(
            """
            select count(*) from information_schema.columns
            where table_schema = 'marts' and table_name || '.' || column_name
                in ('dim_model_prices.usage_type', 'unpriced_usage.nearest_models')
            """
        ).fetchone()
        if built != (2,):
            raise unbuilt
        yield connection


def _usage_types(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The usage types in their order on the rate cards."""
    return [
        name.removesuffix("_unit_price")
        for (name,) in connection.execute(
            """
            select column_name from information_schema.columns
            where table_schema = 'intermediate' and table_name = 'int_rate_cards'
                and column_name like '%_unit_price' and column_name not like 'list_%'
            order by ordinal_position
            """
        ).fetchall()
    ]


def _rows(connection: duckdb.DuckDBPyConnection, query: str, *parameters: object) -> list[Row]:
    cursor = connection.execute(query, list(parameters))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def _table(headings: Sequence[str], widths: Sequence[int] = ()) -> Table:
    """A table without lines; a heading's leading `>` aligns right. `widths` are the least of the first columns."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=any(headings), header_style="dim")
    for heading, width in zip_longest(headings, widths):
        justify = "right" if heading.startswith(">") else "left"
        table.add_column(heading.lstrip(">"), justify=justify, overflow="fold", min_width=width)
    return table


def _print(console: Console, blocks: Iterable[Lines]) -> None:
    for number, block in enumerate(blocks):
        if number:
            console.print()
        for line in block:
            console.print(line, highlight=False)


def _named(call: Row, keys: Iterable[str]) -> str:
    """The labels of a call that say something, such as `tenant acme`."""
    return ", ".join(
        f"{re.sub('_(id|name|tag)$', '', key).replace('_', ' ')} {call[key]}"
        for key in keys
        if call[key] not in (None, "", "(unattributed)")
    )


def _difference(amount: Decimal, other: Decimal) -> str:
    """`$0.01 more (5.0 %)`, of `amount` against `other`."""
    if amount == other:
        return "the same"
    share = f" ({abs(amount - other) / other:.1%})" if other else ""
    return f"{_usd(abs(amount - other))} {'more' if amount > other else 'less'}{share}"


def _usd(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"${_digits(amount)}"


def _digits(number: Decimal) -> str:
    """Every digit that is there, no exponent, no zeros at the end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _plain(text: object) -> str:
    """One line without control characters: a name in a log may hold anything."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(text))


def _text(value: object) -> str:
    """Plain text that Rich prints as it stands."""
    return escape(_plain(value))
