"""The interval of prompt_version_deltas, worked out again from single requests instead of sums of squares."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist, fmean, variance

import pytest

from conftest import query

AS_OF = "2026-10-26"

SIDES = """
    with episode as (
        select * from marts.prompt_version_deltas
        where endpoint_tag = ? and prompt_version = ? and episode = ?
    ),
    requests as (
        select
            requests.*,
            requests.prompt_version = episode.prompt_version as is_after,
            requests.usage_date - episode.first_seen_date as day
        from marts.fct_llm_requests as requests
        inner join episode
            on requests.endpoint_tag = episode.endpoint_tag
            and requests.prompt_version in (episode.prompt_version, episode.predecessor)
        where requests.is_in_scope and requests.usage_date < cast(? as date)
    ),
    overlap as (
        select day from requests where day between 0 and 7
        group by day having count(distinct is_after) = 2
    )
    select is_after, cast(cost_usd as double), cast(input_tokens + output_tokens as double)
    from requests
    where (is_after and day between 1 and 7) or (not is_after and day between -7 and -1)
        or day in (select day from overlap)
"""


def interval_of_ratio(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """Ratio of means and its 99 % bounds, by the delta method on its logarithm."""
    ratio = fmean(after) / fmean(before)
    relative_variance = sum(variance(side) / len(side) / fmean(side) ** 2 for side in (before, after))
    half_width = NormalDist().inv_cdf(0.99) * math.sqrt(relative_variance)
    return ratio, ratio * math.exp(-half_width), ratio * math.exp(half_width)


def test_interval_of_two_small_samples_by_hand() -> None:
    # Means 2 and 3, ratio 1.5; both means have the variance 1 ÷ 3, relative to their squares 1 ÷ 12 and 1 ÷ 27.
    # Half width 2.326348 × √(1 ÷ 12 + 1 ÷ 27) = 0.807113; 1.5 × exp(∓0.807113) = 0.669216 and 3.362142.
    assert interval_of_ratio([1, 2, 3], [2, 3, 4]) == pytest.approx((1.5, 0.669216, 3.362142), abs=1e-6)


def test_mart_has_the_interval_that_single_requests_give(demo: Path) -> None:
    deltas = query(
        demo,
        """
        select endpoint_tag, prompt_version, episode, requests_before, requests_after,
            cost_per_request_ratio, cost_per_request_lower_ratio, cost_per_request_upper_ratio,
            tokens_per_request_ratio, tokens_per_request_lower_ratio, tokens_per_request_upper_ratio
        from marts.prompt_version_deltas where requests_before > 1 and requests_after > 1
        """,
    )
    assert ("checkout.summary", "summarizer_v4") in {delta[:2] for delta in deltas}
    for delta in deltas:
        requests = query(demo, SIDES, *delta[:3], AS_OF)
        sides = [[request[1:] for request in requests if request[0] is after] for after in (False, True)]
        assert [len(side) for side in sides] == list(delta[3:5])
        costs, tokens = (interval_of_ratio(*([request[i] for request in side] for side in sides)) for i in (0, 1))
        assert delta[5:] == pytest.approx((*costs, *tokens), rel=1e-6)
