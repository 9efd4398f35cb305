import gzip
import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from backports import zstd

from llm_spend.errors import UserError
from llm_spend.ingest import load as loading
from llm_spend.ingest.load import LoadReport, Rejection, load
from llm_spend.ingest.mapping import Mapping, parse_mapping, read_mapping
from llm_spend.ingest.schema import EVENT_COLUMNS

AIDER = Path(__file__).resolve().parents[1] / "data" / "aider" / "aider_sample_analytics_message_send.csv"
LOADED_AT = datetime(2026, 1, 2, 3, 4, 5)
EVENT = {"event_id": "e1", "started_at": "2025-03-01T10:00:00Z", "model": "gpt-4o", "input_tokens": 10}
SALT = "pepper"
# printf alice | openssl dgst -sha256 -hmac pepper
HASHED_ALICE = "f2f95d059a71b4aa6d3eefe385a6b0db42c8c5a0f097e8686e569762891c878b"


class Landing:
    """A database in a temporary directory, loaded from files written there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.database = directory / "target" / "llm_spend.duckdb"

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.directory / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def jsonl(self, *events: dict[str, Any], name: str = "events.jsonl") -> Path:
        return self.file(name, "".join(json.dumps(event) + "\n" for event in events))

    def load(self, *patterns: Path | str, mapping: str | Mapping | None = None, **options: Any) -> LoadReport:
        parsed = parse_mapping(mapping, "m.yml") if isinstance(mapping, str) else mapping
        return load(self.database, [str(p) for p in patterns], parsed, LOADED_AT, **options)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def events(self, columns: str) -> list[tuple[Any, ...]]:
        return self.rows(f"select {columns} from raw.raw_usage_events order by _source_file, _source_line")

    def rejected(self, columns: str = "_source_line, reason, raw_text") -> list[tuple[Any, ...]]:
        return self.rows(f"select {columns} from raw.raw_rejected_events order by _source_file, _source_line")


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path)


# What lands


def test_an_event_lands_with_every_field_typed_and_its_origin(landing: Landing) -> None:
    event = {
        "event_id": "e1", "started_at": "2025-03-01T10:00:00.25Z", "provider": "openai", "model": "gpt-4o",
        "attempt_number": 2, "tenant_id": "acme", "input_tokens": 12, "other_usage": {"pages": 3},
        "cache_hit": False, "task_succeeded": True, "latency_ms": 340, "reported_cost_usd": 0.000123456789,
        "sample_rate": 0.5, "tags": {"a": {"b": [1, "x"]}},
    }  # fmt: skip
    path = landing.jsonl(event)
    report = landing.load(path)
    assert (report.accepted, report.rejected, report.files[0].rows) == (1, 0, 1)
    expected = {
        **event,
        "started_at": datetime(2025, 3, 1, 10, 0, 0, 250000),
        "other_usage": '{"pages":3}',
        "reported_cost_usd": Decimal("0.000123456789"),
        "sample_rate": Decimal("0.5"),
        "tags": '{"a":{"b":[1,"x"]}}',
    }
    names = [column.name for column in EVENT_COLUMNS]
    assert dict(zip(names, landing.events(", ".join(names))[0], strict=True)) == {
        name: expected.get(name) for name in names
    }
    content = path.read_bytes()
    assert landing.events(
        "_loaded_at, _input_includes_cache, _output_includes_reasoning, _file_hash, _source_file, "
        "_source_line, _row_hash"
    ) == [
        (LOADED_AT, None, None, hashlib.sha256(content).hexdigest(), str(path), 1,
         hashlib.md5(content.rstrip(b"\n")).hexdigest())
    ]  # fmt: skip
    assert landing.rows("select * exclude mapping_hash from raw.raw_loaded_files") == [
        (hashlib.sha256(content).hexdigest(), str(path), len(content), 1, 0, LOADED_AT, 0, "app")
    ]


def test_the_landing_table_has_the_agreed_columns_in_order(landing: Landing) -> None:
    landing.load(landing.jsonl(EVENT))
    described = landing.rows("describe raw.raw_usage_events")
    assert " ".join(name for name, *_ in described) == (
        "event_id started_at provider model requested_model service_tier region speed external_request_id "
        "call_name attempt_number run_id endpoint_tag prompt_version feature_name agent_id "
        "workflow_id cost_group "
        "tenant_id user_id user_type team project_id api_key_id environment data_mode input_tokens "
        "output_tokens "
        "total_tokens cached_input_tokens cache_write_tokens cache_write_1h_tokens reasoning_tokens "
        "input_audio_tokens output_audio_tokens input_image_tokens output_image_tokens cached_audio_tokens "
        "cached_image_tokens web_search_requests other_usage cache_hit status error_code "
        "task_succeeded latency_ms "
        "reported_cost_usd sample_rate tags _loaded_at _input_includes_cache "
        "_output_includes_reasoning _file_hash "
        "_source_file _source_line _row_hash"
    )
    types = {name: kind for name, kind, *_ in described}
    assert (types["reported_cost_usd"], types["sample_rate"]) == ("DECIMAL(28,12)", "DECIMAL(17,12)")


def test_a_duckdb_1_4_client_can_open_the_file(landing: Landing) -> None:
    landing.load(landing.jsonl(EVENT))
    (tags,) = landing.rows("select tags from duckdb_databases() where not internal")[0]
    assert tags["storage_version"].startswith("v1.4.0")


@pytest.mark.parametrize(
    ("logged", "utc"),
    [
        ("2025-03-01T10:00:00Z", datetime(2025, 3, 1, 10)),
        ("2025-03-01T10:00:00+02:00", datetime(2025, 3, 1, 8)),
        ("2025-03-01 10:00:00.1234567-0530", datetime(2025, 3, 1, 15, 30, 0, 123456)),
        ("2025-03-01T10:00:00", datetime(2025, 3, 1, 10)),
        ("2025-03-01", datetime(2025, 3, 1)),
    ],
)
def test_a_time_with_an_offset_becomes_utc(landing: Landing, logged: str, utc: datetime) -> None:
    landing.load(landing.jsonl({**EVENT, "started_at": logged}))
    assert landing.events("started_at") == [(utc,)]


@pytest.mark.parametrize(
    ("field", "logged", "landed"),
    [
        ("input_tokens", "12", 12),
        ("input_tokens", 12.0, 12),
        ("input_tokens", "1e3", 1000),
        ("input_tokens", -5, -5),
        ("cache_hit", "TRUE", True),
        ("cache_hit", 0, False),
        ("reported_cost_usd", "1e-05", Decimal("0.00001")),
        ("reported_cost_usd", "0.0000000000005", Decimal("0.000000000001")),
        ("status", "weird", "weird"),
        ("tags", '{"a": 1}', '{"a":1}'),
        ("tenant_id", "  ", None),
        ("tenant_id", "\t", None),
        ("tenant_id", " acme ", "acme"),
        ("input_tokens", "", None),
    ],
)
def test_a_value_that_fits_lands(landing: Landing, field: str, logged: Any, landed: Any) -> None:
    assert landing.load(landing.jsonl({**EVENT, field: logged})).rejected == 0
    assert landing.events(field) == [(landed,)]


@pytest.mark.parametrize(
    ("field", "logged", "reason"),
    [
        ("input_tokens", 12.7, "input_tokens is '12.7', not a whole number"),
        ("input_tokens", "abc", "input_tokens is 'abc', not a whole number"),
        ("input_tokens", "0x10", "input_tokens is '0x10', not a whole number"),
        ("input_tokens", "1e-5", "input_tokens is '1e-5', not a whole number"),
        ("input_tokens", 2**63, "input_tokens is '9223372036854775808', not a whole number"),
        ("input_tokens", True, "input_tokens is 'true', not a whole number"),
        ("cache_hit", "yes", "cache_hit is 'yes', not true or false"),
        ("reported_cost_usd", "1,50", "reported_cost_usd is '1,50', not a decimal number"),
        ("reported_cost_usd", "NaN", "reported_cost_usd is 'NaN', not a decimal number"),
        ("tags", "[1]", "tags is '[1]', not a JSON object"),
        ("tags", "a", "tags is 'a', not a JSON object"),
        ("started_at", "01/02/2024",
         "started_at is '01/02/2024', not an ISO 8601 timestamp; a unix time needs a mapping with a format"),
        ("started_at", 1723560043,
         "started_at is '1723560043', not an ISO 8601 timestamp; a unix time needs a mapping with a format"),
        ("started_at", "2025-02-30T00:00:00Z",
         "started_at is '2025-02-30T00:00:00Z', not an ISO 8601 timestamp; "
         "a unix time needs a mapping with a format"),
        ("started_at", "infinity",
         "started_at is 'infinity', not an ISO 8601 timestamp; a unix time needs a mapping with a format"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_rejected_with_its_line(
    landing: Landing, field: str, logged: Any, reason: str
) -> None:
    wrong = {**EVENT, field: logged}
    report = landing.load(landing.jsonl(EVENT, wrong))
    assert (report.accepted, report.rejected) == (1, 1)
    assert report.files[0].first_rejections == (Rejection(2, reason),)
    assert landing.rejected() == [(2, reason, json.dumps(wrong))]


def test_a_row_that_parses_but_makes_no_sense_lands_for_the_quarantine(landing: Landing) -> None:
    landing.load(landing.jsonl(EVENT, {"input_tokens": -1}))
    assert landing.events("model, input_tokens") == [("gpt-4o", 10), (None, -1)]


# Lines


def test_broken_json_lines_keep_their_line_numbers(landing: Landing) -> None:
    good = json.dumps(EVENT)
    path = landing.file("e.jsonl", f"\ufeff{good}\r\n\r\n{{broken\r\n   \n[1]\n{good}\n7\n{good}")
    report = landing.load(path)
    assert landing.events("_source_line") == [(1,), (6,), (8,)]
    assert landing.rejected() == [
        (3, "not valid JSON", "{broken"), (5, "not a JSON object", "[1]"), (7, "not a JSON object", "7"),
    ]  # fmt: skip
    assert report.files[0].rows == 6


def test_lines_that_are_no_text_are_rejected_and_the_others_keep_their_numbers(landing: Landing) -> None:
    good = json.dumps(EVENT).encode()
    landing.load(landing.file("e.jsonl", b"\n".join([good, b"\xff", b"\xfe", good, b"", b"\xff", good])))
    assert landing.events("_source_line") == [(1,), (4,), (7,)]
    assert landing.rejected("_source_line, reason") == [(n, "not valid UTF-8") for n in (2, 3, 6)]


def test_quoted_newlines_in_csv_are_counted(landing: Landing) -> None:
    path = landing.file(
        "e.csv",
        "event_id,started_at,model,tags,endpoint_tag\n"
        'a,2025-03-01,m,"{""k"": ""x,y""}",one\n'
        'b,2025-03-01,m,,"two\n\nlines, ""quoted"""\n'
        "c,2025-03-01,m,,three\n"
        "d,2025-03-01,m\n"
        'e,2025-03-01,"m",,"5"" screen"\n',
    )
    landing.load(path)
    assert landing.events("_source_line, event_id, model, tags, endpoint_tag") == [
        (2, "a", "m", '{"k":"x,y"}', "one"),
        (3, "b", "m", None, 'two\n\nlines, "quoted"'),
        (6, "c", "m", None, "three"),
        (8, "e", "m", None, '5" screen'),
    ]
    assert landing.rejected() == [(7, "has 3 values where the header names 5", "d,2025-03-01,m")]


