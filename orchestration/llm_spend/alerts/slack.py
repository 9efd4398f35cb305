"""Slack messages: Block Kit without markup, so that nothing in a name is ever read as markup."""

from collections.abc import Sequence

from llm_spend.alerts.messages import details, entity, history_heading, minute, more, one_line, title, usd
from llm_spend.alerts.outbox import Row

HEADER_LENGTH = 150
SECTION_LENGTH = 3000
LINE_LENGTH = 500
"""Fifteen lines stay below the 10,000 characters or so that a message may have as a whole."""


def alert_message(row: Row) -> dict[str, object]:
    """One incident in full; its id at the end tells a duplicate."""
    *body, alert = (f"{label}: {value}" for label, value in details(row.event, row.incident))
    return _message(title(row.event, row.incident), ["\n".join(body), alert])


def history_message(rows: Sequence[Row]) -> dict[str, object]:
    """Incidents that were over long ago, a line each."""
    return _message(history_heading(len(rows)), [_line(row) for row in rows], LINE_LENGTH)


def remainder_message(count: int) -> dict[str, object]:
    """What a run leaves for the next one."""
    return _message(more(count), [])


def escape(text: str, length: int) -> str:
    """The three characters that Slack reads as markup escaped, and the whole cut to `length` UTF-16 units."""
    cut = text
    while _units(escaped := _escape(cut + "…" if cut != text else text)) > length:
        cut = cut[:-1]
    return escaped


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _message(heading: str, sections: Sequence[str], length: int = SECTION_LENGTH) -> dict[str, object]:
    return {
        "text": escape(heading, HEADER_LENGTH),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [
            {"type": "header", "text": _plain(heading, HEADER_LENGTH)},
            *({"type": "section", "text": _plain(text, length)} for text in sections),
        ],
    }


def _plain(text: str, length: int) -> dict[str, object]:
    return {"type": "plain_text", "emoji": False, "text": escape(text, length)}


def _line(row: Row) -> str:
    incident = row.incident
    parts = (
        f"{minute(incident['opened_at'])} to {minute(incident['resolved_at'])} UTC",
        f"{incident['severity']} {incident['rule_id']}",
        entity(incident),
        usd(incident["impact_usd"]),
        incident["status"],
        incident["alert_id"],
    )
    return one_line(" · ".join(parts), LINE_LENGTH)
