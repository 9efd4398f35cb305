"""The demo company as data: what it builds, on which models, and for whom."""

from dataclasses import dataclass
from datetime import datetime, timedelta

DEMO_START = datetime(2026, 8, 31)
DEMO_DAYS = 56
DEMO_AS_OF = DEMO_START + timedelta(days=DEMO_DAYS)
DEFAULT_EVENTS = 18_000


@dataclass(frozen=True)
class Model:
    """A model, its context window in tokens, and the USD per million tokens that its client believes in."""

    provider: str
    name: str
    context_window: int
    input_price: float = 0.0
    cached_price: float = 0.0
    cache_write_price: float = 0.0
    output_price: float = 0.0


GPT_4_1 = Model("openai", "gpt-4.1", 1_000_000, 2.0, 0.5, 0.0, 8.0)
GPT_4O = Model("openai", "gpt-4o", 128_000, 2.5, 1.25, 0.0, 10.0)
GPT_4O_MINI = Model("openai", "gpt-4o-mini", 128_000, 0.15, 0.075, 0.0, 0.6)
GPT_5_2 = Model("openai", "gpt-5.2", 272_000, 1.75, 0.175, 0.0, 14.0)
GPT_5_MINI = Model("openai", "gpt-5-mini", 272_000, 0.25, 0.025, 0.0, 2.0)
SONNET = Model("anthropic", "claude-sonnet-4-5", 200_000, 3.0, 0.3, 3.75, 15.0)
OPUS = Model("anthropic", "claude-opus-4-5", 200_000, 5.0, 0.5, 10.0, 25.0)
GEMINI_PRO = Model("google", "gemini-2.5-pro", 1_000_000, 1.25, 0.125, 0.0, 10.0)
GEMINI_FLASH = Model("google", "gemini-2.5-flash", 1_000_000, 0.3, 0.03, 0.0, 2.5)
LLAMA = Model("openrouter", "meta-llama/llama-3.3-70b-instruct", 128_000, 0.1, 0.0, 0.0, 0.32)
RERANKER = Model("internal", "acme-reranker-1", 128_000)


@dataclass(frozen=True)
class PromptVersion:
    """A prompt version, its share of the endpoint's requests, and its tokens relative to the usual."""

    name: str
    share: float = 1.0
    size: float = 1.0


@dataclass(frozen=True)
class Failure:
    """How an attempt goes wrong, and whether the provider bills nothing, its `input` or the `whole` call."""

    status: str
    error_code: str
    billed: str
    weight: float


ORDINARY_FAILURES = (
    Failure("rate_limited", "rate_limit_exceeded", "nothing", 0.28),
    Failure("timeout", "request_timeout", "input", 0.14),
    Failure("timeout", "request_timeout", "nothing", 0.14),
    Failure("error", "server_error", "nothing", 0.22),
    Failure("error", "invalid_json_output", "whole", 0.12),
    Failure("cancelled", "client_closed_request", "whole", 0.10),
)


@dataclass(frozen=True)
class Endpoint:
    """One product path; tokens are medians per call and `spread` is the sigma of their lognormal sizes."""

    tag: str
    request_share: float
    models: tuple[tuple[Model, float], ...]
    versions: tuple[PromptVersion, ...]
    input_tokens: int
    output_tokens: int
    feature_name: str
    cost_group: str
    project_id: str
    api_key_id: str
    spread: float = 0.4
    team: str | None = None
    agent_id: str | None = None
    workflow_id: str | None = None
    requested_model: str | None = None
    service_tier: str | None = None
    steps: tuple[tuple[str | None, ...], ...] = ((None,),)
    cached_share: float = 0.0
    hit_rate: float = 0.0
    cache_write_ttl: str | None = None
    reasoning_share: float = 0.0
    failure_rate: float = 0.024
    give_up_rate: float = 0.15
    failures: tuple[Failure, ...] = ORDINARY_FAILURES
    app_cache_rate: float | None = None
    task_success_rate: float | None = None
    usage_missing_rate: float = 0.0
    reports_cost: bool = False
    service_user: str | None = None
    service_share: float = 0.0
    anonymous_share: float = 0.0
    at_night: bool = False
    tenant_boosts: tuple[tuple[str, float], ...] = ()


