.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
# What is imported is compiled then; all of it, never imported, takes half of the install.
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install -qq --no-input --no-deps --no-compile
DAGSTER_HOME ?= $(CURDIR)/target/dagster
UI_PORT ?= 3000
ENGINES := $(BIN)/python tests/engines/run
GOLDEN ?= clickhouse postgres duckdb
TEST_DATABASE := target/test/llm_spend.duckdb
EVERYTHING := {event_source: landing, usage_sources: [app, litellm, otel, langfuse, helicone, claude_code], \
	provider_bills: [openai, anthropic, bill_lines]}

export DBT_LOG_PATH := target/logs
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.PHONY: help demo ui test test-crash test-delivery test-focus test-sources test-producers test-golden test-engines dbt-build docs bench bench-pricing bench-engines bench-alerts lint format \
	lock clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' Makefile

demo: .venv/installed ## Explain the bundled demo bill: install what is needed, build, print the summary
	@$(BIN)/llm-spend demo

# A pool gets its default limit only after the first look at the queue: two first runs at once would both start.
ui: .venv/installed ## Start the Dagster UI on http://127.0.0.1:3000: assets, checks, schedules
	@mkdir -p $(DAGSTER_HOME) && cp orchestration/dagster.yaml $(DAGSTER_HOME)/ && \
	export DAGSTER_HOME=$(DAGSTER_HOME) GX_ANALYTICS_ENABLED=false && \
	$(BIN)/dagster instance concurrency set llm_spend_duckdb 1 && \
	exec $(BIN)/dagster dev --module-name llm_spend.definitions --host 127.0.0.1 --port $(UI_PORT)

test: .venv/installed ## All tests: lint, the full dbt build with data and unit tests, pytest
	@started=$$SECONDS; \
	$(MAKE) --no-print-directory --jobs 2 --output-sync lint dbt-build && \
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder && \
	echo "All tests passed in $$((SECONDS - started)) s"

# With --quiet MkDocs counts no warnings, and --strict means nothing.
# dbt's documentation needs no warehouse: nothing is run, and the contracts have the types. Every log and bill is in it.
docs: .venv/installed ## Build the documentation site into target/site, dbt docs included; about two minutes
	@LLM_SPEND_DUCKDB_PATH=:memory: $(BIN)/dbt --quiet docs generate --static --empty-catalog --profiles-dir . \
		--target-path target/docs --vars '$(EVERYTHING)' && \
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: .venv/installed ## Build ten million events, a day more, a batch, beside other tools; about half an hour
	@$(BIN)/python benchmarks/build.py

bench-pricing: .venv/installed ## Cost ten million calls, beside genai-prices; about three minutes
	@$(BIN)/python benchmarks/pricing.py

bench-alerts: .venv/installed ## Precision, recall and delay of the alerts on twenty simulated companies; about half an hour
	@$(BIN)/python benchmarks/alerts.py

bench-engines: .venv/engines ## Build a million events on each engine, and a day more; about half an hour
	@$(BIN)/python benchmarks/engines.py

test-crash: .venv/installed ## Kill a build twenty times, run it again, compare every mart; about a quarter of an hour
	@LLM_SPEND_KILLS=$${LLM_SPEND_KILLS:-20} $(BIN)/pytest tests/python/test_crash_safety.py

test-delivery: .venv/engines ## A thousand incidents through failing services and twenty kills, on SQLite and Postgres; a real dagster dev; about an hour
	@export LLM_SPEND_INCIDENTS=1000 LLM_SPEND_KILLS=20 && $(BIN)/pytest tests/python/test_alert_faults.py tests/delivery

test-focus: .venv/installed target/focus_validator/installed ## The FinOps Foundation's validator on an exported month; some minutes
	@$(BIN)/pytest tests/focus

target/focus_validator/installed: tests/focus/requirements.txt
	@echo 'Installing focus-validator into an environment of its own, some 400 MB' && \
	$(BIN)/python -m venv --clear target/focus_validator && \
	PIP_DISABLE_PIP_VERSION_CHECK=1 target/focus_validator/bin/python -m pip install -qq --no-input --requirement $< && \
	touch $@

