"""What a user sets for scheduled runs, in environment variables, read in this one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from llm_spend import config_seeds, paths
from llm_spend.dbt_run import BuildRequest
from llm_spend.errors import UserError
from llm_spend.ingest.mapping import read_mapping
from llm_spend.ingest.schema import USAGE_EVENTS
from llm_spend.ingest.sources import loaded_sources

PREFIX = "llm_spend"
"""What every key and name begins with: nothing else in a code location of somebody else's is called so."""

DUCKDB_POOL = f"{PREFIX}_duckdb"
"""Whoever writes the DuckDB file is in this pool, whose limit is one run (orchestration/dagster.yaml)."""


@dataclass(frozen=True)
class Settings:
    """`events` is a path or glob, or None for the demo; `mapping` a file or a preset; `owner` as Dagster wants it."""

    events: str | None
    mapping: str | None
    config_dir: Path | None
    hash_salt: str | None
    first_day: date
    owner: str
    home: Path

    @property
    def event_source(self) -> str:
        return "landing" if self.events else "demo"

    @property
    def quality_dir(self) -> Path:
        return paths.artifacts_dir() / "quality"

    def build_request(self, touched: Mapping[str, str] | None = None) -> BuildRequest:
        """The build of these settings; `touched` are the vars of the days to add."""
        seeds = self.home / "config_seeds" if self.config_dir else None
        database, variables = paths.default_database(), dict[str, Any](touched or {})
        if self.mapping and (source := read_mapping(self.mapping).landing.source) != USAGE_EVENTS.source:
            # A first run is defined before anything has landed.
            variables["usage_sources"] = loaded_sources(database, [source])
        return BuildRequest(database, self.event_source, config_seeds=seeds, vars=variables)

    def write_config_seeds(self) -> None:
        """Lay the user's configuration over the package's, where `build_request` says the seeds are."""
        if self.config_dir:
            package_seeds = paths.project_dir() / "seeds" / "config"
            config_seeds.overlay(package_seeds, self.config_dir, self.home / "config_seeds")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from environment variables, blank ones as if unset. UserError for a day that is none."""

    def value(name: str) -> str | None:
        return environment.get(name, "").strip() or None

    def path(name: str) -> Path | None:
        text = value(name)
        return Path(text).expanduser().absolute() if text else None

    first_day = value("LLM_SPEND_FIRST_DAY") or "2026-01-01"
    try:
        day = date.fromisoformat(first_day)
    except ValueError:
        raise UserError(f"LLM_SPEND_FIRST_DAY is {first_day}: write it as 2026-01-01") from None
    events = path("LLM_SPEND_EVENTS")
    return Settings(
        events=str(events) if events else None,
        mapping=value("LLM_SPEND_MAPPING"),
        config_dir=path("LLM_SPEND_CONFIG"),
        hash_salt=value("LLM_SPEND_HASH_SALT"),
        first_day=day,
        owner=value("LLM_SPEND_OWNER") or "team:finops",
        home=path("DAGSTER_HOME") or paths.target_dir() / "dagster",
    )
