"""llm_spend: why the LLM bill is what it is, computed in your own warehouse."""
