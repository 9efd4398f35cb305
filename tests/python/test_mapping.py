import re
from pathlib import Path

import pytest

from llm_spend.errors import UserError
from llm_spend.ingest.mapping import (
    FieldSource,
    Mapping,
    camel_case,
    parse_mapping,
    preset_names,
    read_mapping,
)
from llm_spend.ingest.schema import USAGE_EVENTS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "mapping.md"


def test_every_option_is_read() -> None:
    mapping = parse_mapping(
        """
        names: camelCase
        input_includes_cache: false
        output_includes_reasoning: {from: provider, values: {gemini: false}, otherwise: true, optional: true}
        only: {event: [call, 7]}
        fields:
          model: model_name
          started_at: {from: created, format: unix_seconds}
          latency_ms: {from: elapsed, unit: seconds}
          provider: {constant: openai}
          status: {from: code, values: {200: success, 429: rate_limited, "": null}}
          external_request_id: {from: [request_id, trace_id], optional: true}
          reported_cost_usd: {from: cost, unit: cents, zero_is_null: true}
          user_id: {from: user, hash: true}
          cache_hit: {constant: false}
        """,
        "m.yml",
    )
    assert mapping == Mapping(
        name="m.yml",
        names="camelCase",
        input_includes_cache=False,
        output_includes_reasoning=FieldSource(
            ("provider",), values=(("gemini", "false"),), otherwise="true", optional=True
        ),
        only=("event", ("call", "7")),
        fields={
            "model": FieldSource(("model_name",)),
            "started_at": FieldSource(("created",), format="unix_seconds"),
            "latency_ms": FieldSource(("elapsed",), unit="seconds"),
            "provider": FieldSource(constant="openai"),
            "status": FieldSource(("code",), values=(("200", "success"), ("429", "rate_limited"), ("", None))),
            "external_request_id": FieldSource(("request_id", "trace_id"), optional=True),
            "reported_cost_usd": FieldSource(("cost",), unit="cents", zero_is_null=True),
            "user_id": FieldSource(("user",), hash=True),
            "cache_hit": FieldSource(constant="false"),
        },
    )
    assert mapping.hashed_fields == {"user_id"}


def test_an_empty_mapping_reads_each_field_from_its_own_name() -> None:
    assert parse_mapping("{}", "m.yml").source(USAGE_EVENTS.by_name["input_tokens"]) == FieldSource(
        ("input_tokens",), optional=True
    )


@pytest.mark.parametrize(
    ("name", "camel"),
    [("model", "model"), ("input_tokens", "inputTokens"), ("cache_write_1h_tokens", "cacheWrite1hTokens")],
)
def test_camel_case_names(name: str, camel: str) -> None:
    assert camel_case(name) == camel


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fields: [", "mapping m.yml:1: not valid YAML"),
        ("fields:\n  model: x\n  - y\n", "mapping m.yml:3: not valid YAML"),
        ("", "the file must hold `key: value` pairs, not nothing"),
        ("- a", "the file must hold `key: value` pairs"),
        ("field: {}", "unknown key 'field'; did you mean fields?"),
        ("fields: {input_token: a}", "unknown field 'input_token'; did you mean input_tokens or "),
        ("fields: {zebra: a}", "unknown field 'zebra'; use one of event_id, started_at"),
        ("fields: {_loaded_at: a}", "unknown field '_loaded_at'"),
        ("fields: {model: }", "fields.model must be a column name, not nothing"),
        ("fields: {model: []}", "fields.model must be a column name, not []"),
        ("fields: {model: {form: a}}", "fields.model: unknown option 'form'; did you mean from"),
        ("fields: {model: {}}", "fields.model needs either `from: COLUMN` or `constant: VALUE`"),
        ("fields: {model: {from: a, constant: b}}", "fields.model needs either"),
        ("fields: {model: {constant: [a]}}", "fields.model.constant must be a single value"),
        ("fields: {model: {from: a, format: unix_seconds}}", "fields.model: unknown option 'format'"),
        (
            "fields: {started_at: {from: a, format: unix}}",
            "fields.started_at.format must be one of iso, unix_sec",
        ),
        ("fields: {latency_ms: {from: a, unit: hours}}", "fields.latency_ms.unit must be one of seconds"),
        (
            "fields: {reported_cost_usd: {from: a, unit: cent}}",
            "fields.reported_cost_usd.unit must be one of dollars, cents, not 'cent'",
        ),
        ("fields: {input_tokens: {from: a, unit: cents}}", "fields.input_tokens: unknown option 'unit'"),
        (
            "fields: {status: {from: a, otherwise: error}}",
            "fields.status.otherwise must be a value, for what `values` does not list",
        ),
        ("fields: {status: {from: a, values: {b: c}, otherwise: }}", "fields.status.otherwise must be a value"),
        ("input_includes_cache: {form: a}", "input_includes_cache: unknown option 'form'; did you mean from"),
        ("input_includes_cache: {values: {}}", "input_includes_cache needs either `from: COLUMN`"),
        ("only: [call]", "only must be one `COLUMN: [VALUE, ...]`, not ['call']"),
        ("only: {event: []}", "only.event must name the values of rows that are calls, not []"),
        ("only: {event: [{}]}", "only.event must be a single value, not {}"),
        ("fields: {model: {from: a, hash: true}}", "fields.model: unknown option 'hash'"),
        ("fields: {user_id: {from: a, hash: 1}}", "fields.user_id.hash must be true or false, not 1"),
        ("fields: {status: {from: a, values: ok}}", "fields.status.values must hold `key: value` pairs"),
        ("names: kebab-case", "names must be one of snake_case, camelCase, not 'kebab-case'"),
        ("input_includes_cache: maybe", "input_includes_cache must be true or false, not 'maybe'"),
    ],
)
def test_a_wrong_mapping_is_one_clear_line(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_mapping(text, "m.yml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_presets_are_found_by_name_and_files_by_path(tmp_path: Path) -> None:
    assert preset_names() == [
        *("aider", "claude-code", "helicone", "langfuse", "langfuse-api", "langfuse-traces", "litellm"),
        *("litellm-payload", "openai-monitoring", "openrouter", "opsmeter", "otel", "otel-spans", "portkey"),
        *("posthog", "request-log", "vercel-ai-gateway"),
    ]
    assert [read_mapping(name).name for name in preset_names()] == preset_names()
    file = tmp_path / "mine.yml"
    file.write_text("names: camelCase", encoding="utf-8")
    assert read_mapping(str(file)).names == "camelCase"


def test_a_mapping_that_is_neither_preset_nor_file_names_the_presets(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no such file.*aider, claude-code, .*vercel-ai-gateway"):
        read_mapping("aidre")
    with pytest.raises(UserError, match="cannot be read"):
        read_mapping(str(tmp_path))


def test_the_fingerprint_is_of_the_meaning() -> None:
    plain, commented = parse_mapping("fields: {model: m}", "a"), parse_mapping("# c\nfields: {model: m}", "b")
    assert plain.fingerprint() == commented.fingerprint()
    assert plain.fingerprint() != parse_mapping("fields: {model: n}", "a").fingerprint()


def test_the_documented_mappings_parse() -> None:
    examples = re.findall(r"```yaml[^\n]*\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        assert parse_mapping(example, str(DOCUMENT)).fields


def test_the_documented_presets_are_those_that_exist() -> None:
    rows = re.findall(r"^\| `([a-z][a-z-]+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == preset_names()
