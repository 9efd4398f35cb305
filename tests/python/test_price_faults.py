"""Bad prices and configuration stop a build before any cost is written, and are named by file, line and rule."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import pytest

from conftest import ROOT, query, run_cli
from llm_spend.seed_faults import Fault, SeedFile, SeedRule, find_faults, shown

GOOD = {
    "model_prices": {
        "provider_id": "acme",
        "model_id": "m",
        "service_tier": "default",
        "usage_type": "input",
        "context_above_tokens": "0",
        "context_inclusive": "false",
        "price_usd": "2.5",
        "price_unit": "1M tokens",
        "source": "https://acme.example/prices",
    },
    "price_multipliers": {"provider_id": "acme", "region": "eu", "multiplier": "1.1", "source": "a page"},
    "model_rules": {
        "provider_id": "acme",
        "model_id": "m",
        "model_ordinal": "1",
        "rule_group": "1",
        "kind": "regex",
        "pattern": "^m(-[0-9]{8})?$",
        "is_negated": "false",
    },
    "provider_rules": {
        "provider_id": "acme",
        "provider_ordinal": "1",
        "purpose": "model",
        "rule_group": "1",
        "kind": "contains",
        "pattern": "acme",
        "is_negated": "false",
    },
    "price_overrides": {"provider_id": "acme", "discount_percent": "12.5"},
    "model_aliases": {"kind": "starts_with", "pattern": "house-", "provider_id": "acme", "model_id": "m"},
    "fx_rates": {"currency": "EUR", "valid_from": "2026-01-01", "usd_per_unit": "1.08", "source": "a bank"},
    "budgets": {"scope_type": "total", "period": "monthly", "amount_usd": "100", "valid_from": "2026-01-01"},
    "tenant_revenue": {"tenant_id": "acme", "month": "2026-01", "revenue_usd": "100"},
    "fixed_charges": {
        "charge_id": "plan",
        "charge_type": "support",
        "amount_usd": "100",
        "valid_from": "2026-01-01",
        "valid_to": "2026-02-01",
        "allocation_method": "by_cost",
    },
    "allocation_methods": {"allocation_method": "even"},
    "alert_routes": {"channel": "ops", "kind": "slack", "address_variable": "OPS_URL"},
    "alert_silences": {
        "starts_at": "2026-11-01 22:00",
        "ends_at": "2026-11-02 06:00",
        "author": "ann",
        "reason": "a backfill",
    },
    "alert_rules": {
        "rule_id": "budget_exceeded",
        "metric": "daily_cost",
        "kind": "deviates",
        "threshold": "1.25",
        "min_deviations": "6",
        "severity": "warning",
    },
    "alert_rule_overrides": {"rule_id": "budget_exceeded", "entity_type": "tenant", "entity_id": "acme"},
}
CONFIG = (
    "price_overrides", "model_aliases", "fx_rates", "budgets", "tenant_revenue", "fixed_charges", "allocation_methods",
    "alert_routes", "alert_silences", "alert_rules", "alert_rule_overrides",
)  # fmt: skip
AGREED = {"discount_percent": "", "model_id": "m", "usage_type": "input", "price": "2", "price_unit": "1M tokens"}
NO_RATE = "a currency needs a rate in fx_rates from the first day on (no rate of"

# A row that differs from the good one, and what is said of its line; nothing of a row that is right.
ROWS = {
    "model_prices": [
        ({"price_usd": "-4"}, "price_usd '-4': a price is a number, not negative"),
        ({"price_usd": "cheap"}, "price_usd 'cheap': a price is a number"),
        ({"price_usd": "0.0000000001"}, "price_usd '0.0000000001': a price is a number, not negative, with at most"),
        ({"price_usd": ""}, "price_usd is blank: this column is required"),
        ({"model_id": ""}, "model_id is blank: this column is required"),
        ({"service_tier": "bulk"}, "service_tier 'bulk': this column knows these words only (default, batch, flex"),
        ({"speed": "slow"}, "speed 'slow': this column knows these words only (fast)"),
        ({"usage_type": "inputs"}, "usage_type 'inputs': this column knows these words only (input, cached_input"),
        ({"price_unit": "1B tokens"}, "price_unit '1B tokens': a price unit is one that the usage type is sold in"),
        ({"price_unit": "1K pages"}, "price_unit '1K pages': a price unit is one"),
        ({"context_above_tokens": "200k"}, "context_above_tokens '200k': a threshold is a whole number"),
        ({"context_inclusive": "yes"}, "context_inclusive 'yes': this column knows these words only (true, false)"),
        ({"valid_from": "2026-02-29"}, "valid_from '2026-02-29': a day is a date of the calendar"),
        ({"verified_on": "yesterday"}, "verified_on 'yesterday': a day is a date of the calendar"),
        ({"valid_from": "2026-03-01", "valid_to": "2026-02-01"}, "valid_to comes after valid_from"),
        ({"valid_from": "2026-03-01", "valid_to": "2026-03-01"}, "valid_to comes after valid_from"),
        ({"clock_from": "24:00", "clock_to": "02:00"}, "clock_from '24:00': a clock is HH:MM, from 00:00 to 23:59"),
        ({"clock_from": "08:00", "clock_to": "25:00"}, "clock_to '25:00': a clock is HH:MM, from 00:00 to 24:00"),
        ({"clock_from": "08:00"}, "clock_from and clock_to are given together"),
        ({"weekdays": "sat,sun"}, "weekdays 'sat,sun': weekdays are days such as sat sun"),
        ({"speed": "fast", "clock_from": "16:30", "clock_to": "24:00", "weekdays": "sat sun"}, None),
    ],
    "price_multipliers": [
        ({"multiplier": "0"}, "multiplier '0': a multiplier is a number above 0"),
        ({"region": ""}, "exactly one of speed and region is given"),
        ({"speed": "fast"}, "exactly one of speed and region is given"),
        ({"region": "EU"}, "speed and region are in lower case"),
        ({"valid_to": "soon"}, "valid_to 'soon': a day is a date"),
        ({"region": "", "speed": "fast", "multiplier": "6"}, None),
    ],
    "model_rules": [
        ({"pattern": r"^m-\d+$"}, r"pattern '^m-\\d+$': a pattern keeps to the regular expressions that every engine"),
        ({"pattern": "^(?!m)"}, "pattern '^(?!m)': a pattern keeps to"),
        ({"kind": "glob"}, "kind 'glob': this column knows these words only (equals, starts_with"),
        ({"model_ordinal": "first"}, "model_ordinal 'first': an order is a whole number"),
        ({"kind": "contains", "pattern": "(?"}, None),
    ],
    "provider_rules": [
        ({"purpose": "price"}, "purpose 'price': this column knows these words only (model, provider)"),
        ({"is_negated": "no"}, "is_negated 'no': this column knows these words only (true, false)"),
        ({"pattern": ""}, "pattern is blank: this column is required"),
    ],
    "price_overrides": [
        ({**AGREED, "price": "-4"}, "price '-4': a price is a number, not negative"),
        ({**AGREED, "price_unit": "1 hour"}, "price_unit '1 hour': a price unit is one that the usage type is sold in"),
        ({**AGREED, "model_id": ""}, "a price needs model_id, usage_type and price_unit"),
        ({**AGREED, "discount_percent": "5"}, "exactly one of price and discount_percent is given"),
        ({"discount_percent": ""}, "exactly one of price and discount_percent is given"),
        ({"discount_percent": "101"}, "discount_percent '101': a discount is a number from 0 to 100"),
        ({"provider_id": ""}, "provider_id is blank: this column is required"),
        ({"service_tier": "bulk"}, "service_tier 'bulk': this column knows these words only"),
        ({"usage_type": "tokens"}, "usage_type 'tokens': this column knows these words only"),
        ({"valid_from": "2026-06-01", "valid_to": "2026-01-01"}, "valid_to comes after valid_from"),
        ({**AGREED, "currency": "€"}, "currency '€': a currency has three letters"),
        ({**AGREED, "currency": "JPY"}, f"currency 'JPY': {NO_RATE} JPY on"),
        ({**AGREED, "currency": "EUR", "valid_from": "2025-12-31"}, f"currency 'EUR': {NO_RATE} EUR on 2025-12-31)"),
        ({**AGREED, "currency": "EUR"}, f"currency 'EUR': {NO_RATE} EUR on the open"),
        ({**AGREED, "currency": "eur", "valid_from": "2026-01-01"}, None),
        ({"provider_id": "acmee"}, "provider_id 'acmee': a discount is for a provider and model that have prices"),
        ({"model_id": "n"}, "model_id 'n': a discount is for a provider and model that have prices"),
        ({**AGREED, "model_id": "own", "service_tier": "batch"}, None),
        ({"model_id": "own"}, None),
        ({"discount_percent": "100"}, None),
    ],
    "model_aliases": [
        ({"kind": "regex", "pattern": r"house-\w"}, r"pattern 'house-\\w': a pattern keeps to the regular expressions"),
        ({"kind": "like"}, "kind 'like': this column knows these words only"),
        ({"priority": "high"}, "priority 'high': a priority is a whole number"),
        ({"model_id": ""}, "model_id is blank: this column is required"),
        ({"model_id": "n"}, "model_id 'n': an alias leads to a provider and model that have prices"),
        ({"model_id": "own"}, None),
        ({"kind": "", "priority": "2"}, None),
    ],
    "fx_rates": [
        ({}, None),
        ({"currency": "CHF", "usd_per_unit": "0"}, "usd_per_unit '0': a rate is a number above 0"),
        ({"currency": "gbp"}, "currency 'gbp': a currency has three capital letters"),
        ({"currency": "NOK", "valid_from": ""}, "valid_from is blank: this column is required"),
        ({"currency": "NOK", "valid_from": "1 May"}, "valid_from '1 May': a day is a date"),
    ],
    "budgets": [
        ({"amount_usd": "lots"}, "amount_usd 'lots': a budget is a number"),
        ({"valid_from": "2026-06-31"}, "valid_from '2026-06-31': a day is a date"),
        ({"valid_to": "2025-01-01"}, "valid_to comes after valid_from"),
        ({"currency": "JPY"}, f"currency 'JPY': {NO_RATE} JPY on"),
        ({"currency": "EUR", "warning_ratio": "0.5"}, None),
        ({"warning_ratio": "80%"}, "warning_ratio '80%': thresholds are one to five numbers above 0 with a space"),
        ({"warning_ratio": "0.5,0.8"}, "warning_ratio '0.5,0.8': thresholds are one to five numbers"),
        ({"warning_ratio": "0 0.8"}, "warning_ratio '0 0.8': thresholds are one to five numbers"),
        ({"warning_ratio": "0.5 0.000"}, "warning_ratio '0.5 0.000': thresholds are one to five numbers"),
        ({"warning_ratio": "1 2 3 4 5 6"}, "warning_ratio '1 2 3 4 5 6': thresholds are one to five numbers"),
        ({"warning_ratio": "0.9 0.8"}, "thresholds rise from left to right, such as 0.5 0.8 0.95"),
        ({"warning_ratio": "0.5 0.80 0.8"}, "thresholds rise from left to right"),
        ({"warning_ratio": "0.000001 0.5 00.80 1 10"}, None),
        ({"scope_type": "org", "scope_id": "a"}, "scope_type 'org': this column knows these words only (total, tenant"),
        ({"period": "yearly"}, "period 'yearly': this column knows these words only (hourly, daily, weekly, monthly)"),
        ({"traffic": "everything"}, "traffic 'everything': this column knows these words only (in_scope, all)"),
        ({"budget_kind": "agreed"}, "budget_kind 'agreed': this column knows these words only (internal, contracted)"),
        ({"scope_type": "tenant"}, "a budget needs a scope_id, unless it is the total's"),
        ({"scope_type": "agent", "scope_id": "a", "period": "hourly"}, "an hourly budget is one of total, tenant, end"),
        ({"scope_type": "user", "scope_id": "a", "traffic": "all"}, "a user's budget counts traffic in scope, for no"),
        ({"budget_kind": "contracted"}, "a contracted budget is a tenant's"),
        ({"scope_type": "user", "scope_id": "a", "traffic": "in_scope", "period": "weekly"}, None),
        ({"scope_type": "tenant", "scope_id": "a", "traffic": "all", "period": "hourly"}, None),
        ({"scope_type": "tenant", "scope_id": "a", "budget_kind": "contracted"}, None),
    ],
    "tenant_revenue": [
        ({"month": "2026-13"}, "month '2026-13': a month is written as 2026-10, or as its first day, 2026-10-01"),
        ({"month": "2026-10-31"}, "month '2026-10-31': a month is written as"),
        ({"month": "October"}, "month 'October': a month is written as"),
        ({"month": ""}, "month is blank: this column is required"),
        ({"tenant_id": ""}, "tenant_id is blank: this column is required"),
        ({"revenue_usd": ""}, "revenue_usd is blank: this column is required"),
        ({"revenue_usd": "1,000"}, "revenue_usd '1,000': a revenue is a number with at most 6 decimals, below 0 for"),
        ({"revenue_usd": "(20)"}, "revenue_usd '(20)': a revenue is a number"),
        ({"currency": "€"}, "currency '€': a currency has three letters"),
        ({"currency": "JPY"}, f"currency 'JPY': {NO_RATE} JPY on 2026-01-01)"),
        ({"currency": "EUR", "month": "2025-12"}, f"currency 'EUR': {NO_RATE} EUR on 2025-12-01)"),
        ({"currency": "EUR", "month": "2025-12-01"}, f"currency 'EUR': {NO_RATE} EUR on 2025-12-01)"),
        ({"currency": "EUR", "month": "2026-01"}, None),
        ({"currency": "eur", "month": "2026-01-01"}, None),
        ({"revenue_usd": "-20.5"}, None),
        ({"revenue_usd": "0"}, None),
        ({}, None),
    ],
    "fixed_charges": [
        ({"charge_id": "f1", "amount_usd": "-5"}, "a credit is below 0, and no other charge is"),
        ({"charge_id": "f2", "charge_type": "credit"}, "a credit is below 0, and no other charge is"),
        ({"charge_id": "f3", "amount_usd": "1e3"}, "amount_usd '1e3': a charge is a number with at most 6 decimals"),
        ({"charge_id": "f4", "charge_type": "rent"}, "charge_type 'rent': this column knows these words only (prov"),
        ({"charge_id": "f5", "allocation_method": "by_use"}, "allocation_method 'by_use': this column knows these wor"),
        ({"charge_id": "f6", "valid_to": ""}, "valid_to is blank: this column is required"),
        ({"charge_id": "f7", "valid_to": "2026-01-01"}, "valid_to comes after valid_from"),
        ({"charge_id": "f8", "valid_from": "2026-02-30", "valid_to": "2026-03-01"}, "valid_from '2026-02-30': a day"),
        ({"charge_id": "f9", "valid_to": "9999-12-31"}, "a charge is for days from 2020 to 2046"),
        ({"charge_id": "f10", "valid_from": "2019-12-31"}, "a charge is for days from 2020 to 2046"),
        ({"charge_id": "f11", "allocation_method": "direct"}, "a direct charge names its tenant_id, and only"),
        ({"charge_id": "f12", "tenant_id": "acme"}, "a direct charge names its tenant_id, and only"),
        ({"charge_id": "(unattributed) rent"}, "a charge_id does not begin with (unattributed)"),
        ({"charge_id": "f13", "currency": "JPY"}, f"currency 'JPY': {NO_RATE} JPY on 2026-01-01)"),
        ({"charge_id": "f14", "currency": "EUR", "valid_from": "2025-12-31"}, f"currency 'EUR': {NO_RATE} EUR on 2025"),
        ({"charge_id": "g1", "currency": "eur"}, None),
        ({"charge_id": "g2", "charge_type": "credit", "amount_usd": "-5.000001"}, None),
        ({"charge_id": "g3", "allocation_method": "direct", "tenant_id": "acme"}, None),
        ({"charge_id": "g4", "valid_from": "2020-01-01", "valid_to": "2047-01-01"}, None),
    ],
    "allocation_methods": [
        ({"allocation_method": ""}, "allocation_method is blank: this column is required"),
        ({"provider": "openai", "allocation_method": "direct"}, "allocation_method 'direct': this column knows these"),
        ({"provider": "google"}, None),
    ],
    "alert_routes": [
        ({"channel": ""}, "channel is blank: this column is required"),
        ({"channel": "Ops Team"}, "channel 'Ops Team': a channel is named in small letters, such as ops-pager"),
        ({"channel": "console"}, "console and jsonl always get everything, name the channel something else"),
        ({"kind": "teams"}, "kind 'teams': this column knows these words only (slack, pagerduty, webhook, apprise)"),
        ({"severity": "page"}, "severity 'page': this column knows these words only (critical, warning, info)"),
        ({"address_variable": "https://hooks.example/s3cret"}, "address_variable and secret_variable name environment"),
        ({"kind": "webhook", "secret_variable": "s3cret"}, "address_variable and secret_variable name environment"),
        ({"kind": "webhook"}, "a webhook needs a secret_variable, whose value signs its messages; no other kind has"),
        ({"secret_variable": "OPS_SECRET"}, "a webhook needs a secret_variable, whose value signs its messages; no ot"),
        ({"rule_id": "hourly_spike"}, "rule_id 'hourly_spike': a rule is a rule_id of alert_rules, or failed_checks,"),
        ({"repeat_hours": "0"}, "repeat_hours '0': hours and messages are whole numbers above 0"),
        ({"messages_per_run": "many"}, "messages_per_run 'many': hours and messages are whole numbers above 0"),
        ({"channel": "hook", "kind": "webhook", "secret_variable": "OPS_SECRET", "repeat_hours": "24"}, None),
        ({"rule_id": "weekly_review"}, None),
        ({"rule_id": "budget_exceeded", "entity_type": "tenant", "entity_id": "acme", "owner": "ann"}, None),
    ],
    "alert_silences": [
        ({"ends_at": "2026-11-01 21:59"}, "ends_at comes after starts_at"),
        ({"ends_at": "2026-11-01 22:00"}, "ends_at comes after starts_at"),
        ({"ends_at": "2026-11-31 06:00"}, "ends_at '2026-11-31 06:00': a moment is written in UTC, such as 2026-11-01"),
        ({"starts_at": "2026-11-01"}, "starts_at '2026-11-01': a moment is written in UTC, such as 2026-11-01 22:00"),
        ({"ends_at": "2026-11-02 24:00"}, "ends_at '2026-11-02 24:00': a moment is written in UTC"),
        ({"author": ""}, "author is blank: this column is required"),
        ({"reason": ""}, "reason is blank: this column is required"),
        ({"rule_id": "weekly_review"}, "rule_id 'weekly_review': a rule is a rule_id of alert_rules"),
        ({"severity": "low"}, "severity 'low': this column knows these words only (critical, warning, info)"),
        ({"ends_at": "2028-02-29 00:00", "rule_id": "budget_exceeded", "owner": "ann"}, None),
    ],
    "alert_rules": [
        ({"rule_id": ""}, "rule_id is blank: this column is required"),
        ({"rule_id": "r1", "threshold": ""}, "threshold is blank: this column is required"),
        ({"rule_id": "r2", "metric": "daily_costs"}, "metric 'daily_costs': this column knows these words only ("),
        ({"rule_id": "r3", "kind": "over"}, "kind 'over': this column knows these words only (above, below, "),
        ({"rule_id": "r4", "severity": "high"}, "severity 'high': this column knows these words only (critical, war"),
        ({"rule_id": "r5", "entity_type": "shop"}, "entity_type 'shop': this column knows these words only (total"),
        ({"rule_id": "r6", "threshold": "5x"}, "threshold '5x': a threshold is a number with at most 6 decimals"),
        ({"rule_id": "r7", "min_deviations": "-1"}, "min_deviations '-1': a least value is a number, not negative"),
        ({"rule_id": "r8", "min_dollars": "5 USD"}, "min_dollars '5 USD': a least value is a number, not negative"),
        ({"rule_id": "r9", "min_samples": "1.5"}, "min_samples '1.5': a count is a whole number, not negative"),
        ({"rule_id": "r10", "periods_to_open": "0"}, "an incident needs a period to open and one to resolve"),
        ({"rule_id": "r11", "periods_to_resolve": "00"}, "an incident needs a period to open and one to resolve"),
        ({"rule_id": "r12", "entity_type": "user"}, "entity_type 'user': this metric is measured of these types"),
        ({"rule_id": "r13", "entity_type": "tenant", "threshold": "-0.5", "periods_to_open": "10"}, None),
        ({"rule_id": "r14", "metric": "daily_requests", "entity_type": "user", "min_dollars": "0.5"}, None),
        ({}, None),
    ],
    "alert_rule_overrides": [
        ({"rule_id": "leap"}, "rule_id 'leap': a rule is a rule_id of alert_rules"),
        ({"rule_id": ""}, "rule_id is blank: this column is required"),
        ({"entity_id": ""}, "entity_id is blank: this column is required"),
        ({"entity_id": "e1", "entity_type": ""}, "entity_type is blank: this column is required"),
        ({"entity_id": "e2", "entity_type": "shop"}, "entity_type 'shop': this column knows these words only"),
        ({"entity_id": "e3", "threshold": "twice"}, "threshold 'twice': a threshold is a number"),
        ({"entity_id": "e4", "min_dollars": "-5"}, "min_dollars '-5': a least value is a number, not negative"),
        ({"entity_id": "e5", "min_samples": "few"}, "min_samples 'few': a count is a whole number, not negative"),
        ({"entity_id": "e6", "severity": "page"}, "severity 'page': this column knows these words only (critical, wa"),
        ({"entity_id": "e7", "is_enabled": "no"}, "is_enabled 'no': this column knows these words only (true, false)"),
        ({"entity_id": "e8", "is_enabled": "false"}, None),
        ({"entity_id": "zeta", "threshold": "2.5", "min_samples": "0", "severity": "info"}, None),
    ],
}  # fmt: skip

NIGHT, DAY = {"clock_from": "16:30", "clock_to": "00:30"}, {"clock_from": "00:30", "clock_to": "16:30"}
WORKING_DAYS = {"weekdays": "mon tue wed thu fri"}
TOGETHER = "two sets of prices of one model do not hold at the same moment"
GAP = "the prices of a model leave no gap in days, in the week or in context"
PART = "a part's price needs its whole's, and two wholes that overlap need their common part's"

# Rows each of which is right. What does not fit together is said of its lines.
ROWS_TOGETHER = {
    "model_prices": [
        # one model over time, by the clock and by weekday, without fault
        ({"model_id": "fine", "valid_to": "2026-01-01"}, None),
        ({"model_id": "fine", "valid_from": "2026-01-01", **NIGHT}, None),
        ({"model_id": "fine", "valid_from": "2026-01-01", **DAY, **WORKING_DAYS}, None),
        ({"model_id": "fine", "valid_from": "2026-01-01", **DAY, "weekdays": "sat sun"}, None),
        ({"model_id": "fine", "service_tier": "batch", "valid_from": "2026-05-01", "valid_to": "2026-06-01"}, None),
        ({"model_id": "fine", "speed": "fast"}, None),
        ({"model_id": "twice"}, None),
        ({"model_id": "twice", "price_usd": "3"}, "line 8 and line 9: a price stands once"),
        ({"model_id": "dates", "valid_to": "2026-02-02"}, None),
        ({"model_id": "dates", "valid_from": "2026-02-01"}, f"line 10 and line 11: {TOGETHER}"),
        ({"model_id": "clocks", **NIGHT}, None),
        ({"model_id": "clocks", "clock_from": "00:29", "clock_to": "16:30"}, f"line 12 and line 13: {TOGETHER}"),
        ({"model_id": "weekdays", "weekdays": "sat sun"}, None),
        ({"model_id": "weekdays", "weekdays": "mon tue wed thu fri sun"}, f"line 14 and line 15: {TOGETHER}"),
        ({"model_id": "hole", "valid_to": "2026-02-01"}, f"{GAP} (from 2026-02-01 on, 0 of the 10080 minutes"),
        ({"model_id": "hole", "valid_from": "2026-03-01"}, None),
        ({"model_id": "week", **NIGHT}, None),
        ({"model_id": "week", **DAY, **WORKING_DAYS}, f"{GAP} (from the beginning on, 8160 of the 10080 min"),
        ({"model_id": "large", "context_above_tokens": "1"}, f"{GAP} (context_above_tokens 0 has no price)"),
        ({"model_id": "part", "usage_type": "reasoning"}, f"{PART} (reasoning without output)"),
        ({"model_id": "audio"}, None),
        ({"model_id": "audio", "usage_type": "cached_input"}, f"{PART} (cached_input and input_audio without"),
        ({"model_id": "audio", "usage_type": "input_audio"}, None),
    ],
    "price_multipliers": [
        ({"valid_to": "2026-01-01"}, None),
        ({"valid_from": "2026-01-01"}, None),
        ({"model_id": "m"}, None),
        ({"region": "us"}, None),
        ({"region": "us", "multiplier": "1.2"}, "line 5 and line 6: a multiplier stands once"),
        ({"region": "uk", "valid_to": "2026-01-01"}, None),
        ({"region": "uk", "valid_from": "2025-12-31"}, "line 7 and line 8: two multipliers of one model do not hold"),
    ],
    "price_overrides": [
        ({"valid_to": "2026-01-01"}, None),
        ({"valid_from": "2026-01-01"}, None),
        ({"model_id": "fine"}, None),
        ({"model_id": "fine", "service_tier": "batch"}, None),
        ({"model_id": "fine", "usage_type": "input", "valid_to": "2026-02-01"}, None),
        ({"model_id": "FINE", "usage_type": "input", "valid_from": "2026-01-31"}, "line 6 and line 7: two overrides"),
        ({"model_id": "large"}, None),
        ({"model_id": "large", "discount_percent": "1"}, "line 8 and line 9: an override stands once"),
    ],
    "model_aliases": [({"model_id": "fine"}, None)],
    "fx_rates": [
        ({}, None),
        ({"valid_from": "2026-02-01"}, None),
        ({"valid_from": "2026-02-01", "usd_per_unit": "1.1"}, "line 3 and line 4: a currency has one rate a day"),
        ({"currency": "CHF", "valid_from": "2026-02-01"}, None),
    ],
    "tenant_revenue": [
        ({}, None),
        ({"revenue_usd": "-100"}, None),
        ({"month": "2026-02"}, None),
        ({"revenue_usd": "50"}, None),
        ({"revenue_usd": "50"}, "line 5 and line 6: a revenue stands once; two equal invoices of one month are one"),
    ],
    "fixed_charges": [
        ({}, None),
        ({"charge_id": "seats"}, None),
        ({"amount_usd": "7"}, "line 2 and line 4: a charge stands once"),
    ],
    "allocation_methods": [
        ({}, None),
        ({"provider": "google"}, None),
        ({"provider": "openai"}, None),
        ({"provider": "openai", "allocation_method": "none"}, "line 4 and line 5: a provider has one method"),
    ],
    "alert_routes": [
        ({"severity": "critical"}, None),
        ({"severity": "warning", "repeat_hours": "24"}, None),
        ({"channel": "page", "kind": "pagerduty"}, None),
        ({"channel": "page", "kind": "apprise"}, "line 4 and line 5: all rows of a channel have the same kind, variab"),
    ],
    "alert_rules": [
        ({}, None),
        ({"rule_id": "other"}, None),
        ({"threshold": "2"}, "line 2 and line 4: a rule stands once"),
    ],
    "alert_rule_overrides": [
        ({}, None),
        ({"rule_id": "other"}, None),
        ({"threshold": "2"}, "line 2 and line 4: a rule has one override of an entity"),
    ],
}  # fmt: skip

Rows = Iterable[tuple[Mapping[str, str], str | None]]


def _header(name: str) -> list[str]:
    folder = "config" if name in CONFIG else "prices"
    with (ROOT / "seeds" / folder / f"{name}.csv").open() as file:
        return next(csv.reader(file))


def _write(path: Path, name: str, rows: Rows) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, _header(name), restval="")
        writer.writeheader()
        writer.writerows({**GOOD[name], **changes} for changes, _ in rows)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, whose price book a test may spoil."""
    root = tmp_path_factory.mktemp("project")
    for name in ("macros", "models", "seeds", "tests/dbt", "orchestration/llm_spend"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, root)
    return root


