"""The weekly review as Markdown or as one HTML page. Every number is the mart's; this module only lays it out."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from markdown_it import MarkdownIt

from llm_spend.database import connect
from llm_spend.errors import UserError
from llm_spend.summary import percent_change, usd

SECTIONS = {
    "spend": "Spend",
    "top_tenants": "Top tenants",
    "top_workflows": "Top workflows",
    "outliers": "Above three times their median day",
    "cost_per_success": "Cost of a successful task",
    "run_costs": "Dearest workflow runs",
    "prompt_versions": "New prompt versions",
    "waste": "Wasted on attempts that answered nothing",
    "margin": "Tenants that cost more than they pay",
    "budgets": "Budgets under pressure",
}

NOTHING_TO_DECIDE = "Nothing that the rules of this review ask about."

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #8884; --soft: #8882; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.6rem; }}
h2 {{ font-size: 1.15rem; margin: 2rem 0 .4rem; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: left; overflow-wrap: anywhere; }}
th {{ font-weight: 600; background: var(--soft); }}
tr > :first-child {{ width: 40%; }}
</style>
{body}</html>
"""


@dataclass(frozen=True)
class Row:
    """One row of `marts.weekly_review`: an amount in USD, and what it is compared with."""

    section: str
    entity_type: str
    entity_id: str
    measure: str
    amount: Decimal | None
    compared_with: str | None
    compared: Decimal | None
    change: float | None
    owner: str | None
    decision: str | None

    @property
    def label(self) -> str:
        """`tenant acme`; a total and a prompt version say by themselves what they are."""
        if self.entity_type in ("total", "prompt_version"):
            return self.entity_id
        return f"{self.entity_type.replace('_', ' ')} {self.entity_id}"


def review(database: Path, day: date | None) -> tuple[date, bool, list[Row]]:
    """The review of the week that holds `day`, else of the last whole week: its Monday, whether it is over, its rows.

    UserError where the marts know no spend in that week.
    """
    with connect(database, read_only=True) as connection:
        weeks = connection.execute(
            "select distinct week_start_date, is_complete from marts.weekly_review order by 1"
        ).fetchall()
        if not weeks:
            raise UserError(f"{database} holds no spend to review: build it first")
        whole = [start for start, is_complete in weeks if is_complete]
        monday = day - timedelta(days=day.weekday()) if day else (whole or [weeks[-1][0]])[-1]
        if monday not in dict(weeks):
            raise UserError(f"--week {day}: no spend in that week; reviews exist from {weeks[0][0]} to {weeks[-1][0]}")
        rows = connection.execute(
            """
            select section, entity_type, entity_id, measure, amount_usd, compared_with, compared_usd, change_ratio,
                owner, decision
            from marts.weekly_review where week_start_date = $1
            order by rank_in_section
            """,
            [monday],
        ).fetchall()
    return monday, dict(weeks)[monday], [Row(*row) for row in rows]


def markdown(monday: date, is_complete: bool, rows: list[Row]) -> str:
    """The meeting, what to decide first."""
    lines = [f"# LLM spend, week of {monday}{'' if is_complete else ' (not over yet)'}", "", "## To decide", ""]
    lines += [_decision(row) for row in _to_decide(rows)] or [NOTHING_TO_DECIDE]
    for section, title in SECTIONS.items():
        if found := [row for row in rows if row.section == section]:
            lines += ["", f"## {title}", "", *_table(found)]
    return "\n".join(lines) + "\n"


def brief(rows: list[Row]) -> list[str]:
    """What it cost and what to decide, as lines of plain text."""
    spend = [f"{row.label} {row.measure}: {usd(row.amount)}{_against(row)}" for row in rows if row.section == "spend"]
    decisions = [f"{row.label}: {row.decision}. {_figures(row)}.{_owner(row)}" for row in _to_decide(rows)]
    return [*spend, "To decide:", *(decisions or [NOTHING_TO_DECIDE])]


def html(text: str) -> str:
    """The same as one page that loads nothing from elsewhere. Tags in names stay text."""
    title = text.splitlines()[0].removeprefix("# ")
    return PAGE.format(title=title, body=MarkdownIt("commonmark", {"html": False}).enable("table").render(text))


def _to_decide(rows: list[Row]) -> list[Row]:
    return [row for section in SECTIONS for row in rows if row.section == section and row.decision]


def _decision(row: Row) -> str:
    return f"- **{_plain(row.label)}**: {_plain(row.decision)}. {_figures(row, _plain)}.{_owner(row, _plain)}"


def _figures(row: Row, text: Callable[[str], str] = str) -> str:
    return f"{usd(row.amount)} {row.measure}{_against(row, text)}"


def _against(row: Row, text: Callable[[str], str] = str) -> str:
    return "" if row.compared is None else f" against {usd(row.compared)} {text(row.compared_with)}"


def _owner(row: Row, text: Callable[[str], str] = str) -> str:
    return f" Owner: {text(row.owner)}." if row.owner else ""


def _table(rows: list[Row]) -> list[str]:
    """A measure or a comparison that all rows share is a heading."""
    shares_measure = len({row.measure for row in rows}) == 1
    shares_comparison = len({row.compared_with for row in rows}) == 1
    columns = {"": [row.label for row in rows]}
    if not shares_measure:
        columns["what"] = [row.measure for row in rows]
    columns[f"> {rows[0].measure if shares_measure else 'USD'}"] = [usd(row.amount) for row in rows]
    if not shares_comparison:
        columns["against"] = [row.compared_with or "" for row in rows]
    columns[f"> {rows[0].compared_with if shares_comparison else ''}"] = [usd(row.compared) for row in rows]
    columns["> change"] = [percent_change(row.change) for row in rows]
    if any(row.owner for row in rows):
        columns["owner"] = [row.owner or "" for row in rows]
    cells = [[title.removeprefix("> ") for title in columns], *zip(*columns.values(), strict=True)]
    heading, *body = [f"| {' | '.join(map(_plain, line))} |" for line in cells]
    rule = f"| {' | '.join('---:' if title.startswith('> ') else '---' for title in columns)} |"
    return [heading, rule, *body]


def _plain(text: str | None) -> str:
    """Text that Markdown does not read: names are the tenants' to choose. An underscore inside a word says nothing."""
    return re.sub(r"([\\`*{}\[\]<>#|~&!]|(?<!\w)_|_(?!\w))", r"\\\1", " ".join((text or "").split()))
