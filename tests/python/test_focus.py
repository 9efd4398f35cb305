"""The FOCUS export against rules written from the text of FinOps FOCUS 1.2, each also on a row that breaks it."""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml

from conftest import MODELS_ONLY, query, run_cli, write_jsonl
from llm_spend.focus import KEY_OF_DAYS, MARTS, focus_name
from llm_spend.writing import begin_build

Row = Mapping[str, str]
"""A line of the CSV file: a null is the empty text."""

ROOT = Path(__file__).resolve().parents[2]

MANDATORY = {
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
    "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName",
    "ServiceCategory", "ServiceName",
}  # fmt: skip
CONDITIONAL = {
    "AvailabilityZone", "BillingAccountType", "CapacityReservationId", "CapacityReservationStatus", "ChargeFrequency",
    "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus", "CommitmentDiscountType", "CommitmentDiscountUnit", "ConsumedQuantity", "ConsumedUnit",
    "ContractedUnitPrice", "InvoiceId", "ListUnitPrice", "PricingCategory", "PricingCurrency",
    "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice", "RegionId",
    "RegionName", "ResourceId", "ResourceName", "ResourceType", "ServiceSubcategory", "SkuId", "SkuMeter",
    "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName", "SubAccountType", "Tags",
}  # fmt: skip
"""Conditional and recommended: there where they apply. With the mandatory ones they are the 57 columns of 1.2."""

NEVER_NULL = MANDATORY - {"ChargeClass", "PricingQuantity", "PricingUnit"} | {"ChargeFrequency", "ServiceSubcategory"}
NUMBERS = (
    "BilledCost", "ConsumedQuantity", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "ListCost",
    "ListUnitPrice", "PricingQuantity",
)  # fmt: skip
MOMENTS = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
OF_USAGE = (
    "ConsumedQuantity", "PricingQuantity", "PricingCategory", "ListUnitPrice", "ContractedUnitPrice", "SkuId",
    "SkuPriceId",
)  # fmt: skip
ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeClass": {"Correction", ""},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "PricingCategory": {"Standard", "Dynamic", "Committed", "Other", ""},
    # of the two lists of services, the part that language models are in
    "ServiceCategory": {"AI and Machine Learning"},
    "ServiceSubcategory": {
        "AI Platforms", "Bots", "Generative AI", "Machine Learning", "Natural Language Processing",
        "Other (AI and Machine Learning)",
    },
}  # fmt: skip
UNITS = {"Tokens", "Requests", "Seconds", "Characters", "Messages", "Pages"}
"""Plural and capitalized. Tokens, Requests and Seconds are on the recommended list; Characters are its own example of a
count; Messages and Pages are nouns that it lacks."""

NUMBER = re.compile(r"-?\d+(\.\d+)?(E-?\d+)?")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def is_moment(text: str) -> bool:
    try:
        return bool(MOMENT.fullmatch(text)) and bool(moment(text))
    except ValueError:
        return False


def is_month(row: Row) -> bool:
    start, end = moment(row["BillingPeriodStart"]), moment(row["BillingPeriodEnd"])
    return start.day == 1 and start.time() == datetime.min.time() and end == datetime(
        start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=UTC
    )  # fmt: skip


def is_billed_when_used(row: Row) -> bool:
    if row["ChargeClass"] == "Correction":
        return row["ChargePeriodEnd"] <= row["BillingPeriodStart"]
    return row["BillingPeriodStart"] <= row["ChargePeriodStart"] and row["ChargePeriodEnd"] <= row["BillingPeriodEnd"]


def is_unit(text: str) -> bool:
    quantity, _, unit = text.rpartition(" ")
    return unit in UNITS and (not quantity or re.fullmatch(r"[1-9]\d*", quantity) is not None)


def is_flat_object(text: str, kinds: tuple[type, ...], key_pattern: str = ".+") -> bool:
    """One json object, no key twice, no object or list within."""
    try:
        pairs = json.loads(text, object_pairs_hook=lambda pairs: pairs)
    except ValueError:
        return False
    keys = [key for key, _ in pairs] if isinstance(pairs, list) and all(isinstance(p, tuple) for p in pairs) else []
    return (
        len(keys) == len(set(keys)) > 0
        and all(isinstance(value, kinds) for _, value in pairs)
        and all(re.fullmatch(key_pattern, key) for key in keys)
    )


