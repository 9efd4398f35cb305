"""SQL that one engine accepts and another refuses, found without an engine; SQLFluff has no rules for it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SCANNED = ("models", "macros", "tests/dbt")

FLOAT_TYPE = r"(?:double|float\d*|real|\{\{\s*(?:dbt\.type_float|type_ratio)\(\)\s*\}\})(?:\s+precision)?"
MONEY_NAME = r"\w*(?:_usd|_unit_price)"


@dataclass(frozen=True)
class Rule:
    name: str
    pattern: str
    bad: str
    good: str
    suffix: str = ".sql"
    folders: tuple[str, ...] = SCANNED
    free: tuple[str, ...] = ()
    """Files where the rule does not hold, because they are what it asks others to use."""


RULES = (
    Rule("qualify", r"\bqualify\b", "qualify row_number() over (order by a) = 1", "where row_rank = 1"),
    Rule("filter", r"\bfilter\s*\(", "sum(a) FILTER (where b)", "sum(case when b then a end)"),
    Rule("lateral", r"\blateral\b", "cross join lateral unnest(a)", "cross join collateral"),
    Rule("distinct-on", r"\bdistinct\s+on\b", "select distinct\non (a) b", "select distinct one"),
    Rule("double-colon", r"::", "select a::date", "select cast(a as date)"),
    Rule("ignore-nulls", r"\bignore\s+nulls\b", "lag(a ignore nulls) over ()", "lag(a) over (order by b)"),
    Rule("group-by-all", r"\bgroup\s+by\s+all\b", "group by all", "group by all_tenants"),
    Rule("recursive-cte", r"\bwith\s+recursive\b", "with recursive days as (", "with recursive_calls as ("),
    Rule("target-type", r"\btarget\.type\b", "{% if target.type == 'duckdb' %}", "{{ target.schema }}"),
    Rule(
        "clock",
        r"\bcurrent_(?:timestamp|date|time)\b|\blocaltimestamp\b|\b(?:now|getdate|sysdate|today|utcnow)\s*\("
        r"|\brun_started_at\b",
        "where started_at < now()",
        "where started_at < {{ as_of() }} and is_known_now",
        free=("macros/governance/as_of.sql",),
    ),
    Rule("union", r"\bunion\b(?!\s+(?:all|distinct)\b)", "select 1 union select 2", "select 1 union distinct select 2"),
    Rule(
        "decimal",
        r"\b(?:decimal|numeric)\s*\(",
        "select cast(a as decimal(28, 12)) as b",
        "select cast(a as {{ type_decimal(28, 12) }}) as b",
        # one engine's own, and the type's
        free=("macros/money/types.sql", "macros/money/product.sql", "macros/money/ratio.sql"),
    ),
    Rule(
        "week",
        r"date_trunc\(\s*'week'|dayofweek|\bextract\s*\(\s*dow\b",
        "select {{ dbt.date_trunc('week', 'usage_date') }}",
        "select {{ dbt.date_trunc('month', 'usage_date') }} as month_start_date, day_number - mod(day_number + 2, 7)",
    ),
    Rule("join-on-truth", r"\bon\s+(?:1\s*=\s*1|true)\b", "left join b on 1 = 1", "left join b on a.one = b.one"),
    Rule(
        "division",
        # a slash alone in quotes is a letter, also within Jinja
        r"(?<!')/(?!')",
        "select cost_usd / requests as cost_per_request",
        "select {{ ratio('cost_usd', 'requests') }} as cost_per_request, 'n/a' as note",
        folders=("models",),
    ),
    Rule(
        "float-money",
        rf"\bas\s+{FLOAT_TYPE}\s*\)+\s*as\s+{MONEY_NAME}\b|\bcast\s*\(\s*(?:\w+\.)?{MONEY_NAME}\s+as\s+{FLOAT_TYPE}",
        "select cast(a as {{ dbt.type_float() }}) as cost_usd",
        "select cast(a as double) as cost_ratio, {{ money('a') }} as cost_usd",
    ),
    Rule(
        "float-money-column",
        rf"-\s+name:\s*{MONEY_NAME}\s*\n(?:(?!\s*-\s+name:).*\n)*?\s*data_type:\s*[\"']?{FLOAT_TYPE}",
        "- name: cost_usd\n  description: Money\n  data_type: double\n",
        '- name: cost_usd\n  data_type: "{{ type_money() }}"\n- name: cost_ratio\n  data_type: double\n',
        suffix=".yml",
        folders=("models",),
    ),
    Rule(
        "long-name",
        r"\b[a-z_]\w{40,}",
        f"select a as {'a' * 41}",
        f"select a as {'a' * 40}",
        free=("macros/governance/check_names.sql",),  # it names a flag of dbt
    ),
)
DOUBLE_COLON = next(rule for rule in RULES if rule.name == "double-colon")

_SKIPPED_OR_KEPT = re.compile(
    r"(?P<comment>\{#.*?#\}|--[^\n]*|/\*.*?\*/)|(?P<jinja>\{\{.*?\}\}|\{%.*?%\})|(?P<text>'[^']*')", re.DOTALL
)


def without_comments_and_literals(sql: str) -> str:
    """The SQL that an engine would see, line by line; Jinja keeps its strings, for they hold SQL."""

    def replacement(match: re.Match[str]) -> str:
        found = match.group()
        if match["jinja"] or (match["text"] and re.search(r"\{\{|\}\}|\{%|%\}", found)):
            return found
        lines = "\n" * found.count("\n")
        return lines if match["comment"] else f"'{lines}'"

    return _SKIPPED_OR_KEPT.sub(replacement, sql)


def violations(text: str, rule: Rule) -> Iterator[int]:
    """Line numbers, from 1, where `text` breaks `rule`."""
    code = without_comments_and_literals(text) if rule.suffix == ".sql" else text
    for match in re.finditer(rule.pattern, code, re.IGNORECASE):
        yield code.count("\n", 0, match.start()) + 1


def test_all_sql_is_portable() -> None:
    broken = [
        f"{path.relative_to(ROOT)}:{line}:{rule.name}"
        for rule in RULES
        for folder in rule.folders
        for path in sorted((ROOT / folder).rglob(f"*{rule.suffix}"))
        if str(path.relative_to(ROOT)) not in rule.free
        for line in violations(path.read_text(encoding="utf-8"), rule)
    ]
    assert not broken, "\n".join(broken)


def test_file_names_are_relation_names_of_at_most_40_characters() -> None:
    stems = {path.stem for folder in ("models", "seeds") for path in (ROOT / folder).rglob("*.*")}
    assert not sorted(stem for stem in stems if len(stem) > 40)


def test_unit_tests_have_names_that_a_relation_may_have() -> None:
    """dbt builds a relation of the unit test's name, and Postgres takes 63 characters."""
    properties = (yaml.safe_load(path.read_text(encoding="utf-8")) or {} for path in (ROOT / "models").rglob("*.yml"))
    names = [test["name"] for known in properties for test in known.get("unit_tests", [])]
    assert names
    assert not [name for name in names if len(name) > 63]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_catches_its_bad_sample(rule: Rule) -> None:
    assert list(violations(f"select 1\n{rule.bad}\n", rule)) == [2]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_passes_its_good_sample(rule: Rule) -> None:
    assert list(violations(f"select 1\n{rule.good}\n", rule)) == []


@pytest.mark.parametrize("hidden", ["-- a::b", "/* a\n::b */", "{# a::b #}", "select 'a::b' as note"])
def test_comments_and_literals_are_free(hidden: str) -> None:
    assert list(violations(hidden, DOUBLE_COLON)) == []


def test_sql_handed_to_a_macro_as_text_is_not_free() -> None:
    assert list(violations("select\n    {{ money('a::int') }} as a", DOUBLE_COLON)) == [2]