def test_a_forgotten_quote_costs_its_own_line_only(landing: Landing) -> None:
    path = landing.file(
        "e.csv",
        "event_id,started_at,model,tags\n"
        'a,2025-03-01,"m,\n'
        'b,2025-03-01,m,"{""k"": 1}"\n'
        "c,2025-03-01,m,\n"
        "d,2025-03-01,m,,\n",
    )
    landing.load(path)
    assert landing.events("_source_line, event_id") == [(3, "b"), (4, "c")]
    assert landing.rejected("_source_line, reason") == [
        (2, "a quote is opened and not closed, or text follows it"),
        (5, "has 5 values where the header names 4"),
    ]


@pytest.mark.parametrize(("name", "separator"), [("e.tsv", "\t"), ("e.csv", ";"), ("e.csv", ",")])
def test_delimited_text(landing: Landing, name: str, separator: str) -> None:
    lines = [["started_at", "model", "tenant_id"], ["2025-03-01", "m", f'"a{separator}b"']]
    landing.load(landing.file(name, "\r\n".join(separator.join(line) for line in lines)))
    assert landing.events("model, tenant_id") == [("m", f"a{separator}b")]


def test_parquet_rows_are_numbered_and_nested_values_read(landing: Landing) -> None:
    path = landing.directory / "e.parquet"
    duckdb.execute(
        f"""
        copy (
            select
                timestamptz '2025-03-01 10:00:00+02' as started_at, 'm' as model,
                12.0::double as input_tokens,
                {{'cached': 3}} as usage, {{'a': 'b'}} as tags, 0.25::decimal(10, 4) as reported_cost_usd
            union all select timestamptz '2025-03-01 10:00:00Z', 'm', 1.5, null, null, null
        ) to '{path}'
        """
    )
    landing.load(path, mapping="fields: {cached_input_tokens: usage.cached}")
    assert landing.events("_source_line, started_at, input_tokens, cached_input_tokens, tags, reported_cost_usd") == [
        (1, datetime(2025, 3, 1, 8), 12, 3, '{"a":"b"}', Decimal("0.25"))
    ]
    assert landing.rejected("_source_line, reason") == [(2, "input_tokens is '1.5', not a whole number")]


