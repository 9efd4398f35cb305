"""What the pages' commands need to run, and what is read but not run, with the reason.

An entry that no block matches any more fails a test.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SOURCES = "tests/data/sources"

NOT_RUN: dict[str, str] = {
    "pip install": "it would change the environment that the tests run in",
    "dbt parse": "a part of make test",
    "dbt build --profiles-dir . --target postgres": "a Postgres: tests/engines/run postgres",
    "mf ": "it asks the profile's warehouse: tests/python/test_semantic_layer.py",
    ".venv/bin/uvx": "it downloads DuckDB's shell, which waits for queries",
    "make test": "this test is a part of it",
    "make ui": "a server: tests/python/test_dagster_ui.py",
    "BENCH_ROWS=": "half an hour and more",
    "llm-spend prices refresh": "it writes the checkout's price book: tests/python/test_price_refresh.py",
    "llm-spend alerts silence --end s-": "the id is drawn: tests/python/test_alert_commands.py",
    "llm-spend build --events '/var/lib/otelcol": "a folder of the collector's machine",
    "while read id": "Vercel's service, with a key",
    'curl -s -u "$LANGFUSE_PUBLIC_KEY': "Langfuse's service, with a key",
    'curl "$PROXY/v1/chat/completions"': "a LiteLLM proxy: make test-producers",
    "clickhouse-client": "Helicone's ClickHouse",
    "psql": "a LiteLLM proxy's Postgres",
    "aws s3 sync": "a bucket, with a key",
}
"""How a command begins, and why the run of its page leaves it out. What it would fetch, the page's preparation has."""

SQL_OF: dict[tuple[str, str], str] = {
    ("README.md", "-- models/llm_calls.sql"): "dbt",
    ("docs/bi.md", "-- postgres"): "postgres",
    ("docs/bi.md", "-- snowflake"): "snowflake",
    ("docs/bi.md", "-- clickhouse"): "clickhouse",
    ("docs/bi.md", "-- bigquery"): "bigquery",
    ("docs/semantic_layer.md", "-- models/time_spine_days.sql"): "dbt",
    ("docs/sources/claude-code.md", "create view llm_logs.messages_for_spend"): "postgres",
    ("docs/sources/helicone.md", "create view llm_logs.requests_for_spend"): "clickhouse",
    ("docs/sources/langfuse.md", "create view llm_logs.observations_for_spend"): "clickhouse",
    ("docs/sources/opentelemetry.md", "create view observability.llm_spans as\nselect\n    TraceId"): "clickhouse",
    ("docs/sources/opentelemetry.md", "create view observability.llm_spans as\nselect\n    trace_id"): "postgres",
}
"""A page and how its block begins: SQL that is not for DuckDB. It is parsed as that dialect's; dbt's is rendered."""

NOT_PARSED: dict[tuple[str, str], str] = {
    ("docs/bi.md", "-- clickhouse"): "grants of ClickHouse",
    ("docs/bi.md", "-- bigquery"): "grants of BigQuery",
}
"""SQL of another dialect that sqlfluff does not know, so nobody reads it but people."""

YAML_OF: dict[tuple[str, str], str] = {
    ("docs/sources/opentelemetry.md", "exporters:"): "the OpenTelemetry collector's configuration",
    ("docs/semantic_layer.md", "models:"): "dbt's properties of a model of the reader's",
}
"""A page and how its block begins: YAML of other programs, which only has to be YAML."""

TEXT_OF: dict[tuple[str, str], str] = {
    ("docs/bills.md", "openai costs"): "an example: the numbers are the organization's",
    ("docs/semantic_layer.md", "llm_tenant "): "MetricFlow's: tests/python/test_semantic_layer.py compares its numbers",
}
"""A page and how its block begins: text that no block before it prints."""


@dataclass(frozen=True)
class Preparation:
    """What a page takes for granted: files of the reader's, by their place in the folder where the commands run.

    Blocks with a title need no mention: they are written as files.
    """

    demo: tuple[str, ...] = ()
    """Databases that are the demo's."""
    demo_log: str = ""
    """A log of the demo's calls."""
    copies: Mapping[str, str] = field(default_factory=dict)
    """Copies of files of the repository. Like `texts`, they are packed where the name ends with .gz."""
    texts: Mapping[str, str] = field(default_factory=dict)
    bills: bool = False
    """Whether OpenAI's and Anthropic's report APIs are asked: a stand-in answers."""


