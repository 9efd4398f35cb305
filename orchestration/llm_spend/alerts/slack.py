"""Slack messages: Block Kit without markup, so that nothing in a name is ever read as markup."""

from collections.abc import Sequence

from llm_spend.alerts.messages import details, line, more, one_line, title
from llm_spend.alerts.outbox import Row

HEADER_LENGTH = 150
SECTION_LENGTH = 3000
TEXT_LENGTH = 2900
LINE_LENGTH = 500
"""Fifteen lines stay below the 10,000 characters or so that a message may have as a whole."""


def alert_message(row: Row) -> dict[str, object]:
    """One incident in full; its id at the end tells a duplicate."""
    *body, alert = (f"{label}: {value}" for label, value in details(row.event, row.incident))
    return _message(title(row.event, row.incident), ["\n".join(body), alert])


def list_message(heading: str, rows: Sequence[Row]) -> dict[str, object]:
    """Incidents that need no message of their own, a line each."""
    return _message(heading, [line(row.event, row.incident, LINE_LENGTH) for row in rows], LINE_LENGTH)


def text_message(heading: str, text: str) -> dict[str, object]:
    """A notice: a heading and lines of text."""
    return _message(one_line(heading), [_within(text, TEXT_LENGTH)] if text else [], TEXT_LENGTH)


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


def _within(text: str, length: int) -> str:
    """Whole lines, each clean, as many as fit."""
    lines = [one_line(part, LINE_LENGTH) for part in text.splitlines()]
    while len("\n".join(lines)) > length:
        lines = [*lines[:-2], "…"]
    return "\n".join(lines)
