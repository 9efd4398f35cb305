"""Our generic data tests in both directions: rows that they must let pass, and rows that they must fail."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field

import pytest
import yaml

from conftest import ROOT

ATTEMPTS = "(1, 'acme', true, 3, 2, 2), (2, 'zeta', true, 1, 1, 1), (3, 'acme', false, 9, 9, 9)"
ENTITIES = "('total', 'total', 4, 3, 3), ('tenant', 'acme', 3, 2, 2), ('tenant', 'zeta', 1, 1, 1)"
ENTITY_COLUMNS = "entity_type, entity_id, cost_usd, requests, attempts"


@dataclass(frozen=True)
class Case:
    """A relation (column names, and a values list) and the generic test to run on it."""

    test: str
    fails: bool
    columns: str
    rows: str
    arguments: dict[str, object] = field(default_factory=dict)
    column: str | None = None


def _ranges(rows: str, *, fails: bool, inclusive: bool = False, **arguments: str) -> Case:
    return Case(
        "non_overlapping_ranges",
        fails,
        ", ".join(["price_id, model_id, valid_from, valid_to, clock_from, clock_to", *arguments.values()]),
        rows,
        {
            "key": "price_id",
            "partition_by": ["model_id"],
            "ranges": [
                {"from": "valid_from", "to": "valid_to", "inclusive": inclusive},
                {"from": "clock_from", "to": "clock_to"},
            ],
            **arguments,
        },
    )


def _conserves(rows: str, *, fails: bool, **arguments: str) -> Case:
    return Case(
        "conserves_total",
        fails,
        "event_id, cost_usd, is_in_scope",
        rows,
        {"other": "ref('whole')", **arguments},
        "cost_usd",
    )


def _aliases(rows: str, *, fails: bool, **arguments: object) -> Case:
    return Case(
        "aliases_are_resolved",
        fails,
        "kind, alias, canonical_id",
        rows,
        {"canonical": "canonical_id", **arguments},
    )


def _grain(rows: str, *, fails: bool) -> Case:
    return Case("unique_grain", fails, "tenant_id, usage_day", rows, {"columns": ["tenant_id", "usage_day"]})


def _holds(rows: str, *, fails: bool) -> Case:
    return Case("expression_holds", fails, "spent, budget", rows, {"expression": "spent <= budget"})


def _entities(rows: str, *, fails: bool) -> Case:
    return Case("every_entity_type_conserves_cost", fails, ENTITY_COLUMNS, rows, {"other": "ref('whole')"})


def _texts(*rows: str) -> str:
    """A values list of text columns from rows such as `gpt|2026-01-01|`; a blank is null."""
    cells = ([cell.strip() for cell in row.split("|")] for row in rows)
    typed = (", ".join(f"cast({repr(cell) if cell else 'null'} as text)" for cell in row) for row in cells)
    return ", ".join(f"({row})" for row in typed)


def _filled(*rows: str, fails: bool) -> Case:
    return Case("columns_are_filled", fails, "model_id, price, note", _texts(*rows), {"columns": ["model_id", "price"]})


def _known(*rows: str, fails: bool) -> Case:
    return Case("has_no_nulls", fails, "model_id, price, note", _texts(*rows), {"columns": ["model_id", "price"]})


def _named(*rows: str, fails: bool) -> Case:
    """Rows of a rule_id against a file that has `storm` and `spike`; `weekly_review` is known beside it."""
    arguments = {"column": "rule_id", "known": "ref('rules')", "also": ["weekly_review"]}
    return Case("values_are_known", fails, "rule_id", _texts(*rows), arguments)


def _agreeing(*rows: str, fails: bool) -> Case:
    arguments = {"key": "channel", "columns": ["kind", "minutes"]}
    return Case("columns_follow_key", fails, "channel, kind, minutes", _texts(*rows), arguments)


def _words(*rows: str, fails: bool) -> Case:
    words = {"kind": ["equals", "regex"], "is_negated": ["true", "false"]}
    return Case("columns_are_words", fails, "kind, is_negated", _texts(*rows), {"words": words})


def _written(form: str, *texts: str, fails: bool) -> Case:
    return Case("columns_are_written_as", fails, "given", _texts(*texts), {"columns": ["given"], "form": form})


def _units(*rows: str, fails: bool) -> Case:
    return Case("price_units_fit", fails, "usage_type, price_unit", _texts(*rows))


def _patterns(*patterns: str, fails: bool, kind: str = "regex") -> Case:
    rows = ", ".join(f"('{kind}', '{pattern}')" for pattern in patterns)
    return Case("patterns_are_portable", fails, "kind, pattern", rows)


def _windows(*rows: str, fails: bool) -> Case:
    columns = "model_id, valid_from, valid_to, clock_from, clock_to, weekdays"
    return Case("windows_are_disjoint", fails, columns, _texts(*rows), {"key": ["model_id"], "clock": True})


def _gaps(*rows: str, fails: bool) -> Case:
    columns = "model_id, context_above_tokens, valid_from, valid_to, clock_from, clock_to, weekdays"
    return Case("prices_have_no_gaps", fails, columns, _texts(*rows), {"key": ["model_id"]})


def _parts(*rows: str, fails: bool) -> Case:
    return Case("parts_have_wholes", fails, "model_id, usage_type", _texts(*rows), {"card": ["model_id"]})


def _currencies(*rows: str, fails: bool) -> Case:
    columns = "amount, currency, valid_from"
    return Case("currencies_have_rates", fails, columns, _texts(*rows), {"rates": "ref('rates')"})


def _monthly_currencies(*rows: str, fails: bool) -> Case:
    arguments = {"rates": "ref('rates')", "day": "concat(month, '-01')"}
    return Case("currencies_have_rates", fails, "currency, month", _texts(*rows), arguments)


def _models(*rows: str, fails: bool) -> Case:
    """Rows of overrides beside a price book of openai's gpt-4o, and a user's price of acme's own."""
    arguments = {"prices": "ref('price_book')", "own_prices": "ref('own_prices')"}
    return Case("models_are_known", fails, "provider_id, model_id", _texts(*rows), arguments)


