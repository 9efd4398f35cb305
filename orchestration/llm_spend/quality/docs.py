"""Makes Great Expectations' pages readable without a network.

As generated they fetch styles and scripts from a dozen hosts when they are opened; without those the index is empty.
"""

import re
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

_REMOTE = re.compile(
    r"<link\b[^>]*https?://[^>]*>|<script\b[^>]*src=\"https?://[^>]*>\s*</script>"
    r"|<img\b[^>]*https?://[^>]*>|background:\s*url\('https?://[^)]*\)[^;]*;|<footer>.*?</footer>",
    re.DOTALL,
)
_VERDICTS = ("error", "warning", "met")


@dataclass(frozen=True)
class Page:
    """One validation: `path` is relative to the index."""

    title: str
    path: str
    result: "ExpectationSuiteValidationResult"

    @property
    def unmet(self) -> "list[ExpectationConfiguration]":
        failed = [one.expectation_config for one in self.result.results if not one.success]
        return sorted(failed, key=lambda config: config.severity != "critical")

    @property
    def verdict(self) -> str:
        if not self.unmet:
            return "met"
        return "error" if self.unmet[0].severity == "critical" else "warning"


def write_index(directory: Path, pages: list[Page], run_time: str) -> Path:
    """Replace the index by a table of the validations, those not met first, and make every page local."""
    style = f"<style>{files('llm_spend.quality').joinpath('docs.css').read_text(encoding='utf-8')}</style>"
    for page in directory.rglob("*.html"):
        local = _REMOTE.sub("", page.read_text(encoding="utf-8"))
        page.write_text(local.replace("</head>", f"{style}</head>", 1), encoding="utf-8")
    rows = "\n".join(_row(page) for page in sorted(pages, key=lambda page: _VERDICTS.index(page.verdict)))
    index = directory / "index.html"
    index.write_text(
        f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Landing quality</title>{style}</head>
<body>
<h1>Landing quality</h1>
<p>What the gate found in the landed files, {run_time} UTC. An error stops the build, a warning does not.</p>
<table>
<thead><tr><th>Verdict</th><th>Validation</th><th>Suite</th><th>Expectations</th><th>Not met</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
""",
        encoding="utf-8",
    )
    return index


def _row(page: Page) -> str:
    unmet = "<br>".join(escape(config.description) for config in page.unmet)
    return (
        f'<tr><td class="{page.verdict}">{page.verdict}</td>'
        f'<td><a href="{quote(page.path)}">{escape(page.title)}</a></td>'
        f"<td>{escape(page.result.suite_name)}</td><td>{len(page.result.results)}</td><td>{unmet}</td></tr>"
    )
