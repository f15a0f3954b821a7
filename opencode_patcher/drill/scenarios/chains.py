"""Chains of different models, asked in the user's order: in a turn, a subagent, a command, a summary and a title, after
a refusal, after any model, and after the model of one agent.
"""

from __future__ import annotations

from dataclasses import replace

from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.faults import HttpError
from opencode_patcher.drill.scenarios.agents import DELEGATED, DELEGATION, QUESTION
from opencode_patcher.drill.scenarios.entry_points import CAREFUL
from opencode_patcher.drill.scenarios.quick import (
    ALPHA,
    BETA,
    ERRAND,
    EXPIRED,
    GAMMA,
    GREETING,
    OVERLOADED,
    RESTING,
    RETRIED,
)
from opencode_patcher.drill.scenarios.scenario import MODEL, OFFER, Expectation, Scenario, Through

A = replace(ALPHA, model="chain-one-1")
B = replace(BETA, model="other-two-2")
C = replace(GAMMA, model="last-three-3")
"""Three different models."""

FALLBACK = [OFFER.format(provider=one.id, model=one.model) for one in (B, C)]
"""The models that are asked after the first one, where the first one is not a chain itself."""

AGENT = {"mode": "primary", "description": "Takes care"}

FAILING = (replace(A, then=RESTING), replace(B, then=OVERLOADED), C)
"""The first two fail in different ways."""

LAST = Expectation(served_by=("gamma",), requests={"alpha": 1, "gamma": 1}, at_most={"beta": RETRIED})

AS_AGENT = (replace(GREETING, arguments=("--agent", CAREFUL, GREETING.prompt)),)

REFUSED = HttpError(status=400, message="The request was blocked by our usage policy", code="content_policy_violation")

CHAIN_SCENARIOS = (
    Scenario(
        name="chain-turn",
        title="a chain of three models: the third one serves, with a tool",
        providers=FAILING,
        turns=(ERRAND,),
        expected=Expectation(
            served_by=("gamma", "gamma"), requests={"alpha": 1, "gamma": 2}, at_most={"beta": RETRIED}
        ),
        group={},
    ),
    Scenario(
        name="chain-subagent",
        title="a chain of three models in a subagent",
        providers=(replace(A, faults=(None,), then=RESTING), replace(B, then=EXPIRED), C),
        turns=(DELEGATION,),
        delegated=(DELEGATED,),
        expected=Expectation(served_by=("alpha", "gamma"), requests={"alpha": 2, "beta": 1}),
        through=Through.SERVE,
        group={},
    ),
    Scenario(
        name="chain-agent",
        title="a chain of three models is an agent's model",
        providers=FAILING,
        turns=AS_AGENT,
        expected=LAST,
        settings={"agent": {CAREFUL: {**AGENT, "model": MODEL}}},
        through=Through.RUN,
        group={},
    ),
    Scenario(
        name="chain-command",
        title="a chain of three models is a command's model",
        providers=FAILING,
        turns=(replace(GREETING, arguments=("--command", "greet")),),
        expected=LAST,
        settings={
            "agent": {CAREFUL: AGENT},
            "command": {
                "greet": {"template": GREETING.prompt, "description": "Greets", "agent": CAREFUL, "model": MODEL}
            },
        },
        through=Through.RUN,
        group={},
    ),
    Scenario(
        name="chain-fallback",
        title="combined.fallback: two more models are asked after a model that was chosen directly",
        providers=FAILING,
        turns=(GREETING,),
        expected=LAST,
        combined={"fallback": FALLBACK},
        alone=True,
    ),
    Scenario(
        name="chain-agent-fallback",
        title="agent.X.fallback: two more models are asked after the agent's model",
        providers=FAILING,
        turns=AS_AGENT,
        expected=LAST,
        settings={"model": MODEL, "agent": {CAREFUL: {**AGENT, "fallback": FALLBACK}}},
        through=Through.RUN,
        alone=True,
    ),
    Scenario(
        name="chain-summary",
        title="a chain of three models for a summary",
        providers=(
            replace(A, others={Purpose.SUMMARY: (RESTING,)}),
            replace(B, others={Purpose.SUMMARY: (EXPIRED,)}),
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
            replace(A, others={Purpose.TITLE: (RESTING,) * 3}),
            replace(B, others={Purpose.TITLE: (EXPIRED,)}),
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
