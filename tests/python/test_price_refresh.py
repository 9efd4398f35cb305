"""The price seeds that `llm-spend prices refresh` writes: what it takes over, what it keeps, what it refuses."""

import csv
import shutil
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from genai_prices.types import (
    ClauseEquals,
    ClauseRegex,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)
from typer.testing import CliRunner

from llm_spend.cli import app
from llm_spend.errors import UserError
from llm_spend.paths import project_dir
from llm_spend.pricing import refresh as price_refresh
from llm_spend.pricing.match_rules import Rule, rule_groups
from llm_spend.pricing.rate_cards import DEFAULT_MODE, USAGE_TYPES, model_rate_cards, quoted_price
from llm_spend.pricing.refresh import Library, RefreshReport, installed_library, refresh, report_lines

PRICE_SEEDS = project_dir() / "seeds" / "prices"
TODAY = date(2026, 11, 21)

Prices = Sequence[tuple[str, str, str]]
"""Price, first day and end, as in the seed."""


def seed_rows(folder: Path, seed: str = "model_prices") -> list[dict[str, str]]:
    with (folder / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def prices(folder: Path, service_tier: str = "default", model: str = "m", usage_type: str = "input") -> Prices:
    return [
        (row["price_usd"], row["valid_from"], row["valid_to"])
        for row in seed_rows(folder)
        if (row["model_id"], row["service_tier"], row["usage_type"]) == (model, service_tier, usage_type)
    ]


def library(*models: ModelInfo, provider: str = "acme", version: str = "0.2.3") -> Library:
    return Library([Provider(provider, provider.title(), "", models=list(models))], f"genai-prices {version}")


def flat(price: str, name: str = "m", variants: Sequence[PriceVariant] = ()) -> ModelInfo:
    return ModelInfo(name, ClauseEquals(name), prices=usd(price), price_variants=list(variants))


def dated(first: str, later: Mapping[date, str], variants: Sequence[PriceVariant] = ()) -> ModelInfo:
    """A model at the price `first`, and from each day on at another."""
    changes = [ConditionalPrice(StartDateConstraint(day), prices=usd(price)) for day, price in later.items()]
    return ModelInfo(
        "m",
        ClauseEquals("m"),
        prices=[ConditionalPrice(prices=usd(first)), *changes],
        price_variants=list(variants),
    )


def batch(price: str, since: date | None = None) -> PriceVariant:
    return PriceVariant({"processing": "batch"}, usd(price), StartDateConstraint(since) if since else None)


def usd(price: str) -> ModelPrice:
    return ModelPrice(input_mtok=Decimal(price))


def refreshed(folder: Path, *versions: tuple[Library, date]) -> RefreshReport:
    """The report of the last of several refreshes of one folder."""
    reports = [refresh(folder, version, day) for version, day in versions]
    return reports[-1]


def texts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def launches(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Acme's batch service began in 2025; what is known of other providers is set aside."""
    path = tmp_path_factory.mktemp("launches") / "launches.csv"
    path.write_text(
        "provider_id,service_tier,launched_on,source_url\nacme,batch,2025-03-01,https://acme.example/batch\n", "utf-8"
    )
    monkeypatch.setattr(price_refresh, "LAUNCHES", path)


def test_the_price_seeds_are_those_of_the_installed_library(tmp_path: Path) -> None:
    copy = shutil.copytree(PRICE_SEEDS, tmp_path / "prices")
    for day in (TODAY, date(2027, 6, 1)):
        report = refresh(copy, installed_library(), day)
        assert all(change.added == change.changed == change.removed == 0 for change in report.seeds)
        assert [*report.new_models, *report.price_changes, *report.withdrawn, *report.outdated_corrections] == []
        assert texts(copy) == texts(PRICE_SEEDS)


def test_a_refresh_into_no_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a directory"):
        refresh(tmp_path / "nowhere", library(flat("2")), TODAY)


def test_a_seed_with_other_columns_is_not_overwritten(tmp_path: Path) -> None:
    refresh(tmp_path, library(flat("2")), TODAY)
    path = tmp_path / "model_prices.csv"
    path.write_text(path.read_text("utf-8").replace(",speed,", ",pace,"), "utf-8")
    before = texts(tmp_path)
    with pytest.raises(UserError, match="other columns"):
        refresh(tmp_path, library(flat("3")), TODAY)
    assert texts(tmp_path) == before


def test_a_new_model_is_taken_as_it_is(tmp_path: Path) -> None:
    report = refreshed(tmp_path, (library(flat("2")), TODAY), (library(flat("2"), flat("5", "n")), TODAY))
    assert report.new_models == [("acme", "n")]
    assert not report.price_changes
    assert prices(tmp_path, model="n") == [("5", "", "")]


def test_a_price_that_changes_without_a_date_holds_from_the_day_of_the_refresh(tmp_path: Path) -> None:
    report = refreshed(tmp_path, (library(flat("2")), date(2026, 1, 1)), (library(flat("3")), TODAY))
    assert prices(tmp_path) == [("2", "", "2026-11-21"), ("3", "2026-11-21", "")]
    [change] = report.price_changes
    assert (change.old, change.new, change.percent, change.valid_from) == (2, 3, 50, TODAY)


def test_a_change_that_the_library_dates_holds_from_its_date(tmp_path: Path) -> None:
    later = library(dated("2", {date(2026, 10, 5): "3", date(2027, 1, 1): "4"}))
    refreshed(tmp_path, (library(flat("2")), date(2026, 1, 1)), (later, TODAY))
    assert prices(tmp_path) == [
        ("2", "", "2026-10-05"),
        ("3", "2026-10-05", "2027-01-01"),
        ("4", "2027-01-01", ""),
    ]


def test_a_dated_change_after_an_undated_one_keeps_both_days(tmp_path: Path) -> None:
    refreshed(
        tmp_path,
        (library(flat("2")), date(2026, 1, 1)),
        (library(flat("3")), date(2026, 6, 1)),
        (library(dated("3", {date(2026, 9, 1): "4"})), TODAY),
    )
    assert prices(tmp_path) == [
        ("2", "", "2026-06-01"),
        ("3", "2026-06-01", "2026-09-01"),
        ("4", "2026-09-01", ""),
    ]


def test_a_past_that_the_library_rewrites_stays_as_it_was(tmp_path: Path) -> None:
    first, rewritten = dated("2", {date(2026, 3, 1): "3"}), dated("1", {date(2026, 4, 1): "3"})
    report = refreshed(tmp_path, (library(first), date(2026, 3, 1)), (library(rewritten), TODAY))
    assert prices(tmp_path) == [("2", "", "2026-03-01"), ("3", "2026-03-01", "")]
    assert not report.price_changes


def test_a_known_day_with_another_price_is_a_change_of_today(tmp_path: Path) -> None:
    refreshed(
        tmp_path,
        (library(dated("2", {date(2026, 3, 1): "3"})), date(2026, 3, 1)),
        (library(dated("2", {date(2026, 3, 1): "4"})), TODAY),
    )
    assert prices(tmp_path) == [
        ("2", "", "2026-03-01"),
        ("3", "2026-03-01", "2026-11-21"),
        ("4", "2026-11-21", ""),
    ]


def test_an_announced_change_that_is_called_off_is_gone(tmp_path: Path) -> None:
    refreshed(tmp_path, (library(dated("2", {date(2027, 1, 1): "3"})), date(2026, 6, 1)), (library(flat("2")), TODAY))
    assert prices(tmp_path) == [("2", "", "")]


def test_a_second_refresh_changes_nothing_also_on_a_later_day(tmp_path: Path, launches: None) -> None:
    first = library(flat("2"), flat("7", "gone"))
    second = library(dated("3", {date(2026, 12, 1): "4"}, [batch("1", date(2026, 10, 14))]), flat("5", "n"))
    refreshed(tmp_path, (first, date(2026, 1, 1)), (second, TODAY))
    once = texts(tmp_path)
    for day in (TODAY, date(2026, 11, 22), date(2027, 8, 1)):
        report = refresh(tmp_path, second, day)
        assert texts(tmp_path) == once
        assert [*report.new_models, *report.price_changes] == []


def test_a_price_that_stays_says_where_it_was_first_from(tmp_path: Path) -> None:
    refreshed(
        tmp_path, (library(flat("2")), TODAY), (library(flat("2"), flat("5", "n"), version="0.2.4"), date(2026, 12, 1))
    )
    assert [(row["model_id"], row["source"]) for row in seed_rows(tmp_path)] == [
        ("m", "genai-prices 0.2.3"),
        ("n", "genai-prices 0.2.4"),
    ]


def test_a_withdrawn_model_keeps_prices_rules_and_entry_and_goes_last(tmp_path: Path) -> None:
    first = library(flat("2", "a"), flat("3", "b"), flat("4", "c"))
    report = refreshed(tmp_path, (first, date(2026, 1, 1)), (library(flat("4", "c"), flat("9", "d")), TODAY))
    assert report.withdrawn == [("acme", "a"), ("acme", "b")]
    assert prices(tmp_path, model="a") == [("2", "", "")]
    for seed in ("models", "model_rules"):
        assert [(row["model_id"], row["model_ordinal"]) for row in seed_rows(tmp_path, seed)] == [
            ("a", "3"),
            ("b", "4"),
            ("c", "1"),
            ("d", "2"),
        ]


def test_a_withdrawn_provider_keeps_its_entry_and_goes_last(tmp_path: Path) -> None:
    gone = Provider("gone", "Gone", "", provider_match=ClauseEquals("gone"), models=[flat("2")])
    stays = Provider("stays", "Stays", "", provider_match=ClauseEquals("stays"), models=[flat("2")])
    refreshed(tmp_path, (Library([gone, stays], "x 1"), TODAY), (Library([stays], "x 1"), TODAY))
    for seed in ("providers", "provider_rules"):
        assert [(row["provider_id"], row["provider_ordinal"]) for row in seed_rows(tmp_path, seed)] == [
            ("gone", "2"),
            ("stays", "1"),
        ]


def test_a_service_tier_that_the_library_drops_pays_the_default_from_then_on(tmp_path: Path) -> None:
    refreshed(tmp_path, (library(flat("2", variants=[batch("1")])), date(2026, 1, 1)), (library(flat("2")), TODAY))
    assert prices(tmp_path, "batch") == [("1", "", "2026-11-21"), ("2", "2026-11-21", "")]
    assert prices(tmp_path) == [("2", "", "")]


def test_a_service_tier_that_appears_without_a_date_holds_from_the_day_of_the_refresh(tmp_path: Path) -> None:
    refreshed(tmp_path, (library(flat("2")), date(2026, 1, 1)), (library(flat("2", variants=[batch("1")])), TODAY))
    assert prices(tmp_path, "batch") == [("2", "", "2026-11-21"), ("1", "2026-11-21", "")]


@pytest.mark.parametrize(("old", "new"), [("2", "24"), ("24", "2"), ("0.1", "1.000001")])
def test_a_price_that_jumps_is_refused_and_nothing_is_written(tmp_path: Path, old: str, new: str) -> None:
    refresh(tmp_path, library(flat(old), flat("7", "other")), date(2026, 1, 1))
    before = texts(tmp_path)
    jump = library(flat(new), flat("8", "other"))
    with pytest.raises(UserError, match=f"acme m input {old} → {new} USD per 1M tokens;.*--allow-jumps") as error:
        refresh(tmp_path, jump, TODAY)
    assert error.value.exit_code == 1
    assert texts(tmp_path) == before
    refresh(tmp_path, jump, TODAY, allow_jumps=True)
    assert prices(tmp_path)[-1] == (new, "2026-11-21", "")


@pytest.mark.parametrize(("old", "new"), [("2", "18"), ("18", "2"), ("2", "20"), ("0", "24"), ("24", "0")])
def test_a_price_that_moves_less_or_from_or_to_nothing_is_taken(tmp_path: Path, old: str, new: str) -> None:
    refreshed(tmp_path, (library(flat(old)), date(2026, 1, 1)), (library(flat(new)), TODAY))
    assert prices(tmp_path) == [(old, "", "2026-11-21"), (new, "2026-11-21", "")]


def test_a_jump_announced_for_later_is_refused_too(tmp_path: Path) -> None:
    refresh(tmp_path, library(flat("2")), date(2026, 1, 1))
    with pytest.raises(UserError, match="2 → 24"):
        refresh(tmp_path, library(dated("2", {date(2027, 1, 1): "24"})), TODAY)


def test_a_new_context_tier_is_compared_with_what_such_calls_paid(tmp_path: Path) -> None:
    def tiered(above: str) -> Library:
        price = TieredPrices(Decimal(2), [Tier(200_000, Decimal(above))])
        return library(ModelInfo("m", ClauseEquals("m"), prices=ModelPrice(input_mtok=price)))

    refresh(tmp_path, library(flat("2")), date(2026, 1, 1))
    with pytest.raises(UserError, match="2 → 21"):
        refresh(tmp_path, tiered("21"), TODAY)
    [change] = refresh(tmp_path, tiered("4"), TODAY).price_changes
    assert (change.line.context_above_tokens, change.old, change.new) == ("200000", 2, 4)


def test_the_report_names_what_changed_and_counts_the_rest(tmp_path: Path) -> None:
    old = library(*(flat("2", f"m{n:02}") for n in range(23)), flat("1", "gone"))
    new = library(*(flat("3", f"m{n:02}") for n in range(23)), flat("9", "new"))
    lines = report_lines(refreshed(tmp_path, (old, date(2026, 1, 1)), (new, TODAY)))
    assert lines[:4] == [
        "[bold]Price book[/bold]  genai-prices 0.2.3",
        "[bold]New models[/bold]  1",
        "  acme new",
        "[bold]Changed prices[/bold]  23",
    ]
    assert lines[4] == "  acme m00: input 2 → 3 USD per 1M tokens (+50.0 %) from 2026-11-21"
    assert lines[24] == "  and 3 more"
    assert lines[25:27] == ["[bold]No longer in the library, kept[/bold]  1", "  acme gone"]
    assert "  models: 25 rows, 1 added, 1 changed, 0 removed" in lines


def test_a_service_tier_dated_by_its_verification_holds_from_its_launch(tmp_path: Path, launches: None) -> None:
    refresh(tmp_path, library(flat("2", variants=[batch("1", date(2026, 10, 14))])), TODAY)
    assert prices(tmp_path, "batch") == [("2", "", "2025-03-01"), ("1", "2025-03-01", "")]
    [first, later] = [row for row in seed_rows(tmp_path) if row["service_tier"] == "batch"]
    assert (first["source"], first["note"]) == ("genai-prices 0.2.3", "")
    assert later["source"] == "genai-prices 0.2.3; https://acme.example/batch"
    assert later["note"] == "from 2026-10-14 in genai-prices"
    assert prices(tmp_path) == [("2", "", "")]


def test_a_service_tier_reaches_back_to_the_last_change_of_the_default_only(tmp_path: Path, launches: None) -> None:
    model = dated("8", {date(2025, 6, 10): "2"}, [batch("1", date(2026, 10, 14))])
    refresh(tmp_path, library(model), TODAY)
    assert prices(tmp_path, "batch") == [("8", "", "2025-06-10"), ("1", "2025-06-10", "")]


def test_a_service_tier_that_changes_with_the_default_is_not_dated_back(tmp_path: Path, launches: None) -> None:
    refresh(tmp_path, library(dated("8", {date(2026, 10, 14): "2"}, [batch("1", date(2026, 10, 14))])), TODAY)
    assert prices(tmp_path, "batch") == [("8", "", "2026-10-14"), ("1", "2026-10-14", "")]


def test_only_the_first_price_of_a_service_tier_reaches_back(tmp_path: Path, launches: None) -> None:
    later = batch("1.5", date(2026, 12, 1))
    refresh(tmp_path, library(dated("2", {date(2026, 12, 1): "3"}, [later, batch("1", date(2026, 10, 14))])), TODAY)
    assert prices(tmp_path, "batch") == [
        ("2", "", "2025-03-01"),
        ("1", "2025-03-01", "2026-12-01"),
        ("1.5", "2026-12-01", ""),
    ]


def test_without_a_source_for_the_launch_a_service_tier_stays_as_dated(tmp_path: Path, launches: None) -> None:
    model = flat("2", variants=[batch("1", date(2026, 10, 14))])
    refresh(tmp_path, library(model, provider="unheard"), TODAY)
    assert prices(tmp_path, "batch") == [("2", "", "2026-10-14"), ("1", "2026-10-14", "")]


def test_every_launch_is_a_day_with_a_source() -> None:
    with price_refresh.LAUNCHES.open(encoding="utf-8", newline="") as file:
        launched = list(csv.DictReader(file))
    keys = [(row["provider_id"], row["service_tier"]) for row in launched]
    assert keys == sorted(set(keys))
    assert all(row["source_url"].startswith("https://") for row in launched)
    assert all(date(2023, 1, 1) < date.fromisoformat(row["launched_on"]) < TODAY for row in launched)


def test_an_inclusive_threshold_is_written_as_one(tmp_path: Path) -> None:
    def tiered(name: str, start: int) -> ModelInfo:
        price = TieredPrices(Decimal(2), [Tier(start, Decimal(4))])
        return ModelInfo(name, ClauseEquals(name), prices=ModelPrice(input_mtok=price))

    refresh(tmp_path, library(tiered("from", 199_999), tiered("above", 200_000)), TODAY)
    assert [
        (row["model_id"], row["context_above_tokens"], row["context_inclusive"]) for row in seed_rows(tmp_path)
    ] == [
        ("above", "0", "false"),
        ("above", "200000", "false"),
        ("from", "0", "false"),
        ("from", "200000", "true"),
    ]


def test_speeds_and_service_tiers_combine_and_what_no_event_says_stays_out() -> None:
    variants = [
        batch("1"),
        PriceVariant({"speed": "fast"}, usd("4")),
        PriceVariant({"route": "acme/eu"}, usd("9")),
        PriceVariant({"search_type": "web"}, usd("9")),
        PriceVariant({"service_tier": "flex"}, ModelPrice()),
    ]
    cards = model_rate_cards(flat("2", variants=variants))
    assert {tuple(mode): card.context_tiers[0].prices["input_mtok"] for mode, [card] in cards.items()} == {
        ("default", ""): 2,
        ("batch", ""): 1,
        ("default", "fast"): 4,
        ("batch", "fast"): 1,
    }


def test_a_model_of_one_speed_has_no_speed_cards() -> None:
    assert [tuple(mode) for mode in model_rate_cards(flat("2", variants=[batch("1")]))] == [
        ("default", ""),
        ("batch", ""),
    ]


@pytest.fixture
def correction(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Model m of acme costs 6, not 5, except at weekends; written when the library said 5."""
    folder = tmp_path_factory.mktemp("corrections")
    columns = (PRICE_SEEDS / "model_prices.csv").read_text("utf-8").splitlines()[0]
    common = "acme,m,default,,input,0,false,,,,"
    rows = [
        f"{common},{weekdays},{price},1M tokens,https://acme.example/prices,,"
        for weekdays, price in (("mon tue wed thu fri", "6"), ("sat sun", "5"))
    ]
    (folder / "corrections.csv").write_text("\n".join([columns, *rows, ""]), "utf-8")
    (folder / "corrected.csv").write_text(
        "provider_id,model_id,service_tier,speed,usage_type,prices_usd\nacme,m,default,,input,5\n", "utf-8"
    )
    monkeypatch.setattr(price_refresh, "CORRECTIONS", folder / "corrections.csv")
    monkeypatch.setattr(price_refresh, "CORRECTED_PRICES", folder / "corrected.csv")


def test_a_correction_replaces_its_series_and_no_other(tmp_path: Path, correction: None) -> None:
    book = library(flat("5", variants=[batch("2")]), flat("5", "n"))
    report = refresh(tmp_path, book, TODAY)
    assert [
        (row["model_id"], row["service_tier"], row["weekdays"], row["price_usd"], row["source"])
        for row in seed_rows(tmp_path)
    ] == [
        ("m", "batch", "", "2", "genai-prices 0.2.3"),
        ("m", "default", "mon tue wed thu fri", "6", "https://acme.example/prices"),
        ("m", "default", "sat sun", "5", "https://acme.example/prices"),
        ("n", "default", "", "5", "genai-prices 0.2.3"),
    ]
    assert not report.outdated_corrections


def test_a_correction_gives_way_from_the_day_the_library_moves_on(tmp_path: Path, correction: None) -> None:
    versions = [(library(flat("5")), date(2026, 1, 1)), (library(flat("8")), TODAY), (library(flat("8")), TODAY)]
    report = refreshed(tmp_path, *versions)
    assert [tuple(series) for series in report.outdated_corrections] == [("acme", "m", "default", "")]
    assert prices(tmp_path) == [("6", "", "2026-11-21"), ("5", "", "2026-11-21"), ("8", "2026-11-21", "")]


def test_a_correction_of_a_model_that_nobody_has_is_left_out(tmp_path: Path, correction: None) -> None:
    refresh(tmp_path, library(flat("5", "n")), TODAY)
    assert [row["model_id"] for row in seed_rows(tmp_path)] == ["n"]


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def in_force(rows: Sequence[Mapping[str, str]], moment: datetime) -> list[Decimal]:
    """Prices of the rows that hold at a moment, UTC."""

    def holds(row: Mapping[str, str]) -> bool:
        day, clock = moment.date().isoformat(), f"{moment:%H:%M}"
        start, end = row["clock_from"] or "00:00", row["clock_to"] or "24:00"
        return (
            row["valid_from"] <= day < (row["valid_to"] or "9999")
            and (WEEKDAYS[moment.weekday()] in row["weekdays"] or not row["weekdays"])
            and (start <= clock < end if start < end else clock >= start or clock < end)
        )

    return [Decimal(row["price_usd"]) for row in rows if holds(row)]


def shipped(model: str, usage_type: str, service_tier: str = "default") -> list[dict[str, str]]:
    return [
        row
        for row in seed_rows(PRICE_SEEDS)
        if (row["model_id"], row["usage_type"], row["service_tier"], row["provider_id"])
        == (model, usage_type, service_tier, "openai" if model.startswith(("gpt", "o3")) else "deepseek")
    ]


@pytest.mark.parametrize(
    ("model", "moment", "output_price"),
    [
        # Peak and off-peak began at midnight in Beijing, 16:00 UTC the day before.
        ("deepseek-v4-pro", "2026-08-16 02:00", "0.87"),
        ("deepseek-v4-pro", "2026-08-16 15:59", "0.87"),
        ("deepseek-v4-pro", "2026-08-16 16:00", "1.98"),
        ("deepseek-v4-pro", "2026-08-17 00:59", "1.98"),
        ("deepseek-v4-pro", "2026-08-17 01:00", "3.96"),
        ("deepseek-v4-pro", "2026-08-17 04:00", "1.98"),
        ("deepseek-v4-pro", "2026-08-17 09:59", "3.96"),
        ("deepseek-v4-pro", "2026-08-17 10:00", "1.98"),
        # The first Saturday still had peak hours, the first Sunday had none.
        ("deepseek-v4-pro", "2026-08-22 02:00", "3.96"),
        ("deepseek-v4-pro", "2026-08-23 02:00", "1.98"),
        ("deepseek-v4-pro", "2026-08-24 02:00", "3.96"),
        ("deepseek-v4-pro", "2026-08-29 02:00", "1.98"),
        # Friday 25 September and Thursday 1 to Wednesday 7 October were public holidays in China.
        ("deepseek-v4-pro", "2026-09-24 02:00", "3.96"),
        ("deepseek-v4-pro", "2026-09-25 02:00", "1.98"),
        ("deepseek-v4-pro", "2026-09-28 02:00", "3.96"),
        ("deepseek-v4-pro", "2026-10-01 02:00", "1.98"),
        ("deepseek-v4-pro", "2026-10-07 02:00", "1.98"),
        ("deepseek-v4-pro", "2026-10-08 02:00", "3.96"),
        # V4.1 Flash took over from V4 Flash on Thursday 10 September at 04:00 UTC.
        ("deepseek-v4-flash", "2026-08-16 02:00", "0.28"),
        ("deepseek-v4-flash", "2026-09-09 02:00", "1.32"),
        ("deepseek-v4-flash", "2026-09-10 00:59", "0.66"),
        ("deepseek-v4-flash", "2026-09-10 03:59", "1.32"),
        ("deepseek-v4-flash", "2026-09-10 04:00", "0.6"),
        ("deepseek-v4-flash", "2026-09-10 06:00", "1.2"),
        ("deepseek-v4-flash", "2026-09-12 06:00", "0.6"),
        ("deepseek-flash", "2026-11-20 06:00", "1.2"),
        ("deepseek-flash", "2026-11-21 06:00", "0.6"),
        # V3 at V2's price until 8 February 2025, night discount until 5 September, then one price, then V3.2 and V4.
        ("deepseek-chat", "2025-01-20 12:00", "0.28"),
        ("deepseek-chat", "2025-02-08 15:59", "0.28"),
        ("deepseek-chat", "2025-02-08 16:00", "1.1"),
        ("deepseek-chat", "2025-02-26 16:29", "1.1"),
        ("deepseek-chat", "2025-02-26 16:30", "0.55"),
        ("deepseek-chat", "2025-05-01 00:29", "0.55"),
        ("deepseek-chat", "2025-05-01 00:30", "1.1"),
        ("deepseek-chat", "2025-09-05 15:59", "1.1"),
        ("deepseek-chat", "2025-09-05 23:00", "1.68"),
        ("deepseek-chat", "2025-09-29 00:00", "0.42"),
        ("deepseek-chat", "2026-04-24 00:00", "0.28"),
        ("deepseek-reasoner", "2025-01-25 20:00", "2.19"),
        ("deepseek-reasoner", "2025-05-01 20:00", "0.55"),
        ("deepseek-reasoner", "2025-10-01 20:00", "0.42"),
    ],
)
def test_what_deepseek_charged(model: str, moment: str, output_price: str) -> None:
    assert in_force(shipped(model, "output"), datetime.fromisoformat(moment)) == [Decimal(output_price)]


def test_what_deepseek_charged_for_cache_hits_before_and_after_the_cut() -> None:
    flash, pro = shipped("deepseek-v4-flash", "cached_input"), shipped("deepseek-v4-pro", "cached_input")
    before, after = datetime(2026, 4, 26, 12, 14), datetime(2026, 4, 26, 12, 15)
    assert (in_force(flash, before), in_force(flash, after)) == ([Decimal("0.028")], [Decimal("0.0028")])
    assert (in_force(pro, before), in_force(pro, after)) == ([Decimal("0.03625")], [Decimal("0.003625")])


@pytest.mark.parametrize(
    ("model", "service_tier", "moment", "input_price"),
    [
        ("gpt-4o", "batch", "2024-04-14 23:59", "2.5"),
        ("gpt-4o", "batch", "2024-04-15 00:00", "1.25"),
        ("gpt-4o", "batch", "2026-11-21 00:00", "1.25"),
        ("o3", "batch", "2025-06-09 23:59", "10"),
        ("o3", "batch", "2025-06-10 00:00", "1"),
        ("o3", "flex", "2025-06-10 00:00", "1"),
        ("o3", "priority", "2025-07-17 23:59", "2"),
        ("o3", "priority", "2025-07-18 00:00", "3.5"),
        ("o3", "fast", "2026-07-29 23:59", "2"),
        ("o3", "fast", "2026-07-30 00:00", "3.5"),
    ],
)
def test_since_when_openai_offered_its_service_tiers(
    model: str, service_tier: str, moment: str, input_price: str
) -> None:
    found = in_force(shipped(model, "input", service_tier), datetime.fromisoformat(moment))
    assert found == [Decimal(input_price)]


def test_corrected_series_have_one_price_at_every_moment() -> None:
    with price_refresh.CORRECTIONS.open(encoding="utf-8", newline="") as file:
        corrected = list(csv.DictReader(file))
    assert all(row["source"].startswith("https://") for row in corrected)
    for model in {row["model_id"] for row in corrected}:
        by_type = {
            usage_type: [row for row in corrected if (row["model_id"], row["usage_type"]) == (model, usage_type)]
            for usage_type in ("input", "cached_input", "output")
        }
        spans = [
            [tuple(row[column] for column in ("valid_from", "valid_to", "clock_from", "weekdays")) for row in rows]
            for rows in by_type.values()
        ]
        assert spans[0] == spans[1] == spans[2]
        days = {date.fromisoformat(row["valid_from"] or "2024-01-01") for row in by_type["input"]}
        moments = [
            datetime.combine(day, time()) + timedelta(minutes=15 * quarter)
            for day in days
            for quarter in range(-96, 7 * 96)
        ]
        assert {len(in_force(by_type["input"], moment)) for moment in moments} == {1}


def test_the_command_reports_and_refuses_a_day_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(PRICE_SEEDS, tmp_path / "seeds" / "prices")
    monkeypatch.setattr("llm_spend.paths.project_dir", lambda: tmp_path)
    result = CliRunner().invoke(app, ["prices", "refresh", "--on", "2027-01-01"])
    assert result.exit_code == 0
    assert f"Price book  {installed_library().source}" in result.output
    assert "0 added, 0 changed, 0 removed" in result.output
    refused = CliRunner().invoke(app, ["prices", "refresh", "--on", "tomorrow"])
    assert isinstance(refused.exception, UserError)
    assert "--on tomorrow" in str(refused.exception)


def test_a_window_over_midnight_becomes_two() -> None:
    night = ConditionalPrice(TimeOfDateConstraint(time(22, 30), time(6, 0)), prices=ModelPrice(input_mtok=Decimal(1)))
    model = ModelInfo(
        "m", ClauseEquals("m"), prices=[ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(2))), night]
    )
    assert [
        (card.clock_from, card.clock_to, card.context_tiers[0].prices["input_mtok"])
        for card in model_rate_cards(model)[DEFAULT_MODE]
    ] == [("00:00", "06:00", 1), ("06:00", "22:30", 2), ("22:30", "24:00", 1)]


def test_equal_neighbours_are_one_card() -> None:
    same = ModelPrice(input_mtok=Decimal(2))
    later = ConditionalPrice(StartDateConstraint(date(2026, 1, 1)), prices=ModelPrice(input_mtok=Decimal(2)))
    model = ModelInfo("m", ClauseEquals("m"), prices=[ConditionalPrice(prices=same), later])
    assert [(card.valid_from, card.valid_to) for card in model_rate_cards(model)[DEFAULT_MODE]] == [(None, None)]


def test_a_price_is_rounded_half_up_to_12_decimals_per_unit_and_says_so() -> None:
    tokens = USAGE_TYPES["input_mtok"]
    assert quoted_price(Decimal("0.18000000000000002"), tokens) == (
        "0.18",
        "rounded from 0.18000000000000002",
    )
    assert quoted_price(Decimal("0.0000005"), tokens) == ("0.000001", "rounded from 0.0000005")
    assert quoted_price(Decimal("120.00"), tokens) == ("120", "")


@pytest.mark.parametrize(
    ("regex", "rules"),
    [
        (r"^grok-4\.5\[fast=true\]$", (Rule("equals", "grok-4.5[fast=true]"),)),
        (r"^gpt-6-\d{4}$", (Rule("regex", "^gpt-6-[0-9]{4}$"),)),
        (r"^(?!.*-tts(?:$|-))", (Rule("regex", "-tts($|-)", is_negated=True),)),
        (r"^(?![^/]+/)(?:a|b)c", (Rule("regex", "^[^/]+/", is_negated=True), Rule("regex", "^(a|b)c"))),
    ],
)
def test_regular_expressions_become_portable(regex: str, rules: tuple[Rule, ...]) -> None:
    assert rule_groups(ClauseRegex(regex)) == [rules]


def test_a_regular_expression_outside_the_subset_is_refused() -> None:
    with pytest.raises(UserError, match="portable subset"):
        rule_groups(ClauseRegex(r"a(?=b)\w"))