def test_a_json_array_counts_its_items(landing: Landing) -> None:
    landing.load(landing.file("e.json", json.dumps([EVENT, {**EVENT, "input_tokens": "x"}, EVENT], indent=2)))
    assert landing.events("_source_line") == [(1,), (3,)]
    assert landing.rejected("_source_line") == [(2,)]


def test_compressed_text_globs_and_odd_file_names(landing: Landing) -> None:
    landing.file("a.jsonl.gz", gzip.compress(json.dumps(EVENT).encode()))
    landing.jsonl({**EVENT, "event_id": "e2"}, name="b[1]*'.jsonl")
    report = landing.load(landing.directory / "*.jsonl*")
    assert [Path(file.path).name for file in report.files] == ["a.jsonl.gz", "b[1]*'.jsonl"]
    assert landing.events("event_id") == [("e1",), ("e2",)]


# Archives

ARCHIVES: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstd.compress}
LOGS = {
    ".jsonl": '{"event_id": "a", "started_at": "2025-03-01", "model": "m"}\n{broken\n'
    '{"event_id": "b", "started_at": "2025-03-02", "model": "\u00e9"}\n',
    ".ndjson": '{"event_id": "a", "started_at": "2025-03-01", "model": "m"}\n\n{"model": 1, "input_tokens": "x"}\n',
    ".json": '[{"event_id": "a", "started_at": "2025-03-01", "model": "m"}, {"model": "n"}]',
    ".csv": 'event_id,started_at,model\na,2025-03-01,"two\nlines"\nb,2025-03-02\nc,2025-03-03,"x,y"\n',
    ".tsv": "event_id\tstarted_at\tmodel\na\t2025-03-01\tm\nb\t2025-03-02\n",
}


@pytest.mark.parametrize("suffix", ARCHIVES)
@pytest.mark.parametrize("kind", LOGS)
def test_an_archive_lands_as_its_content_would(tmp_path: Path, kind: str, suffix: str) -> None:
    content = LOGS[kind].encode()
    landings = []
    for name, written in ((f"e{kind}", content), (f"e{kind}{suffix.upper()}", ARCHIVES[suffix](content))):
        directory = tmp_path / name
        directory.mkdir()
        landing = Landing(directory)
        landing.load(landing.file(name, written))
        fields = ", ".join(column.name for column in EVENT_COLUMNS)
        landings.append((
            landing.events(f"{fields}, _file_hash, _source_line, _row_hash"),
            landing.rejected("_source_line, reason, raw_text"),
            landing.rows("select _file_hash, byte_count, event_count, rejected_count from raw.raw_loaded_files"),
        ))  # fmt: skip
    assert landings[0] == landings[1]
    assert landings[0][2][0][:2] == (hashlib.sha256(content).hexdigest(), len(content))
    assert landings[0][0]


@pytest.mark.parametrize("first", ["e.jsonl", "e.jsonl.gz", "e.jsonl.zst"])
def test_the_same_content_compressed_or_not_is_loaded_once(landing: Landing, first: str) -> None:
    content = (json.dumps(EVENT) + "\n").encode()
    paths = [landing.file("e.jsonl", content)]
    paths += [landing.file(f"e.jsonl{suffix}", pack(content)) for suffix, pack in ARCHIVES.items()]
    landing.load(landing.directory / first)
    report = landing.load(*paths)
    assert [file.is_skipped for file in report.files] == [True, True, True]
    assert landing.events("_source_file") == [(str(landing.directory / first),)]


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_an_archive_of_several_parts_is_read_to_its_end(landing: Landing, suffix: str) -> None:
    pack, lines = ARCHIVES[suffix], [json.dumps({**EVENT, "event_id": f"e{n}"}) + "\n" for n in range(3)]
    parts = [pack(lines[0].encode()), pack(b""), pack((lines[1] + lines[2]).encode())]
    assert landing.load(landing.file(f"e.jsonl{suffix}", b"".join(parts))).accepted == 3


def _noise(rows: int) -> bytes:
    draw = random.Random(7)
    return "".join(
        json.dumps({**EVENT, "event_id": str(n), "tags": {"noise": draw.randbytes(40).hex()}}) + "\n"
        for n in range(rows)
    ).encode()


