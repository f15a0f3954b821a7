"""Chains of different models, asked in the user's order: in a turn, a subagent, a summary, a title, after a refusal."""

from __future__ import annotations

from dataclasses import replace

from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.faults import HttpError
from opencode_patcher.drill.scenarios.agents import DELEGATED, DELEGATION, QUESTION
from opencode_patcher.drill.scenarios.quick import (
    ALPHA,
    BETA,
    ERRAND,
    GAMMA,
    GREETING,
    OVERLOADED,
    RESTING,
    RETRIED,
)
from opencode_patcher.drill.scenarios.scenario import Expectation, Scenario, Through

A = replace(ALPHA, model="chain-one-1")
B = replace(BETA, model="other-two-2")
C = replace(GAMMA, model="last-three-3")
"""Three different models."""

REFUSED = HttpError(status=400, message="The request was blocked by our usage policy", code="content_policy_violation")

CHAIN_SCENARIOS = (
    Scenario(
        name="chain-turn",
        title="a chain of three models: the third one serves, with a tool",
        providers=(replace(A, then=RESTING), replace(B, then=OVERLOADED), C),
        turns=(ERRAND,),
        expected=Expectation(
            served_by=("gamma", "gamma"), requests={"alpha": 1, "gamma": 2}, at_most={"beta": RETRIED}
        ),
        group={},
    ),
    Scenario(
        name="chain-subagent",
        title="a chain of three models in a subagent",
        providers=(replace(A, faults=(None,), then=RESTING), replace(B, then=RESTING), C),
        turns=(DELEGATION,),
        delegated=(DELEGATED,),
        expected=Expectation(served_by=("alpha", "gamma"), requests={"alpha": 2, "beta": 1}),
        through=Through.SERVE,
        group={},
    ),
    Scenario(
        name="chain-summary",
        title="a chain of three models for a summary",
        providers=(
            replace(A, others={Purpose.SUMMARY: (RESTING,)}),
            replace(B, others={Purpose.SUMMARY: (RESTING,)}),
            C,
        ),
        turns=(replace(GREETING, compact=True), QUESTION),
        expected=Expectation(served_by=("alpha", "gamma"), requests={"alpha": 1, "beta": 0, "gamma": 1}),
        through=Through.SERVE,
        prints=False,
        group={},
    ),
    Scenario(
        name="chain-title",
        title="a chain of three models for a title",
        providers=(
            replace(A, others={Purpose.TITLE: (RESTING,)}),
            replace(B, others={Purpose.TITLE: (RESTING,)}),
            C,
        ),
        turns=(GREETING,),
        expected=Expectation(served_by=None),
        group={},
    ),
    Scenario(
        name="chain-refusal",
        title="refused content is asked of the next different model",
        providers=(replace(A, then=REFUSED), B),
        turns=(GREETING,),
        expected=Expectation(served_by=("beta",), requests={"alpha": 1, "beta": 1}),
        group={"on_refusal": "next_model"},
    ),
)