def is_product(row: Row, price: str, cost: str) -> bool:
    if row["ChargeClass"] == "Correction" or not row[price] or not row["PricingQuantity"]:
        return True
    return Decimal(row[price]) * Decimal(row["PricingQuantity"]) == Decimal(row[cost])


@dataclass(frozen=True)
class Rule:
    name: str
    holds: Callable[[Row], bool]
    broken: Mapping[str, str]
    """What breaks it in USAGE."""


RULES = (
    *(Rule(f"{name} is not null", lambda row, name=name: row[name] != "", {name: ""}) for name in sorted(NEVER_NULL)),
    *(
        Rule(f"{name} is an allowed value", lambda row, name=name: row[name] in ALLOWED[name], {name: "usage"})
        for name in ALLOWED
    ),
    *(
        Rule(
            f"{name} is one number, its digits alone",
            lambda row, name=name: not row[name] or NUMBER.fullmatch(row[name]) is not None,
            {name: sample},
        )
        for name, sample in zip(NUMBERS, ("$1", "1,000", "+1", "1e-6", "1/2", ".5", "NaN", "1E+3"), strict=True)
    ),
    *(Rule(f"{name} is ISO 8601 in UTC", lambda row, name=name: is_moment(row[name]), {name: sample})
      for name, sample in zip(MOMENTS, ("2026-10-01", "2026-11-01 00:00:00", "2026-10-05T00:00:00+02:00",
                                        "2026-10-32T00:00:00Z"), strict=True)),
    *(Rule(f"usage has {name}",
           lambda row, name=name: bool(row[name]) or row["ChargeCategory"] != "Usage" or bool(row["ChargeClass"]),
           {name: ""}) for name in OF_USAGE),
    Rule("billing period is a month, its end outside", is_month, {"BillingPeriodEnd": "2026-10-31T00:00:00Z"}),
    Rule("charge period ends after it starts", lambda row: row["ChargePeriodStart"] < row["ChargePeriodEnd"],
         {"ChargePeriodEnd": "2026-10-05T00:00:00Z"}),
    Rule("charge period lies in the billing period, a correction's before it", is_billed_when_used,
         {"ChargePeriodStart": "2026-09-30T00:00:00Z", "ChargePeriodEnd": "2026-10-01T00:00:00Z"}),
    Rule("a row of its own month is no correction", is_billed_when_used, {"ChargeClass": "Correction"}),
    Rule("currency is an ISO code", lambda row: re.fullmatch("[A-Z]{3}", row["BillingCurrency"]) is not None,
         {"BillingCurrency": "$"}),
    Rule("consumed unit goes with its quantity", lambda row: bool(row["ConsumedUnit"]) == bool(row["ConsumedQuantity"]),
         {"ConsumedUnit": ""}),
    Rule("pricing unit goes with its quantity", lambda row: bool(row["PricingUnit"]) == bool(row["PricingQuantity"]),
         {"PricingUnit": ""}),
    Rule("consumed unit is a unit", lambda row: not row["ConsumedUnit"] or is_unit(row["ConsumedUnit"]),
         {"ConsumedUnit": "token"}),
    Rule("pricing unit is a unit, of a whole number", lambda row: not row["PricingUnit"] or is_unit(row["PricingUnit"]),
         {"PricingUnit": "1M Tokens"}),
    Rule("only usage is consumed", lambda row: row["ChargeCategory"] == "Usage" or not row["ConsumedQuantity"],
         {"ChargeCategory": "Adjustment"}),
    Rule("quantity × list price = list cost", lambda row: is_product(row, "ListUnitPrice", "ListCost"),
         {"ListCost": "0.030864000001"}),
    Rule("quantity × agreed price = agreed cost", lambda row: is_product(row, "ContractedUnitPrice", "ContractedCost"),
         {"PricingQuantity": "0.012346"}),
    Rule("without a list price the list cost is the billed cost",
         lambda row: bool(row["ListUnitPrice"]) or Decimal(row["ListCost"]) == Decimal(row["BilledCost"]),
         {"ListUnitPrice": ""}),
    Rule("without an agreed price the agreed cost is the billed cost",
         lambda row: bool(row["ContractedUnitPrice"]) or Decimal(row["ContractedCost"]) == Decimal(row["BilledCost"]),
         {"ContractedUnitPrice": "", "ContractedCost": "0.03"}),
    Rule("unit prices are not negative",
         lambda row: all(Decimal(row[name] or 0) >= 0 for name in ("ListUnitPrice", "ContractedUnitPrice")),
         {"ListUnitPrice": "-2.5"}),
    Rule("nothing is paid in advance, so billed is effective",
         lambda row: Decimal(row["BilledCost"]) == Decimal(row["EffectiveCost"]), {"BilledCost": "0"}),
    Rule("a purchase is not charged by use",
         lambda row: (row["ChargeCategory"], row["ChargeFrequency"]) != ("Purchase", "Usage-Based"),
         {"ChargeCategory": "Purchase"}),
    Rule("meter goes with the SKU", lambda row: bool(row["SkuMeter"]) == bool(row["SkuId"]), {"SkuMeter": ""}),
    Rule("price details are a flat object of custom keys",
         lambda row: not row["SkuPriceDetails"] or is_flat_object(
             row["SkuPriceDetails"], (str, int, float, bool), "x_([A-Z][a-z]*)+"),
         {"SkuPriceDetails": '{"ServiceTier": "batch"}'}),
    Rule("price details need a price", lambda row: bool(row["SkuPriceId"]) or not row["SkuPriceDetails"],
         {"SkuPriceId": ""}),
    Rule("sub account has a name and a type",
         lambda row: bool(row["SubAccountId"]) == bool(row["SubAccountName"]) == bool(row["SubAccountType"]),
         {"SubAccountType": ""}),
    Rule("region has a name", lambda row: bool(row["RegionId"]) == bool(row["RegionName"]), {"RegionId": "eu"}),
    Rule("tags are a flat object of texts", lambda row: not row["Tags"] or is_flat_object(row["Tags"], (str,)),
         {"Tags": '{"team": ["a"]}'}),
    Rule("no word stands for nothing",
         lambda row: not any(value.strip().lower() in ("(unattributed)", "n/a", "not applicable", "unknown", "null")
                             or value != value.strip() for value in row.values()),
         {"x_Team": "(unattributed)"}),
)  # fmt: skip