test-sources: .venv/installed ## Ten thousand calls in every log's shape, ten thousand broken records of each; some minutes
	@LLM_SPEND_CALLS=10000 LLM_SPEND_FUZZ=10000 $(BIN)/pytest tests/python/test_source_equivalence.py tests/python/test_source_fuzz.py

# Recorded traffic of real SDKs against a stand-in for the providers, in environments of their own.
test-producers: .venv/installed $(patsubst tests/producers/requirements-%.txt,target/producers/%/installed,$(wildcard tests/producers/requirements-*.txt)) ## Fresh logs of real SDKs and instrumentations, loaded, built, compared with what was billed; some minutes
	@$(BIN)/pytest tests/producers

target/producers/%/installed: tests/producers/requirements-%.txt
	@echo 'Installing $< into an environment of its own' && \
	$(BIN)/python -m venv --clear $(@D) && \
	PIP_DISABLE_PIP_VERSION_CHECK=1 $(@D)/bin/python -m pip install -qq --no-input --requirement $< && \
	touch $@

# Two at a time, the longest first, without builds that write nothing and without data tests: test-engines has both, and
# Spark, which plans for minutes what others run in seconds.
test-golden: .venv/engines ## The same numbers on DuckDB, ClickHouse and Postgres, real servers, a small log; some minutes
	@printf '%s\n' $(GOLDEN) | xargs -P 2 -I{} sh -c '$(ENGINES) {} --short'

test-engines: test-golden ## The same with the demo and all its tests, all of Spark, kills; about two hours
	@set -e; for engine in duckdb clickhouse postgres bigquery snowflake; do $(ENGINES) $$engine; done; \
	for engine in duckdb postgres clickhouse; do $(ENGINES) $$engine --demo; done; \
	$(ENGINES) spark-thrift; $(ENGINES) spark --core; $(ENGINES) postgres --kills 20

dbt-build: .venv/installed
	@mkdir -p $(dir $(TEST_DATABASE)) && rm -f $(TEST_DATABASE)*
	LLM_SPEND_DUCKDB_PATH=$(TEST_DATABASE) $(BIN)/dbt build --profiles-dir . --target-path target/test/dbt

lint: .venv/installed ## Check style: ruff and sqlfluff
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	LLM_SPEND_DUCKDB_PATH=:memory: $(BIN)/sqlfluff lint models --processes 2

format: .venv/installed ## Fix style where a tool can: ruff and sqlfluff
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	LLM_SPEND_DUCKDB_PATH=:memory: $(BIN)/sqlfluff fix models --processes 2

LOCK := $(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --quiet \
	--generate-hashes --no-annotate --no-strip-extras --no-emit-index-url --no-emit-find-links \
	--custom-compile-command 'make lock'

lock: .venv/installed ## Resolve every dependency anew into the lock files
	$(LOCK) --upgrade --output-file requirements.lock
	$(LOCK) --upgrade --extra engines --constraint requirements.lock --output-file requirements-engines.lock

clean: ## Remove the virtual environment and everything built
	rm -rf .venv target logs dist .pytest_cache .ruff_cache .hypothesis

# The first interpreter that really runs: a pyenv shim may be on the PATH and fail.
.venv/installed: pyproject.toml requirements.lock
	@started=$$SECONDS; \
	supported='import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; \
	if ! $(BIN)/python -c "$$supported" 2>/dev/null; then \
		for candidate in python3.13 python3.12 python3.11 python3; do \
			$$candidate -c "$$supported" 2>/dev/null || continue; \
			echo "Creating .venv with $$($$candidate --version)"; \
			$$candidate -m venv --clear .venv && break; \
		done; \
	fi; \
	if ! $(BIN)/python -c "$$supported" 2>/dev/null; then \
		echo 'llm_spend needs Python 3.11, 3.12 or 3.13 with the venv module: install one and run make again' >&2; exit 2; \
	fi; \
	echo 'Installing the locked dependencies, about half a minute'; \
	$(PIP) --require-hashes --requirement requirements.lock && \
	$(PIP) --no-build-isolation --editable . && \
	touch $@ && echo "Installed in $$((SECONDS - started)) s"

.venv/engines: .venv/installed requirements-engines.lock
	@echo 'Installing the engines, about a gigabyte' && \
	$(PIP) --require-hashes --requirement requirements-engines.lock && touch $@