def _check(project: Path, rows: Mapping[str, Rows]) -> subprocess.CompletedProcess[str]:
    """Run `llm-spend prices check` on the rows, from the project's folder; every fault is shown."""
    shutil.rmtree(project / "my_config", ignore_errors=True)
    for name, seed_rows in rows.items():
        folder = project / "my_config" if name in CONFIG else project / "seeds" / "prices"
        _write(folder / f"{name}.csv", name, seed_rows)
    code = "from llm_spend import seed_faults; seed_faults.MOST_SHOWN = 1000; from llm_spend.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "prices", "check", "--config", "my_config"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(project / "orchestration"), "COLUMNS": "100", "NO_COLOR": "1"},
    )


def _assert_named(result: subprocess.CompletedProcess[str], rows: Mapping[str, Rows]) -> None:
    """Each line at fault is named with its file and rule, and no other line is."""
    assert result.returncode == 1, result.stdout + result.stderr
    summary, *lines = result.stderr.strip().splitlines()
    for name, seed_rows in rows.items():
        file = f"my_config/{name}.csv" if name in CONFIG else f"seeds/prices/{name}.csv"
        said = [line.strip().removeprefix(f"{file}, ") for line in lines if line.strip().startswith(f"{file}, ")]
        expected = [
            text if text.startswith("line ") else f"line {number}: {text}"
            for number, (_, text) in enumerate(seed_rows, 2)
            if text
        ]
        missing = [text for text in expected if not any(line.startswith(text) for line in said)]
        assert not missing, (file, missing, said)
        assert len(said) == len(expected), (file, said)
    count = sum(1 for seed_rows in rows.values() for _, text in seed_rows if text)
    assert len(lines) == count
    assert summary == f"error: {count} faults in the price book or the configuration"