# A million tokens cost 2.5: 12,345 of them 0.0308625, and 10 % less as agreed, 0.02777625.
USAGE = {
    "BilledCost": "0.027776250000", "BillingAccountId": "openai", "BillingAccountName": "OpenAI",
    "BillingCurrency": "USD", "BillingPeriodEnd": "2026-11-01T00:00:00Z", "BillingPeriodStart": "2026-10-01T00:00:00Z",
    "ChargeCategory": "Usage", "ChargeClass": "", "ChargeDescription": "OpenAI gpt-4o",
    "ChargeFrequency": "Usage-Based",
    "ChargePeriodEnd": "2026-10-06T00:00:00Z", "ChargePeriodStart": "2026-10-05T00:00:00Z",
    "ConsumedQuantity": "12345.000000", "ConsumedUnit": "Tokens", "ContractedCost": "0.027776250000",
    "ContractedUnitPrice": "2.250000000000", "EffectiveCost": "0.027776250000", "InvoiceIssuerName": "OpenAI",
    "ListCost": "0.030862500000", "ListUnitPrice": "2.500000000000", "PricingCategory": "Standard",
    "PricingQuantity": "0.012345", "PricingUnit": "1000000 Tokens", "ProviderName": "OpenAI", "PublisherName": "OpenAI",
    "RegionId": "", "RegionName": "", "ServiceCategory": "AI and Machine Learning", "ServiceName": "OpenAI API",
    "ServiceSubcategory": "Generative AI", "SkuId": "openai/gpt-4o/input", "SkuMeter": "Input Tokens",
    "SkuPriceDetails": '{"x_ServiceTier":"default"}', "SkuPriceId": "openai/gpt-4o/input/default",
    "SubAccountId": "proj_1", "SubAccountName": "proj_1", "SubAccountType": "Project",
    "Tags": '{"environment":"prod"}', "x_Team": "search",
}  # fmt: skip
CORRECTION = USAGE | dict.fromkeys(
    (
        "ConsumedQuantity", "ConsumedUnit", "ContractedUnitPrice", "ListUnitPrice", "PricingCategory",
        "PricingQuantity", "PricingUnit", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId",
        "SubAccountId", "SubAccountName", "SubAccountType", "Tags", "x_Team",
    ),
    "",
) | {
    "BilledCost": "-0.5", "ContractedCost": "-0.5", "EffectiveCost": "-0.5", "ListCost": "-0.5",
    "ChargeCategory": "Adjustment", "ChargeClass": "Correction", "ChargeFrequency": "One-Time",
    "ChargePeriodStart": "2026-09-30T00:00:00Z", "ChargePeriodEnd": "2026-10-01T00:00:00Z",
}  # fmt: skip


