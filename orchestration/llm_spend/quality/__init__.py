"""The gate: Great Expectations judges what was landed before any model runs."""

from llm_spend.quality.gate import check
from llm_spend.quality.verdict import Finding, Verdict

__all__ = ["Finding", "Verdict", "check"]
