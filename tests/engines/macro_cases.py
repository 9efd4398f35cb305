"""What each macro of macros/cross_db means: conditions, written with the macro, that hold on every engine."""

import json
from collections.abc import Callable
from pathlib import Path

from servers import Engine

ROOT = Path(__file__).resolve().parents[2]
USAGE = """'{"annotated_pages": 7, "pages" : 12, "characters":0}'"""


def _timestamp(text: str) -> str:
    """Jinja of a timestamp literal."""
    return f"\"cast('{text}' as \" ~ dbt.type_timestamp() ~ ')'"


def _date(text: str) -> str:
    return f"cast('{text}' as date)"


def _converts(macro: str, text: str, expected: str) -> str:
    return f"{{{{ {macro}({_timestamp(text)}) }}}} = {{{{ {_timestamp(expected)} }}}}"


CASES: dict[str, list[str]] = {
    "add_days": [
        f'{{{{ add_days("{_date("2024-02-28")}", 2) }}}} = {_date("2024-03-01")}',
        f'{{{{ add_days("{_date("2027-01-01")}", -1) }}}} = {_date("2026-12-31")}',
    ],
    "add_hours": [
        f"{{{{ add_hours({_timestamp('2026-02-28 23:00:00.000001')}, 24) }}}} = "
        f"{{{{ {_timestamp('2026-03-01 23:00:00.000001')} }}}}",
        "{{ add_hours('cast(null as ' ~ dbt.type_timestamp() ~ ')', 1) }} is null",
    ],
    "days_between": [
        f'{{{{ days_between("{_date("2024-02-28")}", "{_date("2024-03-01")}") }}}} = 2',
        f'{{{{ days_between("{_date("2027-01-01")}", "{_date("2026-12-31")}") }}}} = -1',
    ],
    "sorted_list": [
        "(select {{ sorted_list('word', \"','\") }} from"
        " (select 'b' as word union all select 'é' as word union all select 'B' as word) as words) = 'B,b,é'",
    ],
    "dash_compact_dates": [
        "{{ dash_compact_dates(\"'model-20251211'\") }} = 'model-2025-12-11'",
        "{{ dash_compact_dates(\"'a-20251211-b-20240229:c'\") }} = 'a-2025-12-11-b-2024-02-29:c'",
        "{{ dash_compact_dates(\"'model-20251311'\") }} = 'model-20251311'",
        "{{ dash_compact_dates(\"'модель-20251211'\") }} = 'модель-2025-12-11'",
    ],
    # New York skips from 02:00 to 03:00 on this day
    "in_reporting_timezone": [
        _converts("in_reporting_timezone", "2026-03-08 06:59:59", "2026-03-08 01:59:59"),
        _converts("in_reporting_timezone", "2026-03-08 07:00:00", "2026-03-08 03:00:00"),
    ],
    "from_reporting_timezone": [
        _converts("from_reporting_timezone", "2026-03-08 01:59:59", "2026-03-08 06:59:59"),
        _converts("from_reporting_timezone", "2026-03-08 03:00:00", "2026-03-08 07:00:00"),
    ],
    "json_count": [
        f"{{{{ json_count({USAGE!r}, 'pages') }}}} = 12",
        f"{{{{ json_count({USAGE!r}, 'annotated_pages') }}}} = 7",
        f"{{{{ json_count({USAGE!r}, 'characters') }}}} = 0",
        f"{{{{ json_count({USAGE!r}, 'messages') }}}} is null",
        "{{ json_count('cast(null as ' ~ dbt.type_string() ~ ')', 'pages') }} is null",
    ],
    "json_text": [
        "{{ json_text(\"'Café \\\"東京\\\" 🦜'\") }} = '\"Café ' || chr(92) || '\"東京' || chr(92) || '\" 🦜\"'",
        "{{ json_text(\"'a/b'\") }} = '\"a/b\"'",
        "{{ json_text(line_break()) }} = '\"' || chr(92) || 'n\"'",
        "{{ json_text('cast(null as ' ~ dbt.type_string() ~ ')') }} is null",
    ],
    # md5 of the bytes `é|` and `1|2026-01-02`
    "key_hash": [
        "{{ key_hash([\"'é'\", 'cast(null as ' ~ dbt.type_string() ~ ')']) }} = '2f204cd52da504f9cb4104f9e821d9c9'",
        f"{{{{ key_hash(['1', \"{_date('2026-01-02')}\"]) }}}} = 'afd06bced9d588a2f76ae14fb5f29843'",
    ],
    "line_break": ["{{ dbt.length(line_break()) }} = 1", "{{ line_break() }} < ' '"],
    "regex_matches": [
        "{{ regex_matches(\"'gpt-4o-2024'\", \"'^gpt-[0-9]o?-(2024|2025)$'\") }}",
        "{{ regex_matches(\"'xgpt'\", \"'gpt'\") }}",
        "not {{ regex_matches(\"'GPT'\", \"'gpt'\") }}",
        "{{ regex_matches(\"'modèle'\", \"'^mod.le$'\") }}",
        "not {{ regex_matches(\"'a.b'\", \"'^a[.]b[.]?c$'\") }}",
        "not {{ regex_matches(dbt.concat([\"'a'\", line_break()]), \"'^a$'\") }}",
        "{{ regex_matches(\"'{12}'\", \"'^[{][0-9]{2}[}]$'\") }}",
    ],
}

WITHOUT_A_VALUE = {"session_settings", "load_csv_rows", "shared_step"}
"""Macros that are no expressions; every build uses them."""


def wrong_cases(engine: Engine, compile_sql: Callable[[str], str]) -> tuple[int, list[str]]:
    """How many cases there are, and those that do not hold, as the engine was asked them."""
    missing = {path.stem for path in (ROOT / "macros" / "cross_db").glob("*.sql")} - CASES.keys() - WITHOUT_A_VALUE
    conditions = [condition for cases in CASES.values() for condition in cases]
    # one compilation for all of them
    separator = "-- case\n"
    compiled = json.loads(compile_sql(separator.join(f"{condition}\n" for condition in conditions)))["compiled"]
    wrong = [f"macros/cross_db/{name}.sql has no case" for name in sorted(missing)]
    for condition in compiled.split(separator):
        _, ((holds,),) = engine.query(f"select case when {condition.strip()} then 1 else 0 end as holds")
        if holds != 1:
            wrong.append(condition.strip())
    return len(conditions), wrong
