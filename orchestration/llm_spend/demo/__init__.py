"""A made-up company whose LLM bill hides known incidents, for the demo and for tests."""

from llm_spend.demo.generate import generate
from llm_spend.demo.world import DEFAULT_EVENTS, DEMO_AS_OF, DEMO_DAYS, DEMO_START

__all__ = ["DEFAULT_EVENTS", "DEMO_AS_OF", "DEMO_DAYS", "DEMO_START", "generate"]