def test_every_row_that_breaks_a_rule_is_named(project: Path) -> None:
    _assert_named(_check(project, ROWS), ROWS)


def test_rows_that_do_not_fit_together_are_named(project: Path) -> None:
    rows = {name: [({}, None)] for name in GOOD} | ROWS_TOGETHER
    _assert_named(_check(project, rows), rows)


def test_rows_that_keep_the_rules_pass(project: Path) -> None:
    rows = {name: [row for row in ROWS[name] if row[1] is None] for name in GOOD}
    rows["model_prices"] = ROWS_TOGETHER["model_prices"][:6]
    rows["price_multipliers"] = ROWS_TOGETHER["price_multipliers"][:4]
    rows["price_overrides"] += ROWS_TOGETHER["price_overrides"][2:4]
    rows["fx_rates"] += [({"valid_from": "2026-02-01"}, None)]
    result = _check(project, rows)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "The price book holds: 6 prices of 1 model, 6 agreed prices"


@pytest.mark.slow
def test_a_build_stops_before_any_cost_is_written(tmp_path: Path) -> None:
    log, config, database = tmp_path / "log.jsonl", tmp_path / "config", tmp_path / "spend.duckdb"
    log.write_text(
        '{"started_at": "2026-10-01T08:00:00Z", "provider": "openai", "model": "gpt-4o", "input_tokens": 10}\n'
    )
    _write(
        config / "price_overrides.csv", "price_overrides", [({**AGREED, "price": f"-{n}"}, "") for n in range(1, 13)]
    )
    result = run_cli("build", "--events", log, "--config", config, "--db", database)
    assert result.returncode == 1
    summary, *faults, more = result.stderr.strip().splitlines()
    assert summary == "error: 12 faults in the price book or the configuration"
    assert more.strip() == "and 2 more"
    rule = "a price is a number, not negative, with at most 9 decimals"
    assert [fault.strip() for fault in faults] == [
        f"{config}/price_overrides.csv, line {n + 1}: price '-{n}': {rule}" for n in range(1, 11)
    ]
    tables = (
        "select table_name from information_schema.columns"
        " where table_schema = 'marts' and column_name like '%cost_usd'"
    )
    assert query(database, tables) == []


