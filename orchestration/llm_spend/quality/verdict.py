"""What the gate found, in words for a person."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from llm_spend.errors import UserError

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """An expectation that a file, or a landing table, does not meet.

    `message` says what was found; each of `examples` names file, line and offending value.
    """

    severity: Severity
    expectation: str
    source_file: str
    message: str
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = [example.removeprefix(self.source_file).lstrip() for example in self.examples]
        return f"{self.source_file}: {self.message}" + (f": {'; '.join(where)}" if where else "")


@dataclass(frozen=True)
class Verdict:
    """All findings of one check, errors first.

    `rows` counts what was judged, unparsed lines included; `file_hashes` are the files that were.
    """

    findings: tuple[Finding, ...]
    docs_page: Path | None
    rows: int
    file_hashes: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    def raise_errors(self) -> None:
        """Stop with the first error, in one line, and the page that holds all; UserError with exit code 1."""
        if not self.errors:
            return
        first, *others = self.errors
        more = f" (and {len(others)} more)" if others else ""
        page = f"; all results: {self.docs_page}" if self.docs_page else ""
        raise UserError(f"expectation not met, '{first.expectation}': {first}{more}{page}", exit_code=1)
