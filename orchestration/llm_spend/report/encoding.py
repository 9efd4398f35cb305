"""Rows as compact JSON columns whose sums are exact."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

EXACT = 2**53
"""Up to here every integer is a JavaScript number."""
DECIMALS = 12


def encode(names: Sequence[str], rows: Sequence[tuple]) -> dict[str, Any]:
    """Columns by name: text by a dictionary, amounts as integers of 10^-decimals USD, numbers as they are."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return {"length": len(rows), "columns": {name: _column(of) for name, of in zip(names, columns, strict=True)}}


def _column(values: Sequence[object]) -> dict[str, Any]:
    present = [value for value in values if value is not None]
    if present and all(isinstance(value, Decimal) for value in present):
        return _amounts(values)
    if present and all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        return {"values": [round(value, 9) if isinstance(value, float) else value for value in values]}
    texts = [None if value is None else _text(value) for value in values]
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return {"names": list(places), "values": [places[text] for text in texts]}


def _amounts(values: Sequence[Decimal | None]) -> dict[str, Any]:
    """In the smallest unit that any of them needs, or the smallest in which their sum is exact in JavaScript."""
    units = [None if value is None else int(value.scaleb(DECIMALS)) for value in values]
    total, decimals = sum(abs(unit) for unit in units if unit), DECIMALS
    while decimals and (total >= EXACT or all(unit % 10 == 0 for unit in units if unit)):
        units = [None if unit is None else _tenth(unit) for unit in units]
        total, decimals = total // 10, decimals - 1
    return {"decimals": decimals, "values": units}


def _tenth(unit: int) -> int:
    """Half away from zero."""
    tenth = (abs(unit) + 5) // 10
    return -tenth if unit < 0 else tenth


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)
