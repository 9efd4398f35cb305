"""A company of forty tenants with labelled incidents, to measure how good the alerts are."""

from llm_spend.demo.simulator.company import AS_OF
from llm_spend.demo.simulator.write import simulate

__all__ = ["AS_OF", "simulate"]