DATABASE = "target/llm_spend.duckdb"
ONE_CALL = (
    '{"event_id": "call-1", "started_at": "2026-10-01T08:00:00Z", "provider": "openai", "model": "gpt-4o",'
    ' "tenant_id": "acme", "user_id": "jo@acme.example", "input_tokens": 1000, "output_tokens": 100}\n'
)
AZURE_BILL = "usage_date,amount,model\n2026-10-01,12.34,gpt-4.1\n"

PREPARATIONS: dict[str, Preparation] = {
    "README.md": Preparation(
        demo_log="logs/calls.jsonl",
        copies={"my_config/budgets.csv": "seeds/demo/demo_budgets.csv"},
        texts={"azure.csv": AZURE_BILL},
        bills=True,
    ),
    "docs/alerts.md": Preparation(demo=(DATABASE,)),
    "docs/bills.md": Preparation(texts={"bill.csv": AZURE_BILL}, bills=True),
    "docs/instrument.md": Preparation(texts={"calls.jsonl": ONE_CALL}),
    "docs/mapping.md": Preparation(
        texts={
            "logs/day.jsonl.gz": '{"timestamp": "2026-10-01T08:00:00Z", "model_name": "gpt-4o", "usage":'
            ' {"prompt_tokens": 1000, "prompt_tokens_details": {"cached_tokens": 400}}}\n',
            "calls.csv": "timestamp,endpoint,model,input_tokens,output_tokens,total_tokens,latency_ms,cache_hit,"
            "user_id,feature,status\n2026-10-01T08:00:00Z,checkout,gpt-4o,1000,100,1100,900,false,u1,pay,success\n",
        },
    ),
    "docs/prices.md": Preparation(
        demo=(DATABASE,),
        texts={"my_config/fx_rates.csv": "currency,valid_from,usd_per_unit\nEUR,2026-01-01,1.1\n"},
    ),
    "docs/privacy.md": Preparation(texts={"logs/calls.jsonl": ONE_CALL}),
    "docs/report.md": Preparation(demo=(DATABASE, "spend.duckdb")),
    "docs/runbook.md": Preparation(
        demo=(DATABASE,), copies={"my_config/alert_rules.csv": "seeds/config/alert_rules.csv"}
    ),
    "docs/tutorial.md": Preparation(demo=(DATABASE,)),
    "docs/sources/claude-code.md": Preparation(
        copies={"home/.claude/projects/-home-dev-shop": f"{SOURCES}/claude_code/-home-dev-shop"}
    ),
    "docs/sources/flat-logs.md": Preparation(
        copies={
            "openrouter_activity.csv": "tests/data/flat_logs/openrouter.csv",
            "generations.jsonl": "tests/data/flat_logs/vercel-ai-gateway.jsonl",
            "logs_export.jsonl": "tests/data/flat_logs/portkey.jsonl",
            "events/day.jsonl.gz": "tests/data/flat_logs/posthog.jsonl",
        }
    ),
    "docs/sources/helicone.md": Preparation(copies={"requests.jsonl": f"{SOURCES}/helicone/requests.jsonl"}),
    "docs/sources/langfuse.md": Preparation(
        copies={
            "export/traces/day.jsonl.gz": f"{SOURCES}/langfuse/traces.jsonl",
            "export/observations/day.jsonl.gz": f"{SOURCES}/langfuse/observations.jsonl",
            "observations.jsonl": f"{SOURCES}/langfuse/observations-api.jsonl",
        }
    ),
    "docs/sources/litellm.md": Preparation(
        copies={
            "spend-logs.csv": f"{SOURCES}/litellm/spend-logs.csv",
            "logs/day.json": f"{SOURCES}/litellm/proxy-payloads.jsonl",
        }
    ),
    "docs/sources/several-logs.md": Preparation(
        copies={
            "spend_logs.jsonl": f"{SOURCES}/litellm/spend-logs.jsonl",
            "traces/day.jsonl": f"{SOURCES}/otel/otel-genai-openai.jsonl",
            "observations.jsonl": f"{SOURCES}/langfuse/observations.jsonl",
        }
    ),
}
