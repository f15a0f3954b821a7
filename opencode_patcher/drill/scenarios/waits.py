"""Waiting on the user's wish (``combined.wait``): a restart during the wait, a cancel, and a wait that is too long."""

from __future__ import annotations

from dataclasses import replace

from opencode_patcher.base.version import Range
from opencode_patcher.drill.fakes.plan import Turn
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GREETING, RATE_LIMITED, RESTING
from opencode_patcher.drill.scenarios.scenario import Expectation, Scenario, Through

SOON = replace(RATE_LIMITED, headers={"retry-after": "15"})

RELEASES = Range(since=(1, 18, 0))
"""The releases in which a waiting turn continues after a restart."""

WAIT_SCENARIOS = (
    Scenario(
        name="wait-and-resume",
        title="no provider can answer: the turn waits, and continues after OpenCode was killed and started again",
        providers=(replace(ALPHA, faults=(SOON,)), replace(BETA, faults=(SOON,))),
        turns=(
            replace(GREETING, killed=True),
            Turn(prompt=GREETING.prompt, replies=(), arguments=("--wait", "--continue")),
        ),
        expected=Expectation(served_by=("alpha",), requests={"alpha": 2, "beta": 1}),
        combined={"wait": True},
        through=Through.RUN,
        releases=RELEASES,
    ),
    Scenario(
        name="wait-cancel",
        title="the user cancels while the turn waits for hours",
        providers=(replace(ALPHA, then=RESTING), replace(BETA, then=RESTING)),
        turns=(replace(GREETING, cancel=0.5),),
        expected=Expectation(served_by=None, requests={"alpha": 1, "beta": 1}, cancelled=True),
        combined={"wait": {"max": 86_400_000}},
        through=Through.SERVE,
    ),
    Scenario(
        name="wait-limit",
        title="a wait that would be too long is not started: a clear error",
        providers=(replace(ALPHA, then=RESTING), replace(BETA, then=RESTING)),
        turns=(GREETING,),
        expected=Expectation(served_by=(), requests={"alpha": 1, "beta": 1}, error=("alpha", "beta")),
        combined={"wait": {"max": 3_600_000, "quiet": "23:00-07:00"}},
        through=Through.RUN,
    ),
)
