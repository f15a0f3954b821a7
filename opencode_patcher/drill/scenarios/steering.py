"""What the user wants of the members in a session: one alone, one not at all, no failover, the next one now; and a
cooldown that the user ends.
"""

from __future__ import annotations

from dataclasses import replace

from opencode_patcher.drill.fakes.faults import HttpError, Slow
from opencode_patcher.drill.fakes.plan import Steering
from opencode_patcher.drill.scenarios.agents import QUESTION
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GREETING, RESTING
from opencode_patcher.drill.scenarios.scenario import OFFER, Expectation, Scenario, Through

UNPAID = HttpError(status=402, message="Insufficient credit", code="insufficient_quota")

ALPHAS = OFFER.format(provider=ALPHA.id, model=ALPHA.model)
BETAS = OFFER.format(provider=BETA.id, model=BETA.model)

STEERING_SCENARIOS = (
    Scenario(
        name="steer-pin",
        title="a pinned provider fails: a clear error, and nobody else is asked",
        providers=(ALPHA, replace(BETA, then=UNPAID)),
        turns=(replace(GREETING, steered=(Steering(what="pin", body={"member": BETAS}),)),),
        expected=Expectation(
            served_by=None, error=("insufficient credit", "pinned in this session"), requests={"alpha": 0, "beta": 1}
        ),
        through=Through.SERVE,
    ),
    Scenario(
        name="steer-skip",
        title="a provider that the user skips is not asked from the next turn on",
        providers=(ALPHA, BETA),
        turns=(GREETING, replace(QUESTION, steered=(Steering(what="skip", body={"member": ALPHAS}),))),
        expected=Expectation(served_by=("alpha", "beta"), requests={"alpha": 1, "beta": 1}),
        through=Through.SERVE,
    ),
    Scenario(
        name="steer-next",
        title="the user asks for the next provider while one is silent, and nobody is avoided for it",
        providers=(replace(ALPHA, faults=(Slow(seconds=20),)), BETA),
        turns=(
            replace(GREETING, passed=True),
            replace(QUESTION, steered=(Steering(what="skip", body={"member": BETAS}),)),
        ),
        expected=Expectation(served_by=("beta", "alpha"), requests={"alpha": 2, "beta": 1}),
        through=Through.SERVE,
    ),
    Scenario(
        name="steer-off",
        title="with failover off the first provider's failure ends the turn",
        providers=(replace(ALPHA, then=UNPAID), BETA),
        turns=(replace(GREETING, steered=(Steering(what="off", body={"off": True}),)),),
        expected=Expectation(
            served_by=None,
            error=("insufficient credit", "failover is off in this session"),
            requests={"alpha": 1, "beta": 0},
        ),
        through=Through.SERVE,
    ),
    Scenario(
        name="steer-clear",
        title="another process ends a cooldown, and the server asks that provider again at once",
        providers=(replace(ALPHA, faults=(RESTING,)), BETA),
        turns=(GREETING, replace(QUESTION, steered=(Steering(what="clear", body={"member": ALPHAS}),))),
        expected=Expectation(served_by=("beta", "alpha"), requests={"alpha": 2, "beta": 1}),
        combined={"stickiness": 0},
        through=Through.SERVE,
    ),
)