def _names(*rows: str, fails: bool) -> Case:
    """Models by name beside the same price book; `any` is a word of its own."""
    arguments = {"column": "model_id", "known": "ref('price_book')", "also": ["any"]}
    return Case("values_are_known", fails, "model_id, note", _texts(*rows), arguments)


def _rules(*rows: str, fails: bool) -> Case:
    return Case("metrics_are_measured", fails, "metric, entity_type", _texts(*rows))


def _components(*rows: str, fails: bool) -> Case:
    """Calls with the costs of input, of output and of what is not text; the other usage types cost nothing."""
    nothing = ("cached_input", "cache_write", "cache_write_1h", "reasoning")
    columns = ", ".join(f"{name}_cost_usd" for name in ("input", "output", "other", *nothing))
    values = ", ".join(f"({row}{', 0' * len(nothing)})" for row in rows)
    return Case("components_add_up", fails, f"cost_status, cost_usd, {columns}", values)


CASES = {
    "grain_differs_in_one_column": _grain("('acme', 1), ('acme', 2), ('zeta', 1)", fails=False),
    "grain_twice": _grain("('acme', 1), ('acme', 2), ('acme', 1)", fails=True),
    "grain_twice_with_null": _grain("(null, 1), ('acme', 1), (null, 1)", fails=True),
    "total_kept": _conserves("(1, 4, true), (2, 9, false)", fails=False),
    "total_kept_in_scope": _conserves(
        "(1, 4, true), (2, 5, false)", fails=False, where="is_in_scope", other_where="is_in_scope"
    ),
    "total_kept_under_another_name": _conserves("(1, 12, true)", fails=False, other_column="attempts"),
    "total_of_nothing": _conserves("(1, null, true)", fails=False, other_where="1 = 0"),
    "total_misses_a_row": _conserves("(1, 4, true)", fails=True),
    "total_counts_twice": _conserves("(1, 4, true), (2, 9, false), (2, 9, false)", fails=True),
    "total_off_by_the_last_digit": _conserves("(1, 13.000000000001, true)", fails=True),
    "total_lost_altogether": _conserves("(1, null, true)", fails=True),
    "ranges_that_touch": _ranges("('a', 'm', 1, 5, 0, 10), ('b', 'm', 5, 9, 0, 10)", fails=False),
    "ranges_apart_in_one_dimension": _ranges("('a', 'm', 1, 9, 0, 5), ('b', 'm', 1, 9, 5, 10)", fails=False),
    "ranges_of_two_models": _ranges("('a', 'm', 1, 9, 0, 10), ('b', 'n', 1, 9, 0, 10)", fails=False),
    "ranges_that_overlap": _ranges("('a', 'm', 1, 6, 0, 10), ('b', 'm', 5, 9, 0, 10)", fails=True),
    "ranges_on_other_weekdays": _ranges(
        "('a', 'm', 1, 9, 0, 10, '1111100'), ('b', 'm', 1, 9, 0, 10, '0000011')", fails=False, weekdays="weekdays"
    ),
    "ranges_that_share_a_weekday": _ranges(
        "('a', 'm', 1, 9, 0, 10, '1111100'), ('b', 'm', 1, 9, 0, 10, '0000111')", fails=True, weekdays="weekdays"
    ),
    "range_inside_another": _ranges("('a', 'm', 1, 9, 0, 10), ('b', 'm', 3, 4, 2, 3)", fails=True),
    "inclusive_ranges_apart": _ranges("('a', 'm', 1, 4, 0, 10), ('b', 'm', 5, 9, 0, 10)", fails=False, inclusive=True),
    "inclusive_ranges_that_touch": _ranges(
        "('a', 'm', 1, 5, 0, 10), ('b', 'm', 5, 9, 0, 10)", fails=True, inclusive=True
    ),
    "expression_true": _holds("(1, 2), (2, 2)", fails=False),
    "expression_false_once": _holds("(1, 2), (3, 2)", fails=True),
    "expression_unknown_once": _holds("(1, 2), (null, 2)", fails=True),
    "every_type_is_the_whole": _entities(ENTITIES, fails=False),
    "no_type_at_all": _entities(f"{ENTITIES} limit 0", fails=True),
    "type_misses_dollars": _entities(ENTITIES.replace("'zeta', 1,", "'zeta', 0,"), fails=True),
    "type_misses_requests": _entities(ENTITIES.replace("'acme', 3, 2,", "'acme', 3, 1,"), fails=True),
    "type_counts_an_attempt_twice": _entities(ENTITIES.replace("4, 3, 3)", "4, 3, 4)"), fails=True),
    "aliases_of_one_name": _aliases("('tenant', 'a', 'c'), ('tenant', 'b', 'c')", fails=False),
    "alias_of_itself": _aliases("('tenant', 'a', 'c'), ('tenant', 'c', 'c')", fails=False),
    "aliases_that_chain": _aliases("('tenant', 'a', 'b'), ('tenant', 'b', 'c')", fails=True),
    "chain_over_two_kinds": _aliases("('tenant', 'a', 'b'), ('user', 'b', 'c')", fails=False, within=["kind"]),
    "chain_within_one_kind": _aliases("('user', 'a', 'b'), ('user', 'b', 'c')", fails=True, within=["kind"]),
    "filled_where_required": _filled("gpt|1|", "gpt|2|dear", fails=False),
    "filled_with_a_blank_key": _filled("gpt|1|", "|2|", fails=True),
    "filled_with_a_blank_price": _filled("gpt||dear", fails=True),
    "known_where_required": _known("gpt|1|", "gpt|2|dear", fails=False),
    "null_in_the_first_column": _known("gpt|1|", "|2|", fails=True),
    "null_in_the_last_column": _known("gpt||dear", fails=True),
    "named_in_the_other_file_or_beside_it": _named("storm", "spike", "storm", "weekly_review", "", fails=False),
    "named_in_no_file": _named("storm", "strom", fails=True),
    "named_in_capitals": _named("Storm", fails=True),
    "rows_of_a_channel_agree": _agreeing("ops|slack|5", "ops|slack|5", "pager|pagerduty|", fails=False),
    "one_channel_of_two_kinds": _agreeing("ops|slack|5", "ops|webhook|5", fails=True),
    "one_channel_with_and_without_a_limit": _agreeing("ops|slack|5", "ops|slack|", fails=True),
    "words_known": _words("equals|true", "regex|false", "|false", fails=False),
    "words_of_another_column": _words("true|true", fails=True),
    "words_in_capitals": _words("Equals|true", fails=True),
    "words_unknown_in_the_last_column": _words("equals|no", fails=True),
    "days_of_the_calendar": _written(
        "day", "2026-10-01", "2026-02-28", "2024-02-29", "2000-02-29", "9999-12-31", "", fails=False
    ),
    **{
        f"day_{day.replace('-', '_').replace(' ', '_').replace(':', '_').replace('.', '_')}": _written(
            "day", day, fails=True
        )
        for day in (
            "2026-02-29",
            "1900-02-29",
            "2026-02-30",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "26-01-01",
            "2026-1-1",
            "01.02.2026",
            "2026-01-01 00:00",
        )
    },
    "clocks": _written("clock", "00:00", "09:59", "19:00", "23:59", "24:00", "", fails=False),
    "clock_past_midnight": _written("clock", "24:01", fails=True),
    "clock_without_its_zero": _written("clock", "9:00", fails=True),
    "clock_of_sixty_minutes": _written("clock", "10:60", fails=True),
    "clock_that_begins_at_the_end": _written("clock_before_midnight", "24:00", fails=True),
    "weekdays": _written("weekdays", "mon", "sat sun", "mon tue wed thu fri", "", fails=False),
    "weekdays_with_commas": _written("weekdays", "sat,sun", fails=True),
    "weekdays_in_full": _written("weekdays", "saturday", fails=True),
    "prices": _written("price", "0", "3", "0.000000001", "999999999.999999999", "", fails=False),
    **{
        f"price_{name}": _written("price", price, fails=True)
        for name, price in {
            "negative": "-4",
            "of_ten_decimals": "0.0000000001",
            "with_an_exponent": "1e3",
            "with_a_comma": "1,5",
            "with_a_sign": "$3",
            "in_words": "free",
            "without_a_zero": ".5",
            "without_an_end": "5.",
            "too_long": "1000000000",
        }.items()
    },
    "percentages": _written("percent", "0", "7.5", "99.999999", "100", "100.0", fails=False),
    "percentage_above_all": _written("percent", "100.1", fails=True),
    "percentage_below_none": _written("percent", "-5", fails=True),
    "multipliers": _written("multiplier", "1.1", "0.5", "0.000001", "12", fails=False),
    "multiplier_by_nothing": _written("multiplier", "0.0", fails=True),
    "exchange_rates": _written("exchange_rate", "1.08", "0.000061349700", fails=False),
    "exchange_rate_of_nothing": _written("exchange_rate", "0", fails=True),
    "whole_numbers": _written("whole_number", "0", "200000", fails=False),
    "whole_number_with_a_point": _written("whole_number", "200.0", fails=True),
    "currencies": _written("currency", "EUR", "usd", fails=False),
    "currency_as_a_sign": _written("currency", "€", fails=True),
    "amounts": _written("amount", "0", "999999999999.999999", fails=False),
    "amount_in_words": _written("amount", "lots", fails=True),
    "amount_below_zero": _written("amount", "-1", fails=True),
    "signed_amounts": _written("signed_amount", "0", "-0.000001", "-999999999999.999999", "5", "", fails=False),
    "signed_amount_in_brackets": _written("signed_amount", "(5)", fails=True),
    "signed_amount_of_seven_decimals": _written("signed_amount", "-0.0000001", fails=True),
    "months": _written("month", "2026-10", "2026-01-01", "2024-12", "", fails=False),
    "month_thirteen": _written("month", "2026-13", fails=True),
    "month_zero": _written("month", "2026-00-01", fails=True),
    "month_by_its_last_day": _written("month", "2026-10-31", fails=True),
    "month_without_its_zero": _written("month", "2026-1", fails=True),
    "units_that_fit": _units(
        "input|1M tokens",
        "reasoning|1K tokens",
        "pages|1 page",
        "web_search|1K requests",
        "request|1 request",
        "audio_seconds|1 hour",
        "input_audio_seconds|1 minute",
        "characters|1M characters",
        "messages|1 message",
        "|1M tokens",
        fails=False,
    ),
    "unit_of_another_type": _units("input|1M tokens", "pages|1M tokens", fails=True),
    "unit_of_searches_in_pages": _units("web_search|1K pages", fails=True),
    "unit_unknown": _units("input|1B tokens", fails=True),
    "patterns_in_the_subset": _patterns(
        "^gpt-5[.]4-[0-9]{4}-[0-9]{2}$", "^(a|b/)?c(-[0-9]{8})?$", "-[tT][tT][sS]($|-)", "x+y*z?", fails=False
    ),
    "patterns_that_are_no_expressions": _patterns("(?", "a(b", kind="contains", fails=False),
    **{
        f"pattern_with_{name}": _patterns(pattern, fails=True)
        for name, pattern in {
            "a_class": "gpt-[0-9]\\d",
            "an_escape": "gpt-4\\.1",
            "a_look_ahead": "^(?!x)y",
            "a_silent_group": "(?:a|b)",
            "a_lazy_star": "a.*?b",
            "an_open_group": "(a|b",
            "an_open_class": "[ab",
            "a_leading_star": "*gpt",
        }.items()
    },
    "windows_that_touch": _windows("m|2026-01-01|2026-02-01|||", "m|2026-02-01||||", "m||2026-01-01|||", fails=False),
    "windows_of_two_models": _windows("m|2026-01-01||||", "n|2026-01-01||||", fails=False),
    "window_of_two_rows": _windows("m|2026-01-01||||", "m|2026-01-01||||", fails=False),
    "windows_a_day_too_long": _windows("m|2026-01-01|2026-02-02|||", "m|2026-02-01||||", fails=True),
    "window_open_at_both_ends": _windows("m|||||", "m|2026-02-01||||", fails=True),
    "windows_of_one_model_in_two_cases": _windows("M|2026-01-01||||", "m|2026-01-01||||", fails=True),
    "clocks_apart": _windows("m|||08:00|16:00|", "m|||16:00|24:00|", "m|||00:00|08:00|", fails=False),
    "clocks_apart_over_midnight": _windows("m|||16:30|00:30|", "m|||00:30|16:30|", fails=False),
    "clocks_that_overlap": _windows("m|||08:00|16:00|", "m|||15:59|20:00|", fails=True),
    "clocks_that_overlap_after_midnight": _windows("m|||22:00|02:00|", "m|||01:00|05:00|", fails=True),
    "clocks_both_over_midnight": _windows("m|||22:00|02:00|", "m|||23:00|01:00|", fails=True),
    "clock_beside_a_whole_day": _windows("m|||22:00|02:00|", "m|||||", fails=True),
    "clocks_on_days_apart": _windows("m|2026-01-01|2026-02-01|08:00|16:00|", "m|2026-02-01||08:00|16:00|", fails=False),
    "weekdays_apart": _windows("m|||||sat sun", "m|||||mon tue wed thu fri", fails=False),
    "weekdays_that_share_one": _windows("m|||||sat sun", "m|||||mon sun", fails=True),
    "weekdays_beside_all": _windows("m|||||sat", "m|||||", fails=True),
    "weekdays_shared_at_other_clocks": _windows("m|||08:00|16:00|sat", "m|||16:00|08:00|sat sun", fails=False),
    "no_gap_in_days": _gaps("m|0||2026-01-01|||", "m|0|2026-01-01|2026-02-01|||", "n|0|2026-03-01||||", fails=False),
    "no_gap_in_the_week": _gaps(
        "m|0||2026-01-01|||",
        "m|0|2026-01-01||08:00|20:00|mon tue wed thu fri",
        "m|0|2026-01-01||20:00|08:00|mon tue wed thu fri",
        "m|0|2026-01-01||||sat sun",
        fails=False,
    ),
    "no_gap_where_one_window_changes": _gaps(
        "m|0|||16:30|00:30|", "m|0||2026-01-01|00:30|16:30|", "m|0|2026-01-01||00:30|16:30|", fails=False
    ),
    "no_gap_in_context": _gaps("m|0|||||", "m|200000|||||", fails=False),
    "gap_of_a_day": _gaps("m|0||2026-01-01|||", "m|0|2026-01-02||||", fails=True),
    "gap_of_a_minute": _gaps("m|0|||16:30|00:30|", "m|0|||00:31|16:30|", fails=True),
    "gap_of_a_sunday": _gaps("m|0|||||mon tue wed thu fri", "m|0|||||sat", fails=True),
    "gap_after_one_window_ends": _gaps("m|0|||16:30|00:30|", "m|0||2026-01-01|00:30|16:30|", fails=True),
    "gap_below_the_threshold": _gaps("m|0||2026-01-01|||", "m|200000|2026-01-01||||", fails=True),
    "parts_with_their_wholes": _parts(
        "m|input", "m|cached_input", "m|input_audio", "m|cached_audio", "m|pages", "m|annotated_pages", fails=False
    ),
    "wholes_without_parts": _parts("m|input", "m|output", "m|cached_input", "m|reasoning", fails=False),
    "part_without_its_whole": _parts("m|output", "m|cached_input", fails=True),
    "part_of_a_part_without_its_whole": _parts("m|input", "m|cache_write_1h", fails=True),
    "part_whose_whole_is_another_models": _parts("m|input", "n|cached_input", fails=True),
    "wholes_without_their_common_part": _parts("m|input", "m|cached_input", "m|input_audio", fails=True),
    "images_without_their_common_part": _parts("m|input", "m|cached_input", "m|input_image", fails=True),
    "currencies_with_rates": _currencies(
        "1|EUR|2026-01-01", "2|eur|2027-05-01", "3|USD|", "4||2020-01-01", fails=False
    ),
    "currency_before_its_first_rate": _currencies("1|EUR|2025-12-31", fails=True),
    "currency_from_the_open_beginning": _currencies("1|EUR|", fails=True),
    "currency_without_a_rate": _currencies("1|JPY|2026-01-01", fails=True),
    "currency_of_a_month_with_a_rate": _monthly_currencies("EUR|2026-01", "USD|2020-01", fails=False),
    "currency_of_a_month_before_its_first_rate": _monthly_currencies("EUR|2025-12", fails=True),
    "models_that_have_prices": _models("openai|GPT-4o", "openai|", "acme|own", fails=False),
    "model_without_prices": _models("openai|gpt-9", fails=True),
    "model_of_another_provider": _models("acme|gpt-4o", fails=True),
    "provider_without_prices": _models("opnai|", "acme|discounted", fails=True),
    "names_that_are_known": _names("gpt-4o|a", "any|b", "|c", fails=False),
    "name_that_is_not_known": _names("gpt-4o|a", "gpt-4|b", fails=True),
    "metrics_of_entities_that_have_them": _rules(
        "daily_cost|tenant", "daily_cost|", "made_up|user", "daily_cost|shop", fails=False
    ),
    "metric_of_an_entity_without_it": _rules("daily_cost|tenant", "daily_cost|user", fails=True),
    "costs_that_add_up": _components("'priced', 3.5, 1.0, 2.0, 0.5", "'unpriced', null, null, null, null", fails=False),
    "reported_cost_has_no_parts": _components("'provider_reported', 3.0, null, null, null", fails=False),
    "costs_that_do_not_add_up": _components("'priced', 3.0, 1.0, 1.5, 0.4", fails=True),
}