def _cut_short(archive: bytes) -> bytes:
    return archive[: len(archive) * 2 // 3]


def _without_its_end(archive: bytes) -> bytes:
    return archive[:-2]


def _with_a_flipped_bit(archive: bytes) -> bytes:
    middle = len(archive) // 2
    return archive[:middle] + bytes([archive[middle] ^ 1]) + archive[middle + 1 :]


def _with_a_wrong_checksum(archive: bytes) -> bytes:
    # gzip ends with a checksum and the length, zstd with a checksum.
    place = len(archive) - (8 if archive[:2] == b"\x1f\x8b" else 1)
    return archive[:place] + bytes([archive[place] ^ 1]) + archive[place + 1 :]


def _with_a_stranger_behind(archive: bytes) -> bytes:
    return archive + b"not part of it"


@pytest.mark.parametrize("suffix", ARCHIVES)
@pytest.mark.parametrize(
    "damage", [_cut_short, _without_its_end, _with_a_flipped_bit, _with_a_wrong_checksum, _with_a_stranger_behind]
)
def test_a_damaged_archive_is_one_line_and_leaves_nothing(
    landing: Landing, suffix: str, damage: Callable[[bytes], bytes]
) -> None:
    content = _noise(20_000)
    checked = zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})
    archive = checked if suffix == ".zst" else gzip.compress(content, mtime=0)
    path = landing.file(f"e.jsonl{suffix}", damage(archive))
    with pytest.raises(UserError) as caught:
        landing.load(path)
    assert str(caught.value).startswith(f"{path}: no whole {'zstd' if suffix == '.zst' else 'gzip'} archive (")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    tables = ("raw_usage_events", "raw_rejected_events", "raw_loaded_files")
    assert [landing.rows(f"select count(*) from raw.{table}") for table in tables] == [[(0,)]] * 3
    landing.file(path.name, archive)
    assert landing.load(path).accepted == 20_000


# Globs


def test_two_stars_name_every_folder_below(landing: Landing) -> None:
    for folder in ("", "2026/01", "2026/02"):
        (landing.directory / "logs" / folder).mkdir(parents=True, exist_ok=True)
        landing.jsonl({**EVENT, "event_id": folder or "top"}, name=f"logs/{folder}/e.jsonl")
    landing.file("logs/2026/notes.txt", "no log")
    report = landing.load(landing.directory / "logs" / "**" / "*.jsonl")
    assert [Path(file.path).relative_to(landing.directory / "logs").as_posix() for file in report.files] == [
        "2026/01/e.jsonl", "2026/02/e.jsonl", "e.jsonl",
    ]  # fmt: skip
    assert landing.load(landing.directory / "logs" / "*" / "*" / "*.jsonl").accepted == 0
    assert landing.rows("select count(*) from raw.raw_usage_events") == [(3,)]


def test_a_file_that_two_patterns_name_is_loaded_once(landing: Landing) -> None:
    path = landing.jsonl(EVENT)
    assert len(landing.load(path, landing.directory / "*.jsonl", landing.directory / "**").files) == 1


def test_a_glob_that_names_nothing_is_an_error_before_anything_is_loaded(landing: Landing) -> None:
    pattern = landing.directory / "**" / "*.csv.zst"
    with pytest.raises(UserError) as caught:
        landing.load(landing.jsonl(EVENT), pattern)
    assert str(caught.value) == f"{pattern}: no such file; check the path or the glob"
    assert not landing.database.exists()


def test_a_broken_file_among_many_stops_there_and_the_next_load_goes_on(landing: Landing) -> None:
    files = [landing.jsonl({**EVENT, "event_id": f"e{n}"}, name=f"{n}.jsonl") for n in range(4)]
    whole = files[2].read_bytes()
    broken = landing.file("2.jsonl.gz", gzip.compress(whole, mtime=0)[:-3])
    files[2].unlink()
    with pytest.raises(UserError, match=r"2\.jsonl\.gz: no whole gzip archive"):
        landing.load(landing.directory / "*.jsonl*")
    assert landing.events("event_id") == [("e0",), ("e1",)]
    broken.write_bytes(gzip.compress(whole, mtime=0))
    report = landing.load(landing.directory / "*.jsonl*")
    assert [file.is_skipped for file in report.files] == [True, True, False, False]
    assert landing.events("event_id") == [("e0",), ("e1",), ("e2",), ("e3",)]


# A load that is killed

LOADING = """
import sys
from datetime import datetime
from pathlib import Path
from llm_spend.ingest.load import load

def say(message, share):
    print(message, flush=True)

load(Path(sys.argv[1]), [sys.argv[2]], None, datetime(2026, 1, 1), progress=say)
"""
FILES, LINES = 40, 400


@pytest.mark.parametrize("round_number", range(3))
def test_a_killed_load_keeps_whole_files_and_the_next_one_loads_the_rest(landing: Landing, round_number: int) -> None:
    draw = random.Random()
    for n in range(FILES):
        lines = [json.dumps({**EVENT, "event_id": f"{n}-{line}"}) for line in range(LINES)]
        content = "\n".join([*lines, "{broken"]).encode()
        name, pack = draw.choice([("jsonl", bytes), ("jsonl.gz", gzip.compress), ("jsonl.zst", zstd.compress)])
        landing.file(f"{n:02}.{name}", pack(content))
    pattern = str(landing.directory / "*.jsonl*")
    kill_in, pause = draw.randrange(1, FILES), draw.uniform(0, 0.08)
    loading_process = subprocess.Popen(
        [sys.executable, "-c", LOADING, str(landing.database), pattern], stdout=subprocess.PIPE, text=True
    )
    assert loading_process.stdout is not None
    for said in loading_process.stdout:
        if f"({kill_in + 1} of {FILES})" in said:
            break
    time.sleep(pause)
    loading_process.kill()
    loading_process.communicate()

    at = f"killed {pause:.3f} s into file {kill_in}"
    per_file = """
        select _file_hash, sum(accepted), sum(rejected) from (
            select _file_hash, 1 as accepted, 0 as rejected from raw.raw_usage_events
            union all select _file_hash, 0, 1 from raw.raw_rejected_events
        ) group by _file_hash order by _file_hash
    """
    listed = "select _file_hash, event_count, rejected_count from raw.raw_loaded_files order by _file_hash"
    kept = landing.rows(per_file)
    assert kept == landing.rows(listed), at
    assert {row[1:] for row in kept} == {(LINES, 1)}, at
    assert kill_in <= len(kept), at

    report = landing.load(pattern)
    assert sum(file.is_skipped for file in report.files) == len(kept), at
    assert landing.rows("select count(*), count(distinct event_id) from raw.raw_usage_events") == [
        (FILES * LINES, FILES * LINES)
    ], at
    assert landing.rows(per_file) == landing.rows(listed), at
    assert [path.name for path in landing.database.parent.iterdir()] == [landing.database.name], at