ENDPOINTS = (
    Endpoint(
        tag="checkout.summary",
        request_share=0.4,
        models=((GPT_4_1, 1.0),),
        versions=(PromptVersion("summarizer_v3"),),
        input_tokens=52_000,
        output_tokens=2_600,
        feature_name="checkout",
        cost_group="core_product",
        project_id="proj_checkout",
        api_key_id="key_checkout_prod",
        team="checkout",
        cached_share=0.25,
        hit_rate=0.6,
        anonymous_share=0.06,
    ),
    Endpoint(
        tag="support.reply",
        request_share=0.18,
        models=((SONNET, 1.0),),
        versions=(PromptVersion("support_v7"),),
        input_tokens=55_000,
        output_tokens=1_300,
        feature_name="support",
        cost_group="support",
        project_id="proj_support",
        api_key_id="key_support_prod",
        agent_id="support_bot_v2",
        cached_share=0.7,
        hit_rate=0.8,
        cache_write_ttl="5m",
        task_success_rate=0.82,
        reports_cost=True,
    ),
    Endpoint(
        tag="ticket.classify",
        request_share=0.1,
        models=((GPT_4O_MINI, 1.0),),
        versions=(PromptVersion("classifier_v2"),),
        input_tokens=9_000,
        output_tokens=90,
        feature_name="support",
        cost_group="support",
        project_id="proj_support",
        api_key_id="key_support_prod",
        requested_model="gpt-4o-mini",
        app_cache_rate=0.08,
        service_user="svc-crm-sync",
        service_share=0.35,
    ),
    Endpoint(
        tag="product.search",
        request_share=0.1,
        models=((GEMINI_FLASH, 0.74), (LLAMA, 0.2), (RERANKER, 0.06)),
        versions=(PromptVersion("search_v5"),),
        input_tokens=22_000,
        output_tokens=900,
        feature_name="search",
        cost_group="core_product",
        project_id="proj_discovery",
        api_key_id="key_discovery_prod",
        app_cache_rate=0.14,
        usage_missing_rate=0.01,
        anonymous_share=0.3,
    ),
    Endpoint(
        tag="document.analysis",
        request_share=0.08,
        models=((GPT_4O, 0.8), (GEMINI_PRO, 0.2)),
        versions=(PromptVersion("analyst_v1"),),
        input_tokens=80_000,
        output_tokens=2_400,
        feature_name="document_analysis",
        cost_group="documents",
        project_id="proj_documents",
        api_key_id="key_documents_prod",
        cached_share=0.3,
        hit_rate=0.3,
        task_success_rate=0.91,
        tenant_boosts=(("quill-media", 5.0),),
    ),
    Endpoint(
        tag="research.report",
        request_share=0.044,
        models=((GPT_5_2, 1.0),),
        versions=(PromptVersion("researcher_v6"),),
        input_tokens=150_000,
        output_tokens=12_500,
        feature_name="market_research",
        cost_group="research",
        project_id="proj_research",
        api_key_id="key_research_prod",
        agent_id="research_agent_v1",
        workflow_id="market_research",
        steps=(
            ("plan", "search", "read", "write"),
            ("plan", "search", "search", "read", "write"),
            ("plan", "search", "read", "search", "read", "write"),
        ),
        cached_share=0.5,
        hit_rate=0.5,
        reasoning_share=0.55,
        task_success_rate=0.76,
        tenant_boosts=(("tidepool", 6.0),),
    ),
    Endpoint(
        tag="contract.review",
        request_share=0.035,
        models=((OPUS, 0.75), (GEMINI_PRO, 0.25)),
        versions=(PromptVersion("counsel_v3"),),
        input_tokens=105_000,
        output_tokens=2_600,
        feature_name="document_analysis",
        cost_group="documents",
        project_id="proj_documents",
        api_key_id="key_documents_prod",
        agent_id="contract_agent_v1",
        workflow_id="contract_review",
        steps=(("extract_clauses", "assess_risk"),),
        cached_share=0.75,
        hit_rate=0.85,
        cache_write_ttl="1h",
        task_success_rate=0.88,
        tenant_boosts=(("pinecrest-legal", 5.0),),
    ),
    Endpoint(
        tag="email.digest",
        request_share=0.061,
        models=((GPT_5_MINI, 1.0),),
        versions=(PromptVersion("digest_v2"),),
        input_tokens=30_000,
        output_tokens=1_500,
        feature_name="email_digest",
        cost_group="lifecycle",
        project_id="proj_lifecycle",
        api_key_id="key_lifecycle_batch",
        workflow_id="nightly_digest",
        service_tier="batch",
        reasoning_share=0.3,
        service_user="svc-nightly-digest",
        service_share=1.0,
        at_night=True,
    ),
)

RETRIES_AND_EXTRAS = 1.05
ROWS_PER_REQUEST = RETRIES_AND_EXTRAS * sum(
    endpoint.request_share * sum(map(len, endpoint.steps)) / len(endpoint.steps) for endpoint in ENDPOINTS
)

TENANT_SHARES = {
    "enterprise-alpha": 0.28,
    "enterprise-beta": 0.13,
    "brightcart": 0.11,
    "harborline": 0.09,
    "vantage-freight": 0.08,
    "copperfield-bank": 0.07,
    "solstice-travel": 0.06,
    "lumen-clinic": 0.05,
    "quill-media": 0.05,
    "pinecrest-legal": 0.03,
    "maplewood-schools": 0.03,
    "tidepool": 0.02,
}
STAGING_TENANT = "acme-internal"

# Requests per hour of a working day, relative; the company sells in Europe and the Americas.
HOUR_WEIGHTS = (3, 2, 2, 2, 2, 3, 5, 8, 11, 13, 13, 12, 11, 13, 15, 15, 14, 12, 10, 9, 8, 7, 5, 4)
NIGHT_WEIGHTS = (0, 2, 6, 2) + (0,) * 20
WEEKDAY_WEIGHTS = (1.05, 1.1, 1.12, 1.08, 1.0, 0.5, 0.42)
WEEKLY_GROWTH = 1.01