def _properties(name: str, case: Case) -> dict[str, object]:
    data_tests = [{case.test: {"name": f"{name}_result", "arguments": case.arguments}}]
    if case.column:
        return {"name": name, "columns": [{"name": case.column, "data_tests": data_tests}]}
    return {"name": name, "data_tests": data_tests}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Status of each case's test, from one dbt build of a scratch project that shares only our macros."""
    project = tmp_path_factory.mktemp("generic_tests")
    models = project / "models"
    models.mkdir()
    relations = {name: (case.columns, case.rows) for name, case in CASES.items()}
    relations["rates"] = ("currency, valid_from", _texts("EUR|2026-01-01", "EUR|2026-06-01"))
    relations["price_book"] = ("provider_id, model_id", _texts("openai|gpt-4o"))
    relations["own_prices"] = ("provider_id, model_id, price", _texts("acme|own|2.5", "acme|discounted|"))
    relations["rules"] = ("rule_id", _texts("storm", "spike"))
    relations["whole"] = ("event_id, tenant_id, is_in_scope, cost_usd, requests, attempts", ATTEMPTS)
    for name, (columns, rows) in relations.items():
        (models / f"{name}.sql").write_text(f"select * from (values {rows}) as given ({columns})\n")
    properties = {"models": [_properties(name, case) for name, case in CASES.items()]}
    (models / "properties.yml").write_text(yaml.safe_dump(properties))
    settings = {
        "name": "scratch",
        "version": "0.1.0",
        "profile": "scratch",
        "macro-paths": [os.path.relpath(ROOT / "macros", project)],
    }
    (project / "dbt_project.yml").write_text(yaml.safe_dump(settings))
    output = {"type": "duckdb", "path": str(project / "scratch.duckdb"), "threads": 2}
    profile = {"scratch": {"target": "duckdb", "outputs": {"duckdb": output}}}
    (project / "profiles.yml").write_text(yaml.safe_dump(profile))

    places = ["--project-dir", ".", "--profiles-dir", ".", "--target-path", "target", "--log-path", "logs"]
    run = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "build", *places],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )
    results_file = project / "target" / "run_results.json"
    assert results_file.exists(), run.stdout + run.stderr
    results = json.loads(results_file.read_text())["results"]
    return {result["unique_id"].split(".")[2]: result["status"] for result in results}


@pytest.mark.parametrize("name", CASES)
def test_generic_test_tells_good_rows_from_bad(name: str, verdicts: dict[str, str]) -> None:
    assert verdicts[f"{name}_result"] == ("fail" if CASES[name].fails else "pass")


def test_every_generic_test_is_driven_in_both_directions() -> None:
    ours = {path.stem for path in (ROOT / "macros" / "tests").glob("*.sql")}
    assert {(case.test, case.fails) for case in CASES.values()} == {
        (name, fails) for name in ours for fails in (False, True)
    }
