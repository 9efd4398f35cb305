"""What a message says, as clean lines of text; how it looks is the channel's."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from llm_spend.alerts.incidents import Incident
from llm_spend.alerts.news import Event

NAME_LENGTH = 60
TEXT_LENGTH = 300
SAMPLES_SHOWN = 3
BELOW_SHOWN = 3

_FORMULA_STARTS = ("=", "+", "-", "@")
_MENTION = re.compile(r"@(?=everyone|here|channel|all\b)", re.IGNORECASE)

_EVENT_WORDS: dict[Event, str] = {
    "opened": "open",
    "escalated": "more severe than before",
    "reminder": "still open",
    "acknowledged": "acknowledged",
    "resolved": "resolved",
    "past": "already resolved",
    "withdrawn": "withdrawn",
    "notice": "notice",
}
_EVENT_NOTES: dict[Event, str] = {
    "past": "It opened and was resolved before it could be delivered.",
    "withdrawn": "Late data changed the numbers: this incident is no longer reported.",
}


def one_line(value: object, length: int = TEXT_LENGTH) -> str:
    """Text that somebody else may have written, on one line of at most `length` characters.

    Control characters, terminal escapes, line breaks and direction marks become spaces.
    """
    visible = (" " if unicodedata.category(character)[0] in "CZ" else character for character in str(value))
    text = " ".join("".join(visible).split())
    return text if len(text) <= length else text[: length - 1] + "…"


def title(event: Event, incident: Incident) -> str:
    """Severity, rule, entity and what happened."""
    severity, rule_id = (one_line(incident[column], NAME_LENGTH) for column in ("severity", "rule_id"))
    return f"{severity.upper()} {rule_id} · {entity(incident)} · {_EVENT_WORDS[event]}"


def history_heading(count: int) -> str:
    """Over a list of incidents resolved long before they could be delivered."""
    return f"{count} past incident{'' if count == 1 else 's'}, resolved before this channel was told"


def digest_heading(count: int) -> str:
    """Over a list of what disturbs nobody."""
    return f"Daily digest: {count} alert{'' if count == 1 else 's'} for information"


def line(event: Event, incident: Incident, length: int) -> str:
    """One incident among others in a list."""
    ended = minute(incident["resolved_at"])
    parts = (
        f"{minute(incident['opened_at'])} to {ended} UTC" if ended else f"since {minute(incident['opened_at'])} UTC",
        f"{incident['severity']} {incident['rule_id']}",
        entity(incident),
        usd(incident["impact_usd"]),
        "withdrawn" if event == "withdrawn" else incident["status"],
        incident["alert_id"],
    )
    return one_line(" · ".join(parts), length)


def plain(text: str) -> str:
    """A value that no spreadsheet reads as a formula, and no chat or mail as markup or a call to everybody."""
    quoted = f"'{text}" if text.startswith(_FORMULA_STARTS) else text
    return _MENTION.sub("@ ", quoted.replace("<", "\u2039").replace(">", "\u203a").replace("](", "] ("))


def more(count: int) -> str:
    """What a run leaves for the next one."""
    return f"+{count} more alert{'' if count == 1 else 's'}, kept for the next delivery"


def entity(incident: Incident) -> str:
    """The entity's type and id; the total is one word."""
    kind, name = (one_line(incident[column] or "", NAME_LENGTH) for column in ("entity_type", "entity_id"))
    return kind if kind == name else f"{kind} {name}".strip()


def details(event: Event, incident: Incident) -> list[tuple[str, str]]:
    """The labelled lines of a full message."""
    note = _EVENT_NOTES.get(event)
    extra = {"Note": note, "Data": incident.get("stale_note"), "Taken by": incident.get("acknowledged_by")}
    return [
        *((label, one_line(text)) for label, text in extra.items() if text),
        ("Observed", observed(incident)),
        ("When", when(incident)),
        ("Impact", usd(incident["impact_usd"])),
        ("Likely cause", cause(incident)),
        ("Action", one_line(incident["recommended_action"])),
        ("Owner", one_line(incident["owner"] or "nobody yet", NAME_LENGTH)),
        *_same_cause(incident),
        ("Evidence", evidence(incident["evidence"])),
        ("Alert", one_line(incident["alert_id"], NAME_LENGTH)),
    ]


def _same_cause(incident: Incident) -> list[tuple[str, str]]:
    """What stands below a page, the worst by name: why it is as severe as it is."""
    below = incident.get("below") or []
    named = [f"{one['severity']} {one['rule_id']} {entity(one)}" for one in below[:BELOW_SHOWN]]
    rest = len(below) - len(named)
    return [("Same cause", one_line(", ".join(named) + (f" and {rest} more" if rest else "")))] if below else []


def cause(incident: Incident) -> str:
    """The cause in words, and its id; what is usually behind the rule where it is unknown."""
    explanation, cause_id = incident.get("cause_explanation"), one_line(incident["likely_cause"])
    return f"{one_line(explanation)} ({cause_id})" if explanation else cause_id


def observed(incident: Incident) -> str:
    """What was seen, against which baseline and threshold."""
    metric = one_line(incident["metric"], NAME_LENGTH)
    baseline, change = incident["baseline_value"], incident["change_percent"]
    parts = [f"{metric.replace('_', ' ')} {amount(metric, incident['observed_value'])}"]
    if baseline is not None:
        parts.append(f"baseline {amount(metric, baseline)}" + (f" ({change:+,.1f}%)" if change is not None else ""))
    parts.append(f"threshold {amount(metric, incident['threshold_value'])}")
    return ", ".join(parts)


def when(incident: Incident) -> str:
    """The window, and since when until when, in UTC."""
    start, end, opened, resolved = (
        minute(incident[column]) for column in ("window_start", "window_end", "opened_at", "resolved_at")
    )
    until = f", resolved {resolved}" if resolved else ""
    return f"{incident['period_type']}, {start} to {end}; opened {opened}{until} (UTC)"


def evidence(found: object) -> str:
    """The evidence object on one line: names with the dollars beyond the usual, then a few requests to look at."""
    if not isinstance(found, Mapping):
        return one_line(found)
    named = [
        f"{key.removeprefix('top_').replace('_', ' ')} {one_line(value, NAME_LENGTH)}"
        + (f" ({usd(found[f'{key}_usd'])})" if found.get(f"{key}_usd") is not None else "")
        for key, value in found.items()
        if value and key.startswith("top_") and not key.endswith("_usd")
    ]
    samples = [one_line(sample, NAME_LENGTH) for sample in (found.get("sample_request_ids") or [])[:SAMPLES_SHOWN]]
    if samples:
        named.append(f"requests {', '.join(samples)}")
    return one_line("; ".join(named) or "none")


def amount(metric: str, value: float | None) -> str:
    """A value in the unit that the metric's last word names."""
    if value is None:
        return "unknown"
    unit = metric.rpartition("_")[2]
    if unit in ("cost", "usd", "spend"):
        return usd(value)
    if unit in ("use", "share", "rate"):
        return f"{value:,.1%}"
    if unit in ("multiplier", "ratio"):
        return f"{value:,.2f}×"
    return f"{value:,.6g}"


def usd(value: object) -> str:
    """Dollars and cents; an amount below a cent keeps two significant digits."""
    money = Decimal(str(value or 0))
    if money and abs(money) < Decimal("0.01"):
        return f"${Decimal(f'{money:.1e}'):f}"
    return f"-${-money:,.2f}" if money < 0 else f"${money:,.2f}"


def minute(moment: str | None) -> str:
    """ISO text to the minute, without its zone."""
    return moment[:16].replace("T", " ") if moment else ""