def test_lines_are_those_of_the_file_as_a_person_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "fx_rates.csv"
    path.write_text('\ufeffcurrency,source\nEUR,"two\nlines"\n\nCHF, a bank\neur,\n', encoding="utf-8")
    file = SeedFile(path, path)
    assert file.lines_of({"source": "two\nlines", "currency": "EUR"}) == [2]
    assert file.lines_of({"currency": "CHF", "source": "a bank"}) == [5]
    assert file.lines_of({"currency": "EUR"}) == [2, 6]
    assert file.lines_of({"currency": "EUR", "source": None}) == [6]
    assert file.lines_of({"currency": "NOK"}) == []


def test_rows_that_do_not_fit_together_wait_until_each_row_is_right(tmp_path: Path) -> None:
    path = tmp_path / "fx_rates.csv"
    path.write_text("currency,usd_per_unit\nEUR,x\nEUR,1\n")
    rates = "(values ('EUR', 'x'), ('EUR', '1')) as rates (currency, usd_per_unit)"
    of_a_row = SeedRule(
        "fx_rates", f"select *, 'usd_per_unit' as fault_column from {rates} where usd_per_unit = 'x'", "a number"
    )
    of_two = SeedRule(
        "fx_rates", f"select currency, count(*) as row_count from {rates} group by currency", "stands once"
    )
    files = {"fx_rates": SeedFile(path, Path("fx_rates.csv"))}
    with duckdb.connect() as connection:
        assert shown(find_faults(connection, [of_two], files)) == ["fx_rates.csv, line 2 and line 3: stands once"]
        assert shown(find_faults(connection, [of_two, of_a_row], files)) == [
            "fx_rates.csv, line 2: usd_per_unit 'x': a number"
        ]


def test_ten_faults_are_shown_and_the_rest_is_counted() -> None:
    faults = [Fault(Path("a.csv"), (line,), "no", True) for line in range(2, 1500)]
    assert shown(faults)[-2:] == ["a.csv, line 11: no", "and 1,488 more"]
