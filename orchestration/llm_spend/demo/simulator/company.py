"""The simulated company as data: what it builds, for whom, and how its traffic breathes.

A call here is the turn of an agent or the reading of a document, tens of thousands of tokens long, as they are in 2026.
So some 75,000 calls in 90 days make a bill of about 130 USD a day, of which a middling customer has two.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from llm_spend.demo.world import (
    GEMINI_FLASH,
    GEMINI_PRO,
    GPT_4_1,
    GPT_4O,
    GPT_4O_MINI,
    GPT_5_2,
    GPT_5_MINI,
    OPUS,
    SONNET,
    Endpoint,
    Model,
    PromptVersion,
)

START = datetime(2026, 6, 27)
DAYS = 90
AS_OF = START + timedelta(days=DAYS)

REQUESTS_PER_DAY = 640
"""On an average day in the middle of the period, before growth, launches and incidents."""
MOST_INPUT_TOKENS = 190_000
"""Below the 200,000 from which some models have other prices."""
OUT_OF_SCOPE_SHARE = 0.02


@dataclass(frozen=True, kw_only=True)
class Service(Endpoint):
    """An endpoint whose tokens are means, and whose `request_share` is of REQUESTS_PER_DAY.

    `fixed_share` of the input is the same in every call, the cached prefix within it; the rest has a shape.
    `added_input` comes on top, as a share of the mean input, and no cache holds it.
    `dearer_model` is what a router that breaks would answer with; `next_model` is what the team plans to move to.
    `weekend` and `month_end` are its traffic on such days, relative to others.
    """

    trace: str
    fixed_share: float = 0.5
    added_input: float = 0.0
    dearer_model: Model | None = None
    next_model: Model | None = None
    weekend: float = 0.45
    month_end: float = 1.0
    launched_after: bool = False

    @property
    def model(self) -> Model:
        return self.models[0][0]


def _service(tag: str, share: float, model: Model, tokens: tuple[int, int], trace: str, **others: object) -> Service:
    return Service(
        tag=tag,
        request_share=share,
        models=((model, 1.0),),
        versions=(PromptVersion("v1"),),
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        feature_name=tag.split(".")[0],
        project_id=f"proj_{tag.split('.')[0]}",
        api_key_id=f"key_{tag.replace('.', '_')}",
        requested_model=model.name,
        failure_rate=0.02,
        trace=trace,
        **others,
    )


RESEARCH_STEPS = (
    ("plan", "search", "read", "write"),
    ("plan", "search", "search", "read", "write"),
    ("plan", "search", "read", "search", "read", "write"),
)
QUESTION_STEPS = (
    ("plan", "query", "answer"),
    ("plan", "query", "query", "answer"),
    ("plan", "query", "fix", "query", "answer"),
)

SERVICES = (
    _service(
        "chat.assist", 0.225, SONNET, (70_000, 900), "conversation",
        cost_group="core_product", team="assistant", cached_share=0.5, hit_rate=0.75,
        fixed_share=0.55, dearer_model=OPUS, next_model=GPT_4_1,
    ),
    _service(
        "support.reply", 0.165, SONNET, (75_000, 800), "conversation",
        cost_group="support", team="support", agent_id="support_agent", cached_share=0.6, hit_rate=0.8,
        fixed_share=0.65, dearer_model=OPUS, next_model=OPUS, weekend=0.6,
    ),
    _service(
        "code.assist", 0.15, OPUS, (90_000, 1_500), "code",
        cost_group="engineering", team="developer_tools", agent_id="code_agent", cached_share=0.6, hit_rate=0.8,
        fixed_share=0.6, next_model=SONNET, weekend=0.3,
    ),
    _service(
        "document.summary", 0.125, GPT_4O, (90_000, 2_200), "long_conversation",
        cost_group="documents", team="documents", cached_share=0.2, hit_rate=0.4, dearer_model=SONNET,
        next_model=GPT_4_1, month_end=1.35,
    ),
    _service(
        "ticket.classify", 0.15, GPT_4O_MINI, (9_000, 90), "conversation",
        cost_group="support", team="support", dearer_model=GPT_4O, next_model=GEMINI_FLASH, weekend=0.6,
    ),
    _service(
        "product.search", 0.115, GEMINI_FLASH, (40_000, 900), "conversation",
        cost_group="core_product", team="discovery", dearer_model=GEMINI_PRO, next_model=GPT_5_MINI, weekend=0.9,
    ),
    _service(
        "research.report", 0.014, GPT_5_2, (120_000, 7_000), "long_conversation",
        cost_group="research", team="research", agent_id="research_agent", workflow_id="market_research",
        steps=RESEARCH_STEPS, cached_share=0.5, hit_rate=0.5, fixed_share=0.6, dearer_model=OPUS, next_model=GEMINI_PRO,
    ),
    _service(
        "contract.review", 0.014, OPUS, (100_000, 2_500), "long_conversation",
        cost_group="documents", team="documents", agent_id="contract_agent", workflow_id="contract_review",
        steps=(("extract_clauses", "assess_risk"),), cached_share=0.6, hit_rate=0.8,
        fixed_share=0.65, next_model=SONNET, weekend=0.2, month_end=1.4,
    ),
    _service(
        "data.question", 0.018, GPT_4_1, (90_000, 1_100), "code",
        cost_group="analytics", team="analytics", agent_id="data_agent", workflow_id="data_question",
        steps=QUESTION_STEPS, cached_share=0.4, hit_rate=0.6, dearer_model=SONNET, next_model=SONNET, month_end=1.25,
    ),
    _service(
        "email.digest", 0.08, GPT_5_MINI, (45_000, 1_800), "long_conversation",
        cost_group="lifecycle", team="lifecycle", dearer_model=GPT_5_2, next_model=GEMINI_FLASH, weekend=0.9,
        month_end=1.3, at_night=True,
    ),
    _service(
        "meeting.notes", 0.05, GEMINI_PRO, (80_000, 3_000), "long_conversation",
        cost_group="documents", team="documents", launched_after=True,
    ),
    _service(
        "page.translate", 0.04, GEMINI_FLASH, (30_000, 4_000), "code",
        cost_group="core_product", team="discovery", launched_after=True, weekend=0.9,
    ),
)  # fmt: skip
BY_TAG = {service.tag: service for service in SERVICES}

TENANTS = tuple(f"customer-{rank:02d}" for rank in range(1, 41))
TENANT_EXPONENT = 0.8
"""Shares fall with rank ** -0.8: the first has a seventh, the twentieth a seventieth."""
TASTE_SPREAD = 0.6
"""Sigma of what a tenant likes of each endpoint."""
LARGE_TENANT_NOISE, SMALL_TENANT_NOISE = 0.10, 0.35
"""Sigma of a tenant's level from day to day beyond chance; half of it lasts to the next day."""
DAILY_GROWTH = (-0.002, 0.006)
"""Of a tenant, per day: from one that loses a sixth in a quarter to one that gains two thirds."""
AMERICAN_SHARE = 0.4
AMERICAN_SHIFT_HOURS = 6
STAGING_TENANT = "acme-internal"

HOLIDAYS = {True: (date(2026, 7, 3), date(2026, 9, 7)), False: (date(2026, 8, 31),)}
"""By whether the tenant is American: Independence Day as observed, Labor Day; the British August holiday."""
HOLIDAY_LEVEL = 0.45
MONTH_END_DAYS = 2
"""Working days at the end of a month with more closing work."""

UNPRICED = Model("openai", "orion-preview-2026", 272_000)
"""A model that no price book knows."""
LOAD_TEST_TENANT = "qa-loadtest"