def broken_rules(row: Row) -> list[str]:
    """A rule that cannot be judged, because another is broken, does not hold either."""
    found = []
    for rule in RULES:
        try:
            holds = rule.holds(row)
        except (ArithmeticError, ValueError):
            holds = False
        if not holds:
            found.append(rule.name)
    return found


def faults_of_header(header: Sequence[str]) -> Iterator[str]:
    yield from (f"{name} is missing" for name in sorted(MANDATORY - set(header)))
    custom = [name for name in header if name.startswith("x_")]
    yield from (
        f"{name} is no column of 1.2" for name in header if name not in MANDATORY | CONDITIONAL and name not in custom
    )
    yield from (f"{name} is not in Pascal case" for name in custom if not re.fullmatch("x_([A-Z][a-z]*)+", name))
    if list(header) != [*(name for name in header if name not in custom), *custom]:
        yield "a custom column stands before one of the specification"


def faults_of_file(rows: Sequence[Row]) -> Iterator[str]:
    """What no row can show alone: one price has one SKU and one set of details, one service one category."""
    for key, value in (("SkuPriceId", "SkuId"), ("SkuPriceId", "SkuPriceDetails"), ("ServiceName", "ServiceCategory")):
        values = defaultdict(set)
        for row in rows:
            values[row[key]].add(row[value])
        yield from (f"{key} {name} has more than one {value}" for name, found in values.items() if len(found) > 1)


