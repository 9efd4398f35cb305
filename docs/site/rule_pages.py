"""A page for each alert rule: its section of the runbook, settings in words, causes, and what it found on the demo."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from page_links import rewrite

HEADING = re.compile(r"^### `(\w+)`\n", re.MULTILINE)
MOMENT = r"(\d{4}-\d\d-\d\d(?: \d\d:\d\d)?)"
INCIDENT = re.compile(rf"^(critical|warning|info) +(\S.*?) {{2,}}{MOMENT}(?: {{2,}}{MOMENT})? {{2,}}(\$\S+)$")
WRAPPED = re.compile(r"^ {10}(\S.*)$")


@dataclass(frozen=True)
class Incident:
    """A page that the demo's alerts made, as its summary prints it."""

    severity: str
    what: str
    known_since: str
    resolved: str
    at_stake: str


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def sections(runbook: str) -> dict[str, str]:
    """The text of each rule's section, without its heading."""
    _, *parts = HEADING.split(runbook)
    return {rule: text.strip() for rule, text in zip(parts[::2], parts[1::2], strict=True)}


def incidents_by_rule(summary: str) -> dict[str, list[Incident]]:
    """The alerts of the demo's printed summary, by rule_id.

    ValueError where the summary has no such table, for then the pages would say that nothing was found."""
    _, heading, table = summary.partition("\nseverity  what ")
    if not heading:
        raise ValueError("the summary has no table of alerts")
    incidents: list[list[str]] = []
    for line in table.splitlines()[1:]:
        if found := INCIDENT.match(line):
            incidents.append([cell or "" for cell in found.groups()])
        elif rest := WRAPPED.match(line):
            incidents[-1][1] += f" {rest[1]}"
        else:
            break
    by_rule: dict[str, list[Incident]] = {}
    for incident in incidents:
        by_rule.setdefault(incident[1].partition(":")[0].replace(" ", "_"), []).append(Incident(*incident))
    return by_rule


def rule_page(
    rule: Mapping[str, str],
    meanings: Mapping[str, str],
    section: str,
    causes: Sequence[Mapping[str, str]],
    incidents: Sequence[Incident],
) -> str:
    """Markdown. `meanings` says what each setting is, `section` is the runbook's."""
    name = rule["rule_id"]
    settings = [
        f"| `{setting}` | {f'`{value}`' if value else 'blank'} | {meanings[setting]} |"
        for setting, value in rule.items()
        if setting not in ("rule_id", "likely_cause", "recommended_action")
    ]
    asked = [cause for cause in causes if not cause["rule_ids"] or name in cause["rule_ids"].split()]
    return "\n".join(
        [
            f"# `{name}`",
            "",
            rewrite(section, "docs/runbook.md", f"rules/{name}.md"),
            "",
            "## On the demo",
            "",
            *(_incidents(incidents) or ["No page: nothing that the demo plants costs what this rule asks for."]),
            "",
            "## Settings",
            "",
            "A row of `alert_rules.csv`. How to try other values on your own data: [tuning](../runbook.md#tuning).",
            "",
            "| setting | value | meaning |",
            "|---|---|---|",
            *settings,
            "",
            "## Likely cause and first action",
            "",
            f"Usually: **{rule['likely_cause']}**. First: {rule['recommended_action']}.",
            "",
            "What the incident's own calls show comes before that. The first line that holds names the cause:",
            "",
            "| cause | holds when | first action |",
            "|---|---|---|",
            *(f"| `{c['cause_id']}`: {c['explanation']} | {_holds(c)} | {c['recommended_action']} |" for c in asked),
            "",
        ]
    )


def _holds(cause: Mapping[str, str]) -> str:
    return f"`{cause['signal']}` is {cause['at_least']} or more" if cause["signal"] else "always, for this rule"


def _incidents(incidents: Sequence[Incident]) -> list[str]:
    if not incidents:
        return []
    return [
        "| severity | what | known since | resolved | at stake |",
        "|---|---|---|---|---:|",
        *(f"| {i.severity} | {i.what} | {i.known_since} | {i.resolved} | {i.at_stake} |" for i in incidents),
    ]


def rules_index(rules: Sequence[Mapping[str, str]], families: Mapping[str, str], runbook: Mapping[str, str]) -> str:
    """All rules as one table, as Markdown."""
    rows = []
    for rule in rules:
        name = rule["rule_id"]
        means = re.search(r"\*\*Means\*\*: (.*)", runbook[name])
        if means is None:
            raise ValueError(f"docs/runbook.md does not say what {name} means")
        rows.append(f"| [`{name}`]({name}.md) | {means.group(1)} | {rule['severity']} | {families.get(name, '')} |")
    return "\n".join(
        [
            f"# The {len(rules)} rules",
            "",
            "A rule is a row of `alert_rules.csv`: a metric, a comparison, and the least dollars worth a message.",
            "Its family says [what may hide it](../runbook.md#which-incident-pages).",
            "",
            "| rule | fires when | severity | family |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )
