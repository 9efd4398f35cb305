"""The Dagster code location: `dagster dev -m llm_spend.definitions`, or `make ui`.

Load, judge, build, publish, deliver. Settings are environment variables, read in `llm_spend.defs.settings`.
"""

import dagster as dg

from llm_spend.defs.everything import definitions

# One process a run: it alone holds the DuckDB file, and starts once.
defs = dg.Definitions.merge(definitions(), dg.Definitions(executor=dg.in_process_executor))