def exported(database: Path, month: str, folder: Path) -> list[Row]:
    result = run_cli("export", "focus", "--month", month, "--out", folder, "--db", database)
    assert result.returncode == 0, result.stderr
    with (folder / f"focus_{month}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def total(rows: Sequence[Row], column: str = "EffectiveCost") -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


@pytest.fixture(scope="module")
def months(demo: Path) -> list[str]:
    sql = "select distinct strftime(usage_date_utc, '%Y-%m') from marts.fct_llm_attempts where cost_usd > 0 order by 1"
    return [month for (month,) in query(demo, sql)]


@pytest.fixture(scope="module")
def files(demo: Path, months: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """Month of the demo → its rows."""
    folder = tmp_path_factory.mktemp("focus")
    return {month: exported(demo, month, folder / "new") for month in months}


def test_the_good_rows_break_no_rule() -> None:
    assert (broken_rules(USAGE), broken_rules(CORRECTION)) == ([], [])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_finds_the_row_that_breaks_it(rule: Rule) -> None:
    assert rule.name in broken_rules(USAGE | rule.broken)


def test_a_bad_header_is_found() -> None:
    header = ["x_Team", "x_tenant_id", *sorted(MANDATORY - {"ListCost"}), "Cost"]
    assert list(faults_of_header(header)) == [
        "ListCost is missing",
        "Cost is no column of 1.2",
        "x_tenant_id is not in Pascal case",
        "a custom column stands before one of the specification",
    ]


def test_a_price_of_two_skus_is_found() -> None:
    assert list(faults_of_file([USAGE, USAGE | {"SkuId": "openai/gpt-4o/output"}])) == [
        "SkuPriceId openai/gpt-4o/input/default has more than one SkuId"
    ]


def test_the_demo_follows_every_rule(files: dict[str, list[Row]]) -> None:
    assert len(files) >= 2
    for month, rows in files.items():
        assert not list(faults_of_header(list(rows[0])))
        assert not list(faults_of_file(rows))
        found = {name for row in rows for name in broken_rules(row)}
        assert not found, (month, found)
        assert {row["BillingPeriodStart"][:7] for row in rows} == {month}


def test_the_months_add_up_to_all_attempts(demo: Path, files: dict[str, list[Row]]) -> None:
    cost, list_cost = query(demo, "select sum(cost_usd), sum(list_cost_usd) from marts.fct_llm_attempts")[0]
    assert sum(map(total, files.values())) == cost
    # nothing of the demo has a reported cost, so all of its list cost is a price's
    assert sum(total(rows, "ListCost") for rows in files.values()) == list_cost


def test_tokens_are_those_of_the_components(demo: Path, files: dict[str, list[Row]]) -> None:
    """Usage type → what was billed of it, by another way through the data."""
    components = query(demo, "select usage_type, sum(quantity) from marts.fct_cost_components group by usage_type")
    consumed: dict[str, Decimal] = defaultdict(Decimal)
    for rows in files.values():
        for row in rows:
            consumed[row["x_UsageType"]] += Decimal(row["ConsumedQuantity"])
    assert consumed == {usage_type: Decimal(quantity) for usage_type, quantity in components}
    assert consumed["cached_input"] > 0


def test_all_scopes_are_there(demo: Path, files: dict[str, list[Row]]) -> None:
    outside = [
        row for rows in files.values() for row in rows if (row["x_Environment"], row["x_DataMode"]) != ("prod", "real")
    ]
    ((expected,),) = query(demo, "select sum(cost_usd) from marts.fct_llm_attempts where not is_in_scope")
    assert total(outside) == expected > 0


def test_parquet_holds_the_same_in_types(demo: Path, files: dict[str, list[Row]], tmp_path: Path) -> None:
    month, rows = next(iter(files.items()))
    exported(demo, month, tmp_path)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        parquet = connection.read_parquet(str(tmp_path / f"focus_{month}.parquet"))
        types = dict(zip(parquet.columns, map(str, parquet.types), strict=True))
        same = connection.execute(
            f"""
            select {
                ", ".join(
                    f"strftime({name}, '%Y-%m-%dT%H:%M:%SZ')"
                    if name in MOMENTS
                    else f"coalesce(cast({name} as varchar), '')"
                    for name in parquet.columns
                )
            }
            from parquet
            """
        ).fetchall()
    assert [tuple(row.values()) for row in rows] == same
    assert {types[name] for name in MOMENTS} == {"TIMESTAMP WITH TIME ZONE"}
    assert all(types[name].startswith("DECIMAL") for name in NUMBERS)


def test_the_same_rows_are_the_same_file(demo: Path, months: list[str], tmp_path: Path) -> None:
    for folder in ("one", "two"):
        exported(demo, months[0], tmp_path / folder)
    name = f"focus_{months[0]}.csv"
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [name, f"focus_{months[0]}.parquet"]


@pytest.mark.parametrize("mart", MARTS)
def test_names_of_the_marts_are_those_of_the_specification(mart: str) -> None:
    """By one rule, and both marts have the same columns of the same types."""
    path = ROOT / "models" / "marts" / "finops" / f"{mart}.yml"
    columns = yaml.safe_load(path.read_text(encoding="utf-8"))["models"][0]["columns"]
    names = [focus_name(column["name"]) for column in columns if column["name"] != KEY_OF_DAYS]
    assert not list(faults_of_header(names))
    first = yaml.safe_load(path.with_name(f"{MARTS[0]}.yml").read_text(encoding="utf-8"))["models"][0]["columns"]
    assert [(c["name"], c["data_type"]) for c in columns] == [(c["name"], c["data_type"]) for c in first]


def test_the_specification_has_57_columns() -> None:
    assert len(MANDATORY) == 21
    assert len(MANDATORY | CONDITIONAL) == 57


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("sku_id", "SkuId"),
        ("charge_period_start", "ChargePeriodStart"),
        ("x_price_id", "x_PriceId"),
        ("tags", "Tags"),
    ],
)
def test_a_column_is_named_as_the_specification_does(column: str, name: str) -> None:
    assert focus_name(column) == name


