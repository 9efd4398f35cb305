"""The mapping file: how the columns of somebody's log become the fields of a usage event.

    table: litellm_spend_logs         # the fields are that landing table's columns; without it, a usage event's
    unpack: otlp                      # each line is a batch of OpenTelemetry spans; or `spans`, one span
    names: camelCase                  # fields not listed below are looked up as inputTokens, not input_tokens
    input_includes_cache: false       # input tokens are logged without cached and cache-write tokens
    output_includes_reasoning: false  # output tokens are logged without reasoning tokens
    only: {event: [$ai_generation]}   # rows that say something else here are no calls: counted, not loaded
    fields:
      model: model_name                                     # a column
      cached_input_tokens: usage.details.cached_tokens      # a path into a nested object
      started_at: {from: created, format: unix_seconds}     # or unix_milliseconds, unix_microseconds
      latency_ms: {from: elapsed, unit: seconds}            # or milliseconds; rounded to whole milliseconds
      provider: {constant: openai}
      status: {from: code, values: {200: success, 429: rate_limited}}   # other values stay as they are
      error_code: {from: code, values: {200: null}, otherwise: failed}  # or all become this one
      user_id: {from: user, hash: true}                     # HMAC-SHA-256, salt from LLM_SPEND_HASH_SALT
      feature_name: {from: feature, optional: true}         # the log may lack this column
      external_request_id: {from: [request_id, trace_id]}   # the first that has a value
      reported_cost_usd: {from: cost, unit: cents}          # or dollars
      web_search_requests: {from: searches, zero_is_null: true}  # the log writes 0 for "unknown"

A log whose rows count their tokens differently says so by a column, which must become true or false:

    input_includes_cache: {from: [cache_is_extra, provider], values: {true: false, anthropic: false}, otherwise: true}

`values` translates each column by itself, so one that becomes null leaves the word to the next.

Every key is optional. A field that is not listed is read from the column of its own name, if the log has one.
A column whose name contains a dot wins over a path of the same spelling.
"""

import difflib
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from llm_spend.errors import UserError
from llm_spend.ingest.schema import EVENT_COLUMNS, LANDINGS, USAGE_EVENTS, Column, Landing

PRESETS_DIR = Path(__file__).parent / "presets"

NameStyle = Literal["snake_case", "camelCase"]
TimeFormat = Literal["iso", "unix_seconds", "unix_milliseconds", "unix_microseconds", "unix_nanoseconds"]
LatencyUnit = Literal["seconds", "milliseconds"]
MoneyUnit = Literal["dollars", "cents"]
Unpacking = Literal["otlp", "spans"]
_UNITS: dict[str, Any] = {"latency_ms": LatencyUnit, "reported_cost_usd": MoneyUnit}


@dataclass(frozen=True)
class FieldSource:
    """Where one field comes from: columns of the log (the first with a value wins), or a constant text."""

    columns: tuple[str, ...] = ()
    constant: str | None = None
    format: TimeFormat = "iso"
    unit: LatencyUnit | MoneyUnit | None = None
    values: tuple[tuple[str, str | None], ...] = ()
    otherwise: str | None = None
    zero_is_null: bool = False
    hash: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Mapping:
    """A parsed mapping file. The default one reads every field from the column of its own name."""

    name: str = "no mapping"
    landing: Landing = USAGE_EVENTS
    unpack: Unpacking | None = None
    names: NameStyle = "snake_case"
    input_includes_cache: bool | FieldSource | None = None
    output_includes_reasoning: bool | FieldSource | None = None
    only: tuple[str, tuple[str, ...]] | None = None
    fields: dict[str, FieldSource] = field(default_factory=dict)

    def source(self, column: Column) -> FieldSource:
        """The source of a field: as listed, else the column of its own name, which the log may lack.

        A token flag comes from nowhere unless the mapping says it.
        """
        if column in self.landing.flags:
            flag = getattr(self, column.name.removeprefix("_"))
            said = None if flag is None else str(flag).lower()
            return flag if isinstance(flag, FieldSource) else FieldSource(constant=said)
        own_name = camel_case(column.name) if self.names == "camelCase" else column.name
        return self.fields.get(column.name) or FieldSource(columns=(own_name,), optional=True)

    @property
    def hashed_fields(self) -> frozenset[str]:
        return frozenset(name for name, source in self.fields.items() if source.hash)

    def fingerprint(self) -> str:
        """Hex sha256 of what the mapping means; its name and its comments don't count."""
        meaning = {key: value for key, value in asdict(self).items() if key not in ("name", "landing", "unpack")}
        if self.landing is not USAGE_EVENTS:
            meaning |= {"table": self.landing.name, "unpack": self.unpack}
        return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


