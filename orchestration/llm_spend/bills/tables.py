"""The tables that bills land in, declared once: what a row says, and which rows a new fetch replaces."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Literal

Kind = Literal["text", "date", "count", "amount", "flag"]
Row = dict[str, object]

DATASET = "raw"
ROW_HASH = "_row_hash"
PERIODS = "raw_bill_periods"
"""Which days were fetched, of whom, and when: what a later run goes on from."""

AMOUNT_DIGITS, AMOUNT_SCALE = 38, 18

_TYPES: dict[Kind, dict[str, object]] = {
    "text": {"data_type": "text"},
    "date": {"data_type": "date"},
    "count": {"data_type": "bigint"},
    "amount": {"data_type": "decimal", "precision": AMOUNT_DIGITS, "scale": AMOUNT_SCALE},
    "flag": {"data_type": "bool"},
}
_STEP = Decimal(1).scaleb(-AMOUNT_SCALE)
_EXACT = Context(prec=2 * AMOUNT_DIGITS, rounding=ROUND_HALF_UP)
_LARGEST_COUNT = 2**63 - 1


@dataclass(frozen=True, eq=False)
class Table:
    """A table of bill rows. `replaced_by` are the columns whose values a fetch announces: it stands for all rows that
    have them. `group` are the columns that, with those, name a row; none where a bill may have the same line twice.
    """

    name: str
    kinds: Mapping[str, Kind]
    replaced_by: tuple[str, ...]
    group: tuple[str, ...] = ()
    required: frozenset[str] = frozenset({"usage_date"})

    def columns(self) -> dict[str, dict[str, object]]:
        """The columns as dlt's hints; an announcement has no others than `replaced_by`."""
        hints = {name: {**_TYPES[kind], "nullable": name not in self.replaced_by} for name, kind in self.kinds.items()}
        return {**hints, ROW_HASH: {**_TYPES["text"], "nullable": False}}

    def row(self, said: Mapping[str, object]) -> Row:
        """What was said, in the columns' types; ValueError, begun with the column's name, where that cannot be."""
        return {name: self.value(name, said.get(name)) for name in self.kinds}

    def value(self, name: str, said: object) -> object:
        """One column's value; see `row`."""
        if said is None:
            if name in self.required:
                raise ValueError(f"{name} is missing")
            return None
        try:
            return _READERS[self.kinds[name]](said)
        except ValueError as error:
            raise ValueError(f"{name} {said!r} is not {error}") from None

    def key(self, row: Row) -> tuple[object, ...]:
        """What names a row among all of the table."""
        return tuple(row[name] for name in (*self.replaced_by, *self.group))

    def announced(self, **values: object) -> Row:
        """A row that is not kept: it says that all rows with these values follow, if there are any."""
        return {**dict.fromkeys(self.kinds), **{name: values[name] for name in self.replaced_by}, ROW_HASH: ""}


