"""Pieces of SQL text."""

import re


def literal(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def first_line(error: Exception) -> str:
    """What DuckDB says, without its error class and its advice."""
    line = str(error).splitlines()[0] if str(error) else type(error).__name__
    return re.sub(r"^(\w+( \w+)? Error: )+", "", line)
