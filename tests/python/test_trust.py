"""The demo's flaws of instrumentation at their labelled sizes, and lists of the settings that must not fall behind."""

import re
import tomllib
from datetime import datetime
from pathlib import Path

import yaml

from conftest import query

ROOT = Path(__file__).resolve().parents[2]
OUTCOMES = {"duplicate": "redeliveries", "quarantined": "quarantine", "rejected": "rejected"}
"""What became of a row, and the planted incident that says how often."""

SETTINGS = ROOT / "models" / "marts" / "quality" / "package_settings.sql"


def planted(demo: Path, incident: str) -> tuple[str, datetime, datetime, int]:
    ((entity, starts, ends, size),) = query(
        demo,
        "select entity_id, starts_at, ends_at, expected_value from raw.demo_planted_incidents where incident_id = ?",
        incident,
    )
    return entity, datetime.fromisoformat(starts), datetime.fromisoformat(ends), int(size)


def failed(demo: Path, check: str) -> list[tuple]:
    """Day, failed calls and the tenant, endpoint and model of the example, of the days on which a check fails."""
    return query(
        demo,
        """
        select health.usage_date, health.failed_calls, attempts.tenant_id, attempts.endpoint_tag, attempts.model
        from marts.instrumentation_health as health
        left join marts.fct_llm_attempts as attempts
            on health.source = attempts.source and health.example_event_id = attempts.event_id
        where health.check_name = ? and health.failed_calls > 0
        order by health.usage_date
        """,
        check,
    )


def test_the_load_test_sent_as_production_has_its_size(demo: Path) -> None:
    tenant, starts, _, size = planted(demo, "test_as_production")
    ((day, calls, caller, endpoint, _),) = failed(demo, "staging_in_production")
    assert (tenant, size) == ("qa-loadtest", 216)
    assert (day, calls, caller, endpoint) == (starts.date(), size, tenant, "product.search")
    ((at_stake, spent),) = query(
        demo,
        """
        select
            (select sum(cost_usd) from marts.instrumentation_health where check_name = 'staging_in_production'),
            (select sum(cost_usd) from marts.fct_llm_attempts where tenant_id = ? and is_in_scope)
        """,
        tenant,
    )
    assert at_stake == spent > 0


def test_the_new_id_per_retry_client_has_its_size(demo: Path) -> None:
    tenant, starts, ends, size = planted(demo, "new_id_per_retry")
    days = failed(demo, "new_id_per_retry")
    assert (tenant, size) == ("quill-media", 27)
    assert sum(calls for _, calls, *_ in days) == size
    assert {(caller, endpoint) for _, _, caller, endpoint, _ in days} == {(tenant, "document.analysis")}
    assert all(starts.date() <= day < ends.date() for day, *_ in days)


def test_missing_usage_has_its_size(demo: Path) -> None:
    _, _, _, size = planted(demo, "usage_missing")
    assert sum(calls for _, calls, *_ in failed(demo, "missing_tokens")) == size == 12


def test_the_silent_switch_fails_in_its_first_week_alone(demo: Path) -> None:
    endpoint, starts, _, _ = planted(demo, "silent_switch")
    days = failed(demo, "silent_model_change")
    assert {(tag, model) for *_, tag, model in days} == {(endpoint, "gpt-4o")}
    assert all(0 <= (day - starts.date()).days <= 7 for day, *_ in days)


def test_the_undeclared_endpoint_is_outside_the_taxonomy_on_each_of_its_days(demo: Path) -> None:
    expected = query(
        demo,
        """
        select usage_date, count(*) from marts.fct_llm_attempts where endpoint_tag = 'email.digest'
        group by usage_date order by usage_date
        """,
    )
    assert [(day, calls) for day, calls, *_ in failed(demo, "tag_outside_taxonomy")] == expected != []


def test_the_alias_of_the_renamed_endpoint_mends_its_history(demo: Path) -> None:
    assert failed(demo, "renamed_tag") == []


def test_every_check_stands_on_every_day_and_in_the_document(demo: Path) -> None:
    checks = {name for (name,) in query(demo, "select distinct check_name from marts.instrumentation_health")}
    headings = set(re.findall(r"^## (\w+)$", (ROOT / "docs" / "health.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert checks == headings
    assert (
        query(
            demo,
            f"""
        select distinct source, usage_date from marts.fct_llm_attempts
        except select source, usage_date from marts.instrumentation_health
        group by source, usage_date having count(*) = {len(checks)}
        """,
        )
        == []
    )


def test_the_outcomes_hold_every_row_and_dollar(demo: Path) -> None:
    ((raw, rows),) = query(
        demo,
        """
        select (select sum(raw_rows + raw_rows_gone) from marts.spend_coverage),
            (select sum(row_count) from marts.spend_coverage_by_outcome)
        """,
    )
    assert raw == rows
    sizes = dict(query(demo, "select outcome, row_count from marts.spend_coverage_by_outcome"))
    planted_sizes = {name: planted(demo, label)[3] for name, label in OUTCOMES.items()}
    assert {name: sizes[name] for name in OUTCOMES} == planted_sizes


def test_the_package_says_its_own_version() -> None:
    macro = (ROOT / "macros" / "governance" / "versions.sql").read_text(encoding="utf-8")
    version = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["version"]
    assert f"{{% macro package_version() %}}{{{{ return('{version}') }}}}" in macro
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == version
    for guide in ("CHANGELOG.md", "docs/upgrading.md"):
        sections = re.findall(r"^## (\S+)", (ROOT / guide).read_text(encoding="utf-8"), re.MULTILINE)
        assert sections[0] == version, f"{guide} begins with another release"


def test_every_configuration_file_is_counted_among_the_settings() -> None:
    counted = re.findall(
        r"^    '(\w+)': (?:ref|config_seed)\('(\w+)'\)", SETTINGS.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [name for name, file in counted if name != file] == []
    assert {name for name, _ in counted} == {path.stem for path in (ROOT / "seeds" / "config").glob("*.csv")}