def hashed(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows with a hash each of what they say; the second of two that say the same has another than the first.

    A column that is null has no part in it: a release that adds one changes no old row.
    """
    repeats: Counter[str] = Counter()
    for row in rows:
        if ROW_HASH not in row:
            meaning = json.dumps({name: str(value) for name, value in row.items() if value is not None}, sort_keys=True)
            repeats[meaning] += 1
            row = {**row, ROW_HASH: hashlib.sha256(f"{meaning}{repeats[meaning]}".encode()).hexdigest()}
        yield row


def _text(said: object) -> str:
    if not isinstance(said, str):
        raise ValueError("a text")
    return said


def _date(said: object) -> date:
    """A day, or the UTC day of a moment."""
    if isinstance(said, date) and not isinstance(said, datetime):
        return said
    try:
        moment = datetime.fromisoformat(str(said).strip())
    except ValueError:
        raise ValueError("an ISO 8601 day, such as 2026-10-26") from None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date()


def _decimal(said: object) -> Decimal:
    """Exact: a binary float has lost the number already."""
    if isinstance(said, bool | float):
        raise ValueError("an exact number")
    try:
        number = Decimal(said if isinstance(said, int) else str(said).strip())
    except InvalidOperation:
        raise ValueError("a plain decimal number, such as 1234.56") from None
    if not number.is_finite():
        raise ValueError("a plain decimal number, such as 1234.56")
    return number


def _amount(said: object) -> Decimal:
    """Digits beyond the last that is kept are rounded half-up."""
    number = _decimal(said)
    if number.adjusted() >= AMOUNT_DIGITS - AMOUNT_SCALE:
        raise ValueError(f"below 1e{AMOUNT_DIGITS - AMOUNT_SCALE}")
    return number.quantize(_STEP, context=_EXACT)


def _count(said: object) -> int:
    number = _decimal(said)
    if number.adjusted() > AMOUNT_SCALE or number != number.to_integral_value() or abs(number) > _LARGEST_COUNT:
        raise ValueError("a whole number")
    return int(number)


def _flag(said: object) -> bool:
    if not isinstance(said, bool):
        raise ValueError("true or false")
    return said


_READERS: dict[Kind, Callable[[object], object]] = {
    "text": _text,
    "date": _date,
    "count": _count,
    "amount": _amount,
    "flag": _flag,
}


def _columns(kind: Kind, names: str) -> dict[str, Kind]:
    return dict.fromkeys(names.split(), kind)


OPENAI_USAGE = Table(
    "raw_openai_usage",
    {
        **_columns("date", "usage_date"),
        **_columns("text", "usage_kind project_id api_key_id model"),
        **_columns("flag", "batch"),
        **_columns("text", "service_tier vector_store_id size source context_level"),
        **_columns("count", "input_tokens input_cached_tokens input_cache_write_tokens output_tokens"),
        **_columns("count", "input_audio_tokens input_cached_audio_tokens output_audio_tokens"),
        **_columns("count", "input_image_tokens input_cached_image_tokens output_image_tokens"),
        **_columns("count", "num_model_requests images characters seconds num_sessions num_requests usage_bytes"),
    },
    replaced_by=("usage_date", "usage_kind"),
    group=(
        *("project_id", "api_key_id", "model", "batch", "service_tier"),
        *("vector_store_id", "size", "source", "context_level"),
    ),
    required=frozenset({"usage_date", "usage_kind"}),
)

OPENAI_COSTS = Table(
    "raw_openai_costs",
    {
        **_columns("date", "usage_date"),
        **_columns("text", "project_id api_key_id line_item"),
        **_columns("amount", "amount"),
        **_columns("text", "currency"),
        **_columns("amount", "quantity"),
        **_columns("text", "quantity_unit"),
    },
    replaced_by=("usage_date",),
    group=("project_id", "api_key_id", "line_item", "currency", "quantity_unit"),
    required=frozenset({"usage_date", "amount", "currency"}),
)

ANTHROPIC_USAGE = Table(
    "raw_anthropic_usage",
    {
        **_columns("date", "usage_date"),
        **_columns("text", "workspace_id api_key_id model service_tier context_window inference_geo"),
        **_columns("count", "uncached_input_tokens cache_creation_5m_input_tokens cache_creation_1h_input_tokens"),
        **_columns("count", "cache_read_input_tokens output_tokens web_search_requests"),
    },
    replaced_by=("usage_date",),
    group=("workspace_id", "api_key_id", "model", "service_tier", "context_window", "inference_geo"),
)

ANTHROPIC_COSTS = Table(
    "raw_anthropic_costs",
    {
        **_columns("date", "usage_date"),
        **_columns("text", "workspace_id description cost_type token_type model service_tier context_window"),
        **_columns("text", "inference_geo"),
        **_columns("amount", "amount_cents"),
        **_columns("text", "currency"),
    },
    replaced_by=("usage_date",),
    group=(
        *("workspace_id", "description", "cost_type", "token_type", "model"),
        *("service_tier", "context_window", "inference_geo", "currency"),
    ),
    required=frozenset({"usage_date", "amount_cents", "currency"}),
)

BILL_LINES = Table(
    "raw_bill_lines",
    {
        **_columns("date", "usage_date"),
        **_columns("text", "provider project_id api_key_id model charge_type usage_type"),
        **_columns("amount", "quantity"),
        **_columns("text", "unit"),
        **_columns("amount", "amount"),
        **_columns("text", "currency description"),
    },
    replaced_by=("provider", "usage_date"),
    required=frozenset({"usage_date", "provider", "charge_type", "amount", "currency"}),
)
