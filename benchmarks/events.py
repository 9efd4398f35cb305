"""Usage events of any size for the benchmarks, as Parquet: skewed tenants, endpoints and users, retries, redeliveries.

Token counts follow the code and conversation traces of Azure's LLM inference (AzurePublicDataset, CC-BY, Splitwise,
ISCA 2024), here as their 5 % quantiles; calls come by day and hour as office traffic does.
"""

from datetime import date
from pathlib import Path

import duckdb

FIRST_DAY = date(2026, 8, 1)

# fmt: off
PROMPT_TOKENS = [
    3, 75, 181, 232, 372, 387, 403, 414, 703, 984, 1045, 1097, 1261, 1690, 2164, 2745, 3193, 3923, 5194, 7315, 14050,
]
ANSWER_TOKENS = [6, 7, 8, 9, 10, 13, 18, 29, 54, 77, 91, 103, 129, 177, 217, 384, 400, 424, 451, 1000, 1899]
# fmt: on

MODELS = [
    ("openai", "gpt-4.1"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet-4-5"),
    ("google", "gemini-2.5-flash"),
    ("openai", "gpt-5.2"),
    ("anthropic", "claude-opus-4-5"),
]


def write_events(path: Path, rows: int, days: int, first_day: int = 0, first_number: int = 0) -> None:
    """Write about `rows` deliveries of `days` days to one Parquet file; the same arguments give the same events.

    In the order of time. One call in twelve is the retry of the one before it, one delivery in two hundred comes
    twice. `first_day` counts from FIRST_DAY; files with other ranges of numbers hold other events.
    """

    def quantile(values: list[int], u: str) -> str:
        return (
            f"cast(list_extract({values}, 1 + cast(floor(20 * {u}) as int)) + (20 * {u} - floor(20 * {u}))"
            f" * (list_extract({values}, 2 + cast(floor(20 * {u}) as int))"
            f" - list_extract({values}, 1 + cast(floor(20 * {u}) as int))) as bigint)"
        )

    def u(salt: int) -> str:
        return f"((hash(n * 64 + {salt}) % 1000003) / 1000003.0)"

    providers, models = [list(column) for column in zip(*MODELS, strict=True)]
    with duckdb.connect() as connection:
        connection.execute("set memory_limit = '4GB'; set preserve_insertion_order = false")
        # Beside the file: that is where the room was planned for.
        connection.execute(f"set temp_directory = '{path.with_suffix('.spill')}'")
        connection.execute(
            f"""
            copy (
                with calls as (
                    select
                        i,
                        hash(i) % 12 = 0 and i > {first_number} as is_retry,
                        -- a retry repeats the call before it, later and with its own outcome
                        i - cast(is_retry as int) as n
                    from range({first_number}, {first_number + rows}) as numbers (i)
                ),

                drawn as (
                    select
                        *,
                        {first_day} + cast(floor({days} * {u(1)}) as int) as day,
                        {u(2)} as moment,
                        cast(floor(24 * power({u(3)}, 2)) as int) as endpoint,
                        cast(floor(400 * power({u(4)}, 3)) as int) as tenant,
                        cast(floor(40000 * power({u(5)}, 2)) as int) as member
                    from calls
                )

                select
                    'evt-' || i as event_id,
                    cast('{FIRST_DAY}' as timestamp) + to_days(day)
                    + to_microseconds(cast(86400000000 * (moment - 0.12 * sin(6.283185307 * moment)) as bigint))
                    + to_seconds(cast(is_retry as int) * 20) as started_at,
                    list_extract({providers}, 1 + endpoint % {len(MODELS)}) as provider,
                    list_extract({models}, 1 + endpoint % {len(MODELS)}) as model,
                    case when endpoint % 11 = 7 then 'batch' end as service_tier,
                    'req-' || n as external_request_id,
                    'endpoint.' || endpoint as endpoint_tag,
                    'v' || (1 + day // (9 + endpoint)) as prompt_version,
                    'feature_' || endpoint // 3 as feature_name,
                    case when endpoint % 4 = 0 then 'agent_' || endpoint end as agent_id,
                    case when endpoint % 4 = 0 then 'run-' || n // 6 end as run_id,
                    'tenant_' || tenant as tenant_id,
                    'user_' || tenant || '_' || member // 100 as user_id,
                    'key_' || endpoint // 2 as api_key_id,
                    'project_' || endpoint // 5 as project_id,
                    case when hash(n) % 40 = 0 then 'staging' else 'prod' end as environment,
                    {quantile(PROMPT_TOKENS, u(6))} as input_tokens,
                    {quantile(ANSWER_TOKENS, u(7))} as output_tokens,
                    case when hash(n) % 3 = 0 then {quantile(PROMPT_TOKENS, u(6))} // 2 end as cached_input_tokens,
                    case when hash(i * 7) % 12 = 0 and not is_retry then 'error' else 'success' end as status,
                    cast(200 + 30 * {quantile(ANSWER_TOKENS, u(7))} as bigint) as latency_ms
                from drawn
                cross join range(2) as delivery (again)
                where delivery.again = 0 or hash(i * 3) % 200 = 0
                order by started_at
            ) to '{path}' (format parquet)
            """
        )