def camel_case(name: str) -> str:
    """`cache_write_1h_tokens` → `cacheWrite1hTokens`."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def preset_names() -> list[str]:
    """The mappings that the package ships."""
    return sorted(path.stem for path in PRESETS_DIR.glob("*.yml"))


def read_mapping(reference: str) -> Mapping:
    """The mapping that a person named: the name of a preset, or the path of a YAML file."""
    if reference in preset_names():
        return parse_mapping((PRESETS_DIR / f"{reference}.yml").read_text(encoding="utf-8"), reference)
    path = Path(reference).expanduser()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(
            f"mapping {reference}: no such file, and no preset of that name; "
            f"name a YAML file or one of {', '.join(preset_names())}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"mapping {reference}: cannot be read ({_one_line(error)}); give a YAML file") from None
    return parse_mapping(text, reference)


def parse_mapping(text: str, name: str) -> Mapping:
    """Parse the text of a mapping file; `name` stands for it in errors."""
    try:
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"mapping {name}{line}: not valid YAML: {error.problem}; fix the file") from None
    except yaml.YAMLError as error:
        raise UserError(f"mapping {name}: not valid YAML: {_one_line(error)}; fix the file") from None
    document = _Document(name)
    content = document.table(content, "the file")
    landing = LANDINGS[document.choice(content.get("table", USAGE_EVENTS.name), tuple(LANDINGS), "table")]
    flags = [flag.name.removeprefix("_") for flag in landing.flags]
    document.only_known(content, ("table", "unpack", "names", *flags, "only", "fields"), "key")
    fields = document.table(content.get("fields", {}), "fields")
    document.only_known(fields, landing.by_name, "field")
    return Mapping(
        name=name,
        landing=landing,
        unpack=document.choice(content["unpack"], Unpacking, "unpack") if "unpack" in content else None,
        names=document.choice(content.get("names", "snake_case"), NameStyle, "names"),
        input_includes_cache=document.token_flag(content, "input_includes_cache"),
        output_includes_reasoning=document.token_flag(content, "output_includes_reasoning"),
        only=document.only(content.get("only")),
        fields={key: document.field_source(landing.by_name[key], value) for key, value in fields.items()},
    )


@dataclass(frozen=True)
class _Document:
    """Checks of one mapping file, whose errors all name it."""

    name: str

    def error(self, message: str) -> UserError:
        return UserError(f"mapping {self.name}: {message}")

    def table(self, value: Any, where: str) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise self.error(f"{where} must hold `key: value` pairs, not {_shown(value)}")
        return value

    def only_known(self, table: dict[Any, Any], known: Iterable[str], what: str, where: str = "") -> None:
        known = list(known)
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=3)
                advice = f"did you mean {' or '.join(near)}?" if near else f"use one of {', '.join(known)}"
                raise self.error(f"{where}unknown {what} {_shown(key)}; {advice}")

    def flag(self, table: dict[Any, Any], key: str, default: bool | None, where: str = "") -> bool | None:
        value = table.get(key, default)
        if value is not default and not isinstance(value, bool):
            raise self.error(f"{where}{key} must be true or false, not {_shown(value)}")
        return value

    def token_flag(self, table: dict[Any, Any], key: str) -> bool | FieldSource | None:
        value = table.get(key)
        if isinstance(value, dict):
            return self.field_source(Column(key, "boolean"), value, key)
        return self.flag(table, key, None)

    def only(self, value: Any) -> tuple[str, tuple[str, ...]] | None:
        if value is None:
            return None
        if not isinstance(value, dict) or len(value) != 1:
            raise self.error(f"only must be one `COLUMN: [VALUE, ...]`, not {_shown(value)}")
        ((column, wanted),) = value.items()
        wanted = wanted if isinstance(wanted, list) else [wanted]
        texts = tuple(self.scalar(text, f"only.{column}") for text in wanted)
        if not texts or None in texts:
            raise self.error(f"only.{column} must name the values of rows that are calls, not {_shown(value[column])}")
        return str(column), tuple(text for text in texts if text is not None)

    def choice(self, value: Any, choices: Any, where: str) -> Any:
        choices = choices if isinstance(choices, tuple) else get_args(choices)
        if value not in choices:
            raise self.error(f"{where} must be one of {', '.join(choices)}, not {_shown(value)}")
        return value

    def column_names(self, value: Any, where: str) -> tuple[str, ...]:
        names = value if isinstance(value, list) else [value]
        if not names or not all(isinstance(name, str | int) and str(name).strip() for name in names):
            raise self.error(f"{where} must be a column name, not {_shown(value)}")
        return tuple(str(name) for name in names)

    def field_source(self, column: Column, value: Any, where: str = "") -> FieldSource:
        where = where or f"fields.{column.name}"
        if not isinstance(value, dict):
            return FieldSource(columns=self.column_names(value, where))
        usable = _options(column)
        self.only_known(value, usable, "option", f"{where}: ")
        if ("from" in value) == ("constant" in value):
            raise self.error(f"{where} needs either `from: COLUMN` or `constant: VALUE`")
        translations = self.table(value.get("values", {}), f"{where}.values")
        if "otherwise" in value and (value["otherwise"] is None or not translations):
            raise self.error(f"{where}.otherwise must be a value, for what `values` does not list")
        return FieldSource(
            columns=self.column_names(value["from"], f"{where}.from") if "from" in value else (),
            constant=self.scalar(value.get("constant"), f"{where}.constant"),
            format=self.choice(value.get("format", "iso"), TimeFormat, f"{where}.format"),
            unit=self.choice(value["unit"], _UNITS[column.name], f"{where}.unit") if "unit" in value else None,
            values=tuple(
                (self.scalar(logged, f"{where}.values") or "", self.scalar(meant, f"{where}.values"))
                for logged, meant in translations.items()
            ),
            otherwise=self.scalar(value.get("otherwise"), f"{where}.otherwise"),
            zero_is_null=bool(self.flag(value, "zero_is_null", False, f"{where}.")),
            hash=bool(self.flag(value, "hash", False, f"{where}.")),
            optional=bool(self.flag(value, "optional", False, f"{where}.")),
        )

    def scalar(self, value: Any, where: str) -> str | None:
        if isinstance(value, dict | list):
            raise self.error(f"{where} must be a single value, not {_shown(value)}")
        if isinstance(value, bool):
            return str(value).lower()
        return None if value is None else str(value)


def _options(column: Column) -> list[str]:
    options = ["from", "constant", "values", "otherwise", "optional"]
    if column.kind == "timestamp":
        options.append("format")
    if column.name in _UNITS:
        options.append("unit")
    if column.kind in ("integer", "decimal"):
        options.append("zero_is_null")
    if column.hashable:
        options.append("hash")
    return options


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


HASHABLE_FIELDS: tuple[str, ...] = tuple(column.name for column in EVENT_COLUMNS if column.hashable)