@pytest.mark.slow
def test_a_price_change_leaves_a_closed_month_as_it_was_told(tmp_path: Path) -> None:
    """gpt-4o costs $2.5 and $10 a million: 0.0025 + 0.001 a call; ten percent less is 0.00315, so -0.00035."""
    log = write_jsonl(
        tmp_path / "log.jsonl",
        [{"event_id": day, "started_at": f"{day}T12:00:00Z", "provider": "openai", "model": "gpt-4o",
          "tenant_id": "acme", "input_tokens": 1000, "output_tokens": 100} for day in ("2026-09-30", "2026-10-01")],
    )  # fmt: skip
    database, config = tmp_path / "spend.duckdb", tmp_path / "config"
    config.mkdir()
    built = run_cli("build", "--events", log, "--db", database, "--as-of", "2026-10-05", **MODELS_ONLY)
    assert built.returncode == 0, built.stderr
    told = exported(database, "2026-09", tmp_path)
    assert total(told) == Decimal("0.0035")
    (config / "price_overrides.csv").write_text("provider_id,discount_percent\nopenai,10\n", encoding="utf-8")
    built = run_cli("build", "--config", config, "--db", database, "--as-of", "2026-10-06", **MODELS_ONLY)
    assert built.returncode == 0, built.stderr

    september, october = (exported(database, month, tmp_path) for month in ("2026-09", "2026-10"))
    assert total(september) == total(told)
    assert {(row["ChargeCategory"], row["ChargeClass"]): total([row]) for row in september if not row["SkuId"]} == {
        ("Adjustment", ""): Decimal("0.00035")
    }
    # October itself is open: its call is repriced in place
    assert total([row for row in october if row["SkuId"]]) == Decimal("0.00315")
    (correction,) = [row for row in october if row["ChargeClass"]]
    assert (correction["ChargeClass"], correction["ChargePeriodStart"]) == ("Correction", "2026-09-30T00:00:00Z")
    assert total([correction]) == Decimal("-0.00035")
    assert [broken_rules(row) for row in (*september, *october)] == [[]] * len((*september, *october))
    assert query(database, "select sum(cost_usd) from marts.fct_llm_attempts") == [(total(september) + total(october),)]


def refused(*arguments: object) -> tuple[int, str]:
    """The exit code and the one line of an export that writes nothing."""
    result = run_cli("export", "focus", *arguments)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return result.returncode, line.removeprefix("error: ")


def test_an_empty_month_is_told_which_there_are(demo: Path, months: list[str], tmp_path: Path) -> None:
    known = f"there are {', '.join(months)}"
    for arguments, message in (
        (["--month", "2019-02"], f"--month 2019-02: no charges were billed in it; {known}"),
        (["--month", "2026-13"], "--month 2026-13: not a month, such as 2026-10"),
        (["--month", "2026-10-01"], "--month 2026-10-01: not a month, such as 2026-10"),
        ([], f"--month is missing: {known}"),
    ):
        assert refused(*arguments, "--db", demo, "--out", tmp_path) == (2, message)
    assert not list(tmp_path.iterdir())


def test_a_database_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    none, empty, text = (tmp_path / f"{name}.duckdb" for name in ("none", "empty", "text"))
    duckdb.connect(str(empty)).close()
    text.write_text("not a database\n" * 1000, encoding="utf-8")
    for database in (none, empty):
        assert refused("--month", "2026-10", "--db", database) == (
            2,
            f"{database} holds no FOCUS rows yet: run llm-spend demo or llm-spend build first",
        )
    code, message = refused("--month", "2026-10", "--db", text)
    assert (code, message.startswith(f"{text} cannot be opened as a DuckDB database")) == (2, True)


def test_a_build_that_failed_is_not_exported(tmp_path: Path) -> None:
    database = tmp_path / "spend.duckdb"
    begin_build(database)
    code, message = refused("--month", "2026-10", "--db", database)
    assert (code, message.endswith("did not end well: build again first")) == (1, True)


def test_a_folder_that_cannot_be_written_is_one_line(demo: Path, months: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, message = refused("--month", months[0], "--db", demo, "--out", tmp_path / "file")
    assert (code, message.startswith(f"--out {tmp_path / 'file'}: cannot be written (")) == (2, True)
