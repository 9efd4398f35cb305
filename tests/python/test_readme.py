"""The README shows what the commands really print."""

import re
from pathlib import Path

from conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def _shown(comment: str) -> list[str]:
    block = re.search(rf"<!-- {comment}.*?-->\n```text\n(.*?)```", README, re.DOTALL)
    assert block, comment
    return _lines(block[1])


def _lines(text: str) -> list[str]:
    """Without blank lines, trailing spaces and the lines that name this run's files."""
    return [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith(("Tables", "Report"))]


def test_readme_shows_the_demo_summary(demo_run: tuple[Path, str]) -> None:
    assert _shown("summary of make demo") == _lines(demo_run[1])


def test_readme_shows_the_real_log(real_run: tuple[Path, str]) -> None:
    printed = [line for line in _lines(real_run[1]) if "aider_sample_analytics" not in line]
    shown = [line for line in _shown("summary of that build") if "aider_sample_analytics" not in line]
    assert shown == printed