def test_what_a_killed_process_spilled_is_removed(landing: Landing) -> None:
    path = landing.jsonl(EVENT)
    landing.load(path)
    spilled = landing.database.with_name(f"{landing.database.name}.tmp") / "duckdb_temp_1_0_storage_DEFAULT-0.tmp"
    spilled.parent.mkdir()
    spilled.write_text("alice", encoding="utf-8")
    landing.load(path)
    assert not spilled.parent.exists()


# Memory

MEASURING = """
import resource, sys
from datetime import datetime
from pathlib import Path
from llm_spend.ingest.load import load

load(Path(sys.argv[1]), [sys.argv[2]], None, datetime(2026, 1, 1))
status = Path("/proc/self/status")
# Linux counts what the parent held when it forked into ru_maxrss.
if status.exists():
    print(status.read_text().split("VmHWM:")[1].split()[0])
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _peak_megabytes(landing: Landing, kind: str, rows: int) -> float:
    """Peak memory of a process that loads rows of 1.3 kB, which no compression makes small."""
    path, database = landing.directory / f"{rows}.{kind}", landing.directory / f"{rows}_of_{kind}.duckdb"
    written = {"jsonl.zst": "json, compression zstd", "csv": "csv", "parquet": "parquet, row_group_size 10_000"}
    duckdb.execute(
        f"""
        copy (
            select
                '2026-01-01T00:00:00Z' as started_at, 'gpt-4o' as model, 'e' || n as event_id,
                '{{"noise": "' || array_to_string(
                    list_transform(range(40), lambda i: md5(n || '/' || i)), ''
                ) || '"}}' as tags
            from range({rows}) as t(n)
        ) to '{path}' (format {written[kind]})
        """
    )
    measured = subprocess.run(
        [sys.executable, "-c", MEASURING, str(database), str(path)], capture_output=True, text=True, check=True
    )
    path.unlink()
    return int(measured.stdout) / (1 << 20 if sys.platform == "darwin" else 1 << 10)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jsonl.zst", "csv", "parquet"])
def test_ten_times_the_rows_take_no_more_memory(landing: Landing, kind: str) -> None:
    small, large = _peak_megabytes(landing, kind, 15_000), _peak_megabytes(landing, kind, 150_000)
    assert large < min(450, small + 170)


def test_a_file_that_needs_more_memory_gets_it(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MEMORY_LIMITS", ("8MB", "16MB"))
    assert landing.load(landing.file("e.jsonl", _noise(3_000))).accepted == 3_000
    assert landing.rows("select count(*) from raw.raw_usage_events") == [(3_000,)]


# Identity of rows


def test_identical_rows_without_an_id_are_different_events(landing: Landing) -> None:
    row = json.dumps({"started_at": "2025-03-01", "model": "m"})
    landing.load(landing.file("e.jsonl", f"{row}\n{row}\n{row}\n"), landing.jsonl(EVENT, EVENT, name="f.jsonl"))
    row_hash = hashlib.md5(row.encode()).hexdigest()
    of_row = [hashlib.md5(f"{row_hash}|{ordinal}".encode()).hexdigest() for ordinal in (1, 2, 3)]
    assert landing.events("event_id") == [(of_row[0],), (of_row[1],), (of_row[2],), ("e1",), ("e1",)]


def test_a_log_that_grew_repeats_the_ids_of_its_first_rows(landing: Landing) -> None:
    row = {"started_at": "2025-03-01", "model": "m"}
    path = landing.jsonl(row, row)
    landing.load(path)
    landing.jsonl(row, row, row)
    landing.load(path)
    assert landing.rows("select count(*), count(distinct event_id) from raw.raw_usage_events") == [(5, 3)]


def test_the_same_content_again_changes_nothing(landing: Landing) -> None:
    path = landing.file("e.jsonl", json.dumps(EVENT) + "\n{broken\n")
    copy = landing.file("copy.jsonl", path.read_bytes())
    landing.load(path)
    before = landing.rows("from raw.raw_usage_events"), landing.rows("from raw.raw_rejected_events")
    report = load(landing.database, [str(path), str(copy)], None, LOADED_AT + timedelta(days=1))
    assert (report.accepted, report.rejected) == (0, 0)
    assert [(f.is_skipped, f.accepted, f.rejected) for f in report.files] == [(True, 1, 1), (True, 1, 1)]
    assert (landing.rows("from raw.raw_usage_events"), landing.rows("from raw.raw_rejected_events")) == before


def test_a_changed_mapping_replaces_the_rows_of_its_file_only(landing: Landing) -> None:
    changed = landing.file("a.jsonl", json.dumps({**EVENT, "cost": 0, "who": "x"}) + "\n{broken\n")
    landing.load(changed, landing.jsonl({**EVENT, "event_id": "e2"}, name="b.jsonl"))
    report = landing.load(changed, mapping="fields: {tenant_id: who}")
    assert (report.accepted, report.files[0].is_skipped) == (1, False)
    assert landing.events("event_id, tenant_id") == [("e1", "x"), ("e2", None)]
    assert len(landing.rejected()) == 1
    assert len(landing.rows("from raw.raw_loaded_files")) == 2


def test_an_aware_load_time_is_stored_as_utc(landing: Landing) -> None:
    at = datetime(2026, 1, 2, 5, 0, tzinfo=timezone(timedelta(hours=2)))
    load(landing.database, [str(landing.jsonl(EVENT))], None, at)
    assert landing.events("_loaded_at") == [(datetime(2026, 1, 2, 3, 0),)]
    assert at.astimezone(UTC).hour == 3


def test_a_failing_file_leaves_nothing_and_the_files_before_it_stay(landing: Landing) -> None:
    good = landing.jsonl(EVENT, name="a.jsonl")
    bad = landing.file("b.parquet", b"PAR1 not really")
    with pytest.raises(UserError, match=r"b\.parquet: cannot be loaded"):
        landing.load(good, bad)
    assert landing.rows("select count(*) from raw.raw_usage_events") == [(1,)]
    assert landing.rows("select count(*) from raw.raw_loaded_files") == [(1,)]


def test_a_crash_between_the_tables_leaves_no_half_file(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "_number_repeats", crash)
    with pytest.raises(KeyboardInterrupt):
        landing.load(landing.jsonl(EVENT))
    assert landing.rows("select count(*) from raw.raw_usage_events") == [(0,)]


# Mapping


def test_mapped_columns_paths_constants_and_conversions(landing: Landing) -> None:
    logged = {
        "created": 1723560043.25, "m": "gpt-4o", "usage": {"prompt": 7, "details": {"cached": 2}},
        "took": 1.2345, "code": 429, "cost": 0.0, "a.b": "column", "a": {"b": "path"}, "second": "s2",
    }  # fmt: skip
    mapping = """
        input_includes_cache: false
        output_includes_reasoning: true
        fields:
          started_at: {from: created, format: unix_seconds}
          model: m
          input_tokens: usage.prompt
          cached_input_tokens: usage.details.cached
          tags: usage
          latency_ms: {from: took, unit: seconds}
          provider: {constant: it's openai}
          status: {from: code, values: {200: success, 429: rate_limited}}
          reported_cost_usd: {from: cost, zero_is_null: true}
          tenant_id: a.b
          user_id: {from: [first, second]}
          team: {from: absent, optional: true}
    """
    landing.load(landing.jsonl(logged, {**logged, "code": 500, "cost": 0.5}), mapping=mapping)
    assert landing.events(
        "started_at, model, input_tokens, cached_input_tokens, tags, latency_ms, provider, "
        "tenant_id, user_id, team, "
        "_input_includes_cache, _output_includes_reasoning"
    ) == [
        (datetime(2024, 8, 13, 14, 40, 43, 250000), "gpt-4o", 7, 2, '{"prompt":7,"details":{"cached":2}}',
         1235, "it's openai", "column", "s2", None, False, True)
    ] * 2  # fmt: skip
    assert landing.events("status, reported_cost_usd") == [("rate_limited", None), ("500", Decimal("0.5"))]


@pytest.mark.parametrize(
    ("unit", "logged"),
    [
        ("unix_seconds", 1723560043),
        ("unix_milliseconds", 1723560043000),
        ("unix_microseconds", "1723560043000000"),
    ],
)
def test_unix_times(landing: Landing, unit: str, logged: Any) -> None:
    mapping = f"fields: {{started_at: {{from: t, format: {unit}}}}}"
    report = landing.load(landing.jsonl({"model": "m", "t": logged}, {"model": "m", "t": "soon"}), mapping=mapping)
    assert landing.events("started_at") == [(datetime(2024, 8, 13, 14, 40, 43),)]
    assert report.files[0].first_rejections[0].reason == (
        f"started_at (from t) is 'soon', not a time in {unit.replace('_', ' ')}"
    )


def test_unlisted_fields_are_found_in_camel_case(landing: Landing) -> None:
    event = {
        "startedAt": "2025-03-01",
        "model": "m",
        "inputTokens": 4,
        "endpointTag": "x",
        "output_tokens": 5,
    }
    report = landing.load(landing.jsonl(event), mapping="names: camelCase")
    assert landing.events("input_tokens, endpoint_tag, output_tokens") == [(4, "x", None)]
    assert report.files[0].unused_columns == ("output_tokens",)


def test_columns_that_nothing_reads_are_reported(landing: Landing) -> None:
    report = landing.load(landing.jsonl(EVENT, {**EVENT, "modle": "x", "_loaded_at": "2025"}))
    assert report.files[0].unused_columns == ("_loaded_at", "modle")


def test_a_path_into_a_csv_column_of_json(landing: Landing) -> None:
    path = landing.file("e.csv", 'started_at,model,usage\n2025-03-01,m,"{""in"": 5}"\n2025-03-01,m,broken\n')
    landing.load(path, mapping="fields: {input_tokens: usage.in}")
    assert landing.events("input_tokens") == [(5,), (None,)]


# Presets


def test_the_request_log_of_the_documents(landing: Landing) -> None:
    landing.load(
        landing.jsonl({
            "timestamp": "2024-01-15T10:23:45Z", "endpoint": "/api/summarize", "model": "gpt-4-turbo",
            "input_tokens": 1250, "output_tokens": 340, "total_tokens": 1590, "latency_ms": 2340,
            "cache_hit": False, "user_id": "acme_corp_001", "feature": "document_analysis",
            "status": "success",
        }),
        mapping=read_mapping("request-log"),
    )  # fmt: skip
    assert landing.events(
        "started_at, endpoint_tag, model, input_tokens, output_tokens, total_tokens, latency_ms, "
        "cache_hit, user_id, "
        "feature_name, status"
    ) == [
        (datetime(2024, 1, 15, 10, 23, 45), "/api/summarize", "gpt-4-turbo", 1250, 340, 1590, 2340, False,
         "acme_corp_001", "document_analysis", "success")
    ]  # fmt: skip


def test_the_capture_block_of_the_documents(landing: Landing) -> None:
    header = "model,prompt_tokens,completion_tokens,estimated_cost,agent_id,feature_name,timestamp,latency_ms"
    row = "gpt-4o,100,20,0.00045,support_bot_v2,chat,2025-03-01T10:00:00Z,900"
    report = landing.load(landing.file("e.csv", f"{header}\n{row}\n"), mapping=read_mapping("openai-monitoring"))
    assert landing.events(
        "provider, model, input_tokens, output_tokens, reported_cost_usd, agent_id, feature_name, "
        "started_at, latency_ms"
    ) == [
        ("openai", "gpt-4o", 100, 20, Decimal("0.00045"), "support_bot_v2", "chat", datetime(2025, 3, 1, 10),
         900)
    ]  # fmt: skip
    assert report.files[0].unused_columns == ()


def test_opsmeters_payload(landing: Landing) -> None:
    payload = {
        "externalRequestId": "r1", "provider": "openai", "model": "gpt-4o", "promptVersion": "v4",
        "endpointTag": "checkout.summary", "inputTokens": 9, "outputTokens": 3, "totalTokens": 12,
        "latencyMs": 80, "status": "error", "errorCode": "500", "userId": "u", "tenantId": "t",
        "dataMode": "test", "environment": "staging",
    }  # fmt: skip
    report = landing.load(
        landing.jsonl({**payload, "createdAt": "2025-03-01T10:00:00Z"}), mapping=read_mapping("opsmeter")
    )
    assert landing.events(
        "external_request_id, prompt_version, endpoint_tag, input_tokens, output_tokens, "
        "total_tokens, latency_ms, "
        "status, error_code, user_id, tenant_id, data_mode, environment, started_at"
    ) == [
        ("r1", "v4", "checkout.summary", 9, 3, 12, 80, "error", "500", "u", "t", "test", "staging",
         datetime(2025, 3, 1, 10))
    ]  # fmt: skip
    assert report.files[0].unused_columns == ()
    with pytest.raises(UserError, match="startedAt or timestamp or createdAt, from which mapping opsmeter takes"):
        landing.load(landing.jsonl(payload), mapping=read_mapping("opsmeter"))


def test_every_real_aider_call_lands(landing: Landing) -> None:
    report = landing.load(AIDER, mapping=read_mapping("aider"))
    assert (report.accepted, report.rejected) == (5522, 0)
    assert report.files[0].unused_columns == ("weak_model", "editor_model", "edit_format", "total_cost")
    assert landing.rows(
        "select count(reported_cost_usd), count(distinct event_id), min(started_at), max(reported_cost_usd), "
        "min(agent_id) from raw.raw_usage_events"
    ) == [(4419, 5522, datetime(2024, 8, 13, 14, 40, 43), Decimal("9990.012528750000"), "aider")]
    assert landing.rows(
        "select _source_line, model, input_tokens, output_tokens, total_tokens, reported_cost_usd "
        "from raw.raw_usage_events order by _source_line limit 1"
    ) == [(2, "gpt-4o-mini", 638, 25, 663, Decimal("0.0001107"))]


# Hashing


def test_hashed_ids_leave_neither_id_nor_salt_in_the_database(landing: Landing) -> None:
    path = landing.file(
        "e.jsonl",
        "".join(
            json.dumps({"started_at": "2025-03-01", "model": "m", "user": user, "tenant_id": tenant}) + "\n"
            for user, tenant in [("alice", "alice"), ("alice", None), (" ", "acme")]
        )
        + '{"user": "alice", broken\n'
        + '{"started_at": "2025-03-01", "model": "m", "user": "bob", "input_tokens": "alice"}\n',
    )
    report = landing.load(
        path,
        mapping="fields: {user_id: {from: user, hash: true}}",
        hash_salt=SALT,
        hash_fields=["tenant_id"],
    )
    hashed_acme = "ab42457ee9d47cee3e40ccb37464bd8008f3bd49b473df873fd9fe9e02f6627a"
    assert landing.events("user_id, tenant_id") == [
        (HASHED_ALICE, HASHED_ALICE), (HASHED_ALICE, None), (None, hashed_acme),
    ]  # fmt: skip
    assert landing.rejected() == [
        (4, "not valid JSON", "(not kept: this load hashes ids)"),
        (5, "input_tokens is not a whole number", "(not kept: this load hashes ids)"),
    ]
    assert (report.accepted, report.rejected) == (3, 2)
    written = b"".join(file.read_bytes() for file in landing.database.parent.iterdir())
    assert b"alice" not in written
    assert SALT.encode() not in written
    first_line = path.read_bytes().splitlines()[0]
    assert landing.events("_row_hash")[0] != (hashlib.md5(first_line).hexdigest(),)


def test_the_salt_is_in_no_statement_and_no_parameter(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    connect = loading.connect

    class Recorded:
        def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
            self.connection = connection

        def execute(self, *arguments: object) -> duckdb.DuckDBPyConnection:
            said.append(repr(arguments))
            return self.connection.execute(*arguments)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.connection, name)

    @contextmanager
    def recording(database: Path) -> Iterator[Recorded]:
        with connect(database) as connection:
            yield Recorded(connection)

    monkeypatch.setattr(loading, "connect", recording)
    landing.load(landing.jsonl({**EVENT, "user_id": "alice"}), hash_salt=SALT, hash_fields=["user_id"])
    assert any(HASHED_ALICE in statement for statement in said)
    assert not any(SALT in statement for statement in said)


def test_more_ids_than_one_batch(landing: Landing) -> None:
    lines = "".join(f"2025-03-01,m,user-{n}\n" for n in range(25_000))
    landing.load(landing.file("e.csv", "started_at,model,user_id\n" + lines), hash_salt=SALT, hash_fields=["user_id"])
    assert landing.rows("select count(distinct user_id), min(length(user_id)) from raw.raw_usage_events") == [
        (25_000, 64)
    ]


def test_turning_hashing_on_or_changing_the_salt_replaces_the_rows(landing: Landing) -> None:
    path = landing.jsonl({**EVENT, "user_id": "alice"})
    landing.load(path)
    assert landing.load(path, hash_salt=SALT, hash_fields=["user_id"]).accepted == 1
    assert landing.events("user_id") == [(HASHED_ALICE,)]
    assert landing.load(path, hash_salt=SALT, hash_fields=["user_id"]).files[0].is_skipped
    assert landing.load(path, hash_salt="other", hash_fields=["user_id"]).accepted == 1
    assert landing.events("user_id") != [(HASHED_ALICE,)]


def test_hashing_a_column_that_the_log_lacks_is_no_error(landing: Landing) -> None:
    assert landing.load(landing.jsonl(EVENT), hash_salt=SALT, hash_fields=["tenant_id"]).accepted == 1


def test_hashing_needs_a_salt_and_an_id(landing: Landing) -> None:
    path = landing.jsonl(EVENT)
    with pytest.raises(
        UserError, match="hashing user_id needs a salt: set the environment variable LLM_SPEND_HASH_SALT"
    ):
        landing.load(path, hash_fields=["user_id"])
    with pytest.raises(UserError, match="cannot hash model; only tenant_id and user_id"):
        landing.load(path, hash_salt=SALT, hash_fields=["model"])


# Bad input


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("e.jsonl", "", "e.jsonl: empty, no event to load"),
        ("e.jsonl", "\n \n", "e.jsonl: empty, no event to load"),
        ("e.csv", "started_at,model\n", "e.csv: empty, no event to load"),
        ("e.json", "[]", "e.json: empty, no event to load"),
        ("e.json", "[{]", "e.json: cannot be loaded (Malformed JSON"),
        ("e.jsonl", "\nnonsense\n{\n", "e.jsonl:2: not valid JSON; not one row could be accepted"),
        ("e.xlsx", "x",
         "e.xlsx: unknown extension .xlsx; name files .jsonl, .ndjson, .json, .csv, .tsv, .parquet"),
        ("events", "x", "events: unknown extension (none)"),
        ("e.gz", "x", "e.gz: unknown extension (none)"),
        ("e.jsonl", b"\x00\x01", "e.jsonl: binary or UTF-16, not UTF-8 text"),
        ("e.jsonl.gz", b"no gzip",
         "e.jsonl.gz: no whole gzip archive (Not a gzipped file (b'no')); copy or compress it again"),
        ("e.csv.zst", b"no zstd",
         "e.csv.zst: no whole zstd archive (Unable to decompress Zstandard data: Unknown frame descriptor)"),
        ("e.csv.gz", b"", "e.csv.gz: no whole gzip archive (the file is empty)"),
        ("e.jsonl.zst", zstd.compress(b"\x00\x01"), "e.jsonl.zst: binary or UTF-16, not UTF-8 text"),
        ("e.jsonl.gz", gzip.compress(b"", mtime=0), "e.jsonl.gz: empty, no event to load"),
        ("e.parquet.gz", gzip.compress(b"x", mtime=0),
         "e.parquet.gz: only text is read from an archive; .parquet has its own compression, unpack it first"),
        ("e.parquet", b"x", "e.parquet: cannot be loaded"),
        ("e.csv", "started_at,model,model\n2025-03-01,a,b\n", "e.csv:1: the header names 'model' twice"),
        ("e.csv", "time,llm\n1,m\n",
         "e.csv: no row has the column started_at; it has time, llm; say where it is with "
         "--mapping: a YAML file, or one of aider, claude-code, helicone, langfuse, langfuse-api, langfuse-traces, "
         "litellm, litellm-payload, openai-monitoring, openrouter, opsmeter, otel, otel-spans, portkey, posthog, "
         "request-log, vercel-ai-gateway"),
        ("e.jsonl", '{"started_at": "2025-03-01"}',
         "e.jsonl: no row has the column model; it has started_at"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(landing: Landing, name: str, content: str | bytes, message: str) -> None:
    path = landing.file(name, content)
    with pytest.raises(UserError) as caught:
        landing.load(path)
    assert str(caught.value).startswith(f"{path.parent}/{message}")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_file_of_broken_rows_keeps_them_and_says_so_again(landing: Landing) -> None:
    path = landing.file("e.jsonl", "nonsense\n")
    for _ in range(2):
        with pytest.raises(UserError, match=r"e\.jsonl:1: not valid JSON"):
            landing.load(path)
    assert landing.rejected() == [(1, "not valid JSON", "nonsense")]


def test_an_empty_file_among_others_is_no_error(landing: Landing) -> None:
    report = landing.load(landing.file("a.jsonl", ""), landing.jsonl(EVENT, name="b.jsonl"))
    assert [file.rows for file in report.files] == [0, 1]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("fields: {tenant_id: tenent}",
         "no row has the column tenent, from which mapping m.yml takes tenant_id; did you mean tenant? "),
        ("fields: {tenant_id: usage.who}",
         "no row has the column usage.who, from which mapping m.yml takes tenant_id"),
        ("fields: {tenant_id: other.who}", "no row has the column other.who"),
    ],
)  # fmt: skip
def test_a_mapping_that_names_a_missing_column(landing: Landing, mapping: str, message: str) -> None:
    path = landing.jsonl({**EVENT, "tenant": "t", "usage": {"in": 1}})
    with pytest.raises(UserError) as caught:
        landing.load(path, mapping=mapping)
    assert message in str(caught.value)


def test_a_mapped_column_may_come_late_or_be_null(landing: Landing) -> None:
    lines = [json.dumps(EVENT)] * 30_000 + [json.dumps({**EVENT, "who": None})]
    report = landing.load(landing.file("e.jsonl", "\n".join(lines)), mapping="fields: {tenant_id: who}")
    assert report.accepted == 30_001


def test_paths_that_name_nothing(landing: Landing) -> None:
    with pytest.raises(UserError, match="no such file"):
        landing.load(landing.directory / "*.jsonl")
    with pytest.raises(UserError, match="a directory; name its files"):
        landing.load(landing.directory)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_permission(landing: Landing) -> None:
    path = landing.jsonl(EVENT)
    path.chmod(0)
    with pytest.raises(UserError, match=r"cannot be read \(Permission denied\)"):
        landing.load(path)


def test_a_database_that_another_process_holds(landing: Landing) -> None:
    landing.load(landing.jsonl(EVENT))
    hold = f"import duckdb; c = duckdb.connect({str(landing.database)!r}); print(1, flush=True); input()"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            hold,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(UserError) as caught:
            landing.load(landing.jsonl({**EVENT, "event_id": "e2"}))
    finally:
        holder.communicate(b"\n")
    assert caught.value.exit_code == 1
    assert str(caught.value).startswith(f"{landing.database} is in use by process {holder.pid}: ")


def test_a_file_that_is_no_database(landing: Landing) -> None:
    events = landing.jsonl(EVENT)
    landing.database.parent.mkdir()
    landing.database.write_text("hello" * 1000, encoding="utf-8")
    with pytest.raises(UserError, match="cannot be opened as a DuckDB database"):
        landing.load(events)


def test_progress_ends_at_one(landing: Landing) -> None:
    said: list[tuple[str, float]] = []
    files = [landing.jsonl(EVENT, name="a.jsonl"), landing.jsonl({**EVENT, "x": 1}, name="b.jsonl")]
    landing.load(*files, progress=lambda message, share: said.append((message, share)))
    assert said[0] == (f"loading {files[0]} (1 of 2)", 0.0)
    assert said[-1] == ("loaded", 1.0)
    assert [share for _, share in said] == sorted(share for _, share in said)
