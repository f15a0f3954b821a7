"""The quick set: what a build must pass before it is installed, and building blocks for other scenarios."""

from __future__ import annotations

from dataclasses import replace

from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.faults import At, Broken, Fault, How, HttpError
from opencode_patcher.drill.fakes.plan import Reply, Text, ToolCall, Turn
from opencode_patcher.drill.fakes.provider import ProviderSpec
from opencode_patcher.drill.fakes.usage import Price
from opencode_patcher.drill.scenarios.scenario import EFFECTS, Expectation, Scenario, Through

ALPHA = ProviderSpec(id="alpha", model="claude-sonnet-4-5", price=Price(input=3, output=15))
BETA = ProviderSpec(id="beta", model="anthropic/claude-sonnet-4.5", price=Price(input=4, output=20))
GAMMA = ProviderSpec(id="gamma", model="claude-sonnet-4.5", price=Price(input=5, output=25))
"""The same model under three real spellings, at three prices."""

GREETING = Turn(
    prompt="Say hello and name your provider.",
    replies=(Reply(content=(Text(text="Hello from {provider}, this is the whole answer and nothing was lost."),)),),
)

APPEND = ToolCall(
    id="call_append",
    name="bash",
    arguments={"command": f"echo done >> {EFFECTS}", "description": "Append one line"},
)

ERRAND = Turn(
    prompt=f"Append one line to {EFFECTS} and tell me when it is done.",
    replies=(
        Reply(content=(Text(text="I will append the line now."), APPEND)),
        Reply(content=(Text(text="The line is there, says {provider}."),)),
    ),
)

OVERLOADED = HttpError(status=503, message="The service is overloaded", code="overloaded")
RATE_LIMITED = HttpError(status=429, message="Rate limit reached", code="rate_limit_exceeded")

EXPIRED = HttpError(status=401, message="The API key has expired", code="invalid_api_key")
RESTING = replace(RATE_LIMITED, headers={"retry-after": "36000"})

RETRIED = 2
"""How often a member with a transient failure may be asked: once, and one retry."""


def failing_over(name: str, title: str, fault: Fault, *, asked: int = RETRIED) -> Scenario:
    """``alpha`` keeps failing and is asked at most ``asked`` times; ``beta`` must answer."""
    return Scenario(
        name=name,
        title=title,
        providers=(replace(ALPHA, then=fault), BETA),
        turns=(GREETING,),
        expected=Expectation(served_by=("beta",), requests={"beta": 1}, at_most={"alpha": asked}),
    )


SCENARIOS = (
    Scenario(
        name="healthy",
        title="both healthy: the priority decides",
        providers=(ALPHA, BETA),
        turns=(GREETING,),
        expected=Expectation(served_by=("alpha",), requests={"alpha": 1, "beta": 0}),
    ),
    Scenario(
        name="healthy-tool",
        title="both healthy, with a tool call",
        providers=(ALPHA, BETA),
        turns=(ERRAND,),
        expected=Expectation(served_by=("alpha", "alpha"), requests={"alpha": 2, "beta": 0}),
    ),
    failing_over("429", "429 rate limit", RATE_LIMITED, asked=1),
    failing_over("429-ten-hours", "429 with a Retry-After of ten hours", RESTING, asked=1),
    failing_over("500", "500 internal error", HttpError(status=500, message="Internal server error")),
    failing_over("503", "503 overloaded", OVERLOADED),
    Scenario(
        name="refused",
        title="connection refused",
        providers=(replace(ALPHA, listening=False), BETA),
        turns=(GREETING,),
        expected=Expectation(served_by=("beta",), requests={"beta": 1}),
    ),
    failing_over("cut-at-start", "connection reset before the first word", Broken(at=At.START, how=How.RESET)),
    replace(
        failing_over("cut-in-text", "connection reset after some text", Broken(at=At.TEXT, how=How.RESET)),
        through=Through.RUN,
    ),
    failing_over("closed-in-text", "connection closed after some text", Broken(at=At.TEXT, how=How.CLOSE)),
    Scenario(
        name="cut-in-tool",
        title="connection reset in the middle of a tool call",
        providers=(replace(ALPHA, then=Broken(at=At.TOOL_INPUT, how=How.RESET)), BETA),
        turns=(ERRAND,),
        expected=Expectation(served_by=("beta", "beta"), requests={"beta": 2}, at_most={"alpha": RETRIED}),
    ),
    Scenario(
        name="cut-at-tool",
        title="connection reset the moment a tool is called",
        providers=(replace(ALPHA, faults=(Broken(at=At.CONTENT, how=How.RESET, pause=0),), then=OVERLOADED), BETA),
        turns=(ERRAND,),
        # Whether the tool has started by then is a race, but it must run only once.
        expected=Expectation(served_by=None, at_most={"alpha": RETRIED}),
    ),
    Scenario(
        name="cut-after-tool",
        title="connection reset after a finished tool call",
        providers=(
            replace(ALPHA, faults=(Broken(at=At.CONTENT, how=How.RESET, tools=1),)),
            BETA,
        ),
        turns=(ERRAND,),
        expected=Expectation(served_by=("alpha", "beta"), requests={"alpha": 1, "beta": 1}),
    ),
    Scenario(
        name="fault-after-tool",
        title="503 on the step after a tool call",
        providers=(replace(ALPHA, faults=(None,), then=OVERLOADED), BETA),
        turns=(ERRAND,),
        expected=Expectation(served_by=("alpha", "beta"), requests={"beta": 1}, at_most={"alpha": 1 + RETRIED}),
    ),
    Scenario(
        name="two-fail",
        title="the first two of three fail",
        providers=(replace(ALPHA, then=RATE_LIMITED), replace(BETA, then=OVERLOADED), GAMMA),
        turns=(GREETING,),
        expected=Expectation(served_by=("gamma",), requests={"alpha": 1, "gamma": 1}, at_most={"beta": RETRIED}),
    ),
    Scenario(
        name="title-429",
        title="429 on the request for a title",
        providers=(replace(ALPHA, others={Purpose.TITLE: (RATE_LIMITED,)}), BETA),
        turns=(GREETING,),
        # The failure may or may not count for the conversation too.
        expected=Expectation(served_by=None),
        through=Through.RUN,
    ),
    Scenario(
        name="all-overloaded",
        title="every provider overloaded for a moment: it waits",
        providers=(replace(ALPHA, faults=(OVERLOADED,) * RETRIED), replace(BETA, faults=(OVERLOADED,) * RETRIED)),
        turns=(GREETING,),
        expected=Expectation(served_by=None),
    ),
    Scenario(
        name="all-fail",
        title="no provider can answer for hours: a clear error",
        providers=(replace(ALPHA, then=EXPIRED), replace(BETA, then=RESTING)),
        turns=(GREETING,),
        expected=Expectation(served_by=(), requests={"alpha": 1, "beta": 1}, error=("alpha", "beta")),
        through=Through.RUN,
    ),
)
