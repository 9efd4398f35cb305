"""The weekly review: the meeting's rows against the facts, and a page that no name can break."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from conftest import query, run_cli
from llm_spend.errors import UserError
from llm_spend.review import Row, html, markdown, review

WEEK = date(2026, 10, 5)


def row(entity_id: str, **fields: object) -> Row:
    given = {
        "section": "top_tenants", "entity_type": "tenant", "entity_id": entity_id, "measure": "spend",
        "amount": Decimal("12.5"), "compared_with": "week before", "compared": Decimal(10), "change": 0.25,
        "owner": None, "decision": None,
    }  # fmt: skip
    return Row(**(given | fields))


def test_the_demo_review_finds_what_was_planted_in_that_week(demo: Path) -> None:
    monday, is_complete, rows = review(demo, date(2026, 10, 8))
    assert (monday, is_complete) == (WEEK, True)
    decided = {(found.section, found.entity_id) for found in rows if found.decision}
    assert ("prompt_versions", "checkout.summary summarizer_v4") in decided
    assert ("margin", "tidepool") in decided
    assert ("budgets", "checkout.summary") in decided


def test_the_top_tenants_are_those_of_the_facts(demo: Path) -> None:
    # straight from the attempts, with the week's dates written out
    expected = query(
        demo,
        """
        with spend as (
            select tenant_id, sum(case when usage_date >= '2026-10-05' then cost_usd else 0 end) as this_week,
                sum(case when usage_date < '2026-10-05' then cost_usd end) as week_before
            from marts.fct_llm_attempts
            where is_in_scope and usage_date between '2026-09-28' and '2026-10-11' group by tenant_id
        )
        select * from spend order by this_week desc limit 5
        """,
    )
    _, _, rows = review(demo, WEEK)
    found = [(each.entity_id, each.amount, each.compared) for each in rows if each.section == "top_tenants"]
    assert found == expected


def test_every_outlier_had_such_a_day(demo: Path) -> None:
    _, _, rows = review(demo, WEEK)
    outliers = [each for each in rows if each.section == "outliers"]
    assert outliers
    for outlier in outliers:
        column = {"tenant": "tenant_id", "workflow": "workflow_id"}[outlier.entity_type]
        days = "select sum(cost_usd) as day_usd from marts.fct_llm_attempts where is_in_scope and {column} = ? and usage_date between {span} group by usage_date having day_usd > 0 order by 1"  # noqa: E501
        this = query(demo, days.format(column=column, span="'2026-10-05' and '2026-10-11'"), outlier.entity_id)
        before = query(demo, days.format(column=column, span="'2026-09-28' and '2026-10-04'"), outlier.entity_id)
        assert outlier.amount == this[-1][0]
        assert outlier.compared == before[(len(before) - 1) // 2][0]
        assert outlier.amount > 3 * outlier.compared


def test_without_a_week_it_is_the_last_whole_one(demo: Path) -> None:
    assert review(demo, None)[:2] == (date(2026, 10, 19), True)


def test_a_week_without_spend_says_which_there_are(demo: Path) -> None:
    with pytest.raises(UserError, match="reviews exist from 2026-08-31 to 2026-10-19"):
        review(demo, date(2025, 1, 1))


def test_what_to_decide_comes_first_with_its_amounts_and_owner() -> None:
    text = markdown(WEEK, True, [row("acme"), row("beta", section="outliers", decision="Ask why", owner="ana")])
    assert text.index("**tenant beta**: Ask why. $12.50 spend against $10.00 week before. Owner: ana.") < text.index(
        "| tenant acme | $12.50 | $10.00 | +25.0% |"
    )
    assert "not over yet" not in text
    assert "Nothing that the rules" in markdown(WEEK, False, [row("acme")])
    assert "(not over yet)" in markdown(WEEK, False, [row("acme")])


def test_a_name_is_neither_markup_nor_a_column() -> None:
    name = "a|b\n# <script>alert(1)</script> [x](javascript:y) *z* _q_ some_name"
    page = html(markdown(WEEK, True, [row(name)]))
    cells = page.split("<td")
    assert len(cells) == 5  # four of one row: a bar in a name begins no other
    shown = "a|b # &lt;script&gt;alert(1)&lt;/script&gt; [x](javascript:y) *z* _q_ some_name"
    assert f">tenant {shown}<" in page


def test_the_page_loads_nothing_from_elsewhere(demo: Path, tmp_path: Path) -> None:
    target = tmp_path / "review.html"
    result = run_cli("review", "--db", demo, "--week", "2026-10-05", "--to", target)
    assert result.returncode == 0, result.stderr
    page = target.read_text(encoding="utf-8")
    assert "<h1>LLM spend, week of 2026-10-05</h1>" in page
    assert not [tag for tag in ("http:", "https:", "<script", "<link", "<img", "url(") if tag in page]
    printed = run_cli("review", "--db", demo, "--week", "2026-10-05").stdout
    assert printed.startswith("# LLM spend, week of 2026-10-05\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--week", "last"), "--week last: not an ISO 8601 day"),
        (("--to", "review.pdf"), "name a file that ends in .md or .html"),
    ],
)
def test_a_wrong_option_is_one_line(demo: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run_cli("review", "--db", demo, *arguments)
    assert result.returncode == 2
    assert said in result.stderr
