"""Match clauses of `genai-prices` as flat rules: OR over groups, AND inside a group.

Regular expressions come in the subset that every SQL engine reads alike: no `\\d`, `(?:` or look-ahead.
"""

import re
from dataclasses import dataclass
from itertools import product

from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    MatchLogic,
)

from llm_spend.errors import UserError

LEADING_NEGATIVE_LOOK_AHEAD = re.compile(r"\^\(\?!((?:[^()]|\([^()]*\))*)\)(.*)")
WHOLE_LITERAL = re.compile(r"\^((?:[^\\.^$*+?()\[\]{}|]|\\[^\w\s])*)\$")
UNSUPPORTED = re.compile(r"\\|\(\?")


@dataclass(frozen=True, order=True)
class Rule:
    """One test of a lower-cased name: `kind` is equals, starts_with, ends_with, contains or regex."""

    kind: str
    pattern: str
    is_negated: bool = False


RuleGroup = tuple[Rule, ...]
"""Rules that must all hold."""


def rule_groups(clause: MatchLogic) -> list[RuleGroup]:
    """The clause in disjunctive normal form, in the clause's own order.

    Raises UserError for a regular expression outside the portable subset.
    """
    match clause:
        case ClauseOr(or_=parts):
            groups = [group for part in parts for group in rule_groups(part)]
        case ClauseAnd(and_=parts):
            groups = [
                tuple(rule for group in combination for rule in group)
                for combination in product(*map(rule_groups, parts))
            ]
        case ClauseEquals(equals=text):
            groups = [(Rule("equals", text.lower()),)]
        case ClauseStartsWith(starts_with=text):
            groups = [(Rule("starts_with", text.lower()),)]
        case ClauseEndsWith(ends_with=text):
            groups = [(Rule("ends_with", text.lower()),)]
        case ClauseContains(contains=text):
            groups = [(Rule("contains", text.lower()),)]
        case ClauseRegex(regex=regex):
            groups = [_regex_rules(regex)]
        case _:
            raise UserError(
                f"this genai-prices matches models by {type(clause).__name__}, which llm_spend does not know; use 0.2"
            )
    return list(dict.fromkeys(groups))


def _regex_rules(regex: str) -> RuleGroup:
    if literal := WHOLE_LITERAL.fullmatch(regex):
        return (Rule("equals", re.sub(r"\\(.)", r"\1", literal[1])),)
    if look_ahead := LEADING_NEGATIVE_LOOK_AHEAD.fullmatch(regex):
        refused, rest = look_ahead.groups()
        negated = Rule("regex", _portable(f"^{refused}"), is_negated=True)
        return (negated, *_regex_rules(f"^{rest}")) if rest else (negated,)
    return (Rule("regex", _portable(regex)),)


def _portable(regex: str) -> str:
    portable = regex.replace(r"\d", "[0-9]").replace(r"\.", "[.]").replace("(?:", "(").removeprefix("^.*")
    if UNSUPPORTED.search(portable):
        raise UserError(f"this genai-prices has a pattern outside the portable subset: {regex}; use 0.2")
    return portable
