"""What an agent can lose when a provider fails, which gateway benchmarks do not test: tools, subagents, cooldowns."""

from __future__ import annotations

from dataclasses import replace

from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.faults import Abandoned, At, Broken, Empty, How, HttpError, Slow
from opencode_patcher.drill.fakes.plan import Reply, Text, ToolCall, Turn
from opencode_patcher.drill.fakes.provider import ProviderSpec
from opencode_patcher.drill.scenarios.benchmark import TIMEOUTS
from opencode_patcher.drill.scenarios.quick import (
    ALPHA,
    BETA,
    ERRAND,
    GAMMA,
    GREETING,
    OVERLOADED,
    RATE_LIMITED,
    RESTING,
    RETRIED,
    failing_over,
)
from opencode_patcher.drill.scenarios.scenario import EFFECTS, Expectation, Scenario, Through

QUESTION = Turn(
    prompt="And what is the time?",
    replies=(Reply(content=(Text(text="It is late, says {provider}, and this answer is whole as well."),)),),
)


def _append(id: str, *, after: str = "") -> ToolCall:
    command = f"{after}echo {id} >> {EFFECTS}"
    return ToolCall(id=id, name="bash", arguments={"command": command, "description": "Append one line"})


FIRST, SECOND = _append("call_first"), _append("call_second")
PARALLEL = Turn(
    prompt=f"Append two lines to {EFFECTS}, at the same time.",
    replies=(
        Reply(content=(Text(text="Two lines, side by side."), FIRST, SECOND)),
        Reply(content=(Text(text="Both lines are there, says {provider}."),)),
    ),
)
SLOW_ERRAND = replace(
    ERRAND,
    replies=(
        Reply(content=(Text(text="I will append the line now."), _append("call_slow", after="sleep 1; "))),
        ERRAND.replies[1],
    ),
)
LONG_ERRAND = Turn(
    prompt="Append three lines, one after another.",
    replies=(
        *(Reply(content=(Text(text=f"Line {number}."), _append(f"call_{number}"))) for number in range(3)),
        Reply(content=(Text(text="Three lines, says {provider}."),)),
    ),
)

DELEGATED = replace(ERRAND, prompt="Append the line for your principal.")
DELEGATION = Turn(
    prompt="Let a subagent append the line.",
    replies=(
        Reply(
            content=(
                Text(text="I will delegate it."),
                ToolCall(
                    id="call_task",
                    name="task",
                    arguments={
                        "description": "Append one line",
                        "prompt": DELEGATED.prompt,
                        "subagent_type": "general",
                    },
                ),
            )
        ),
        Reply(content=(Text(text="My subagent is done, says {provider}."),)),
    ),
)

OVERLOADED_EVENT = Broken(at=At.TEXT, how=How.ERROR_EVENT)
_HELD_BACK = ProviderSpec(id=BETA.id, model=BETA.model, price=BETA.price, context=1_200, output=200)
"""Room for 1,000 tokens; after any answer of the drill, the conversation has 1,100."""


_REFUSED = (
    failing_over("529", "529 overloaded", HttpError(status=529, message="Overloaded")),
    failing_over(
        "402", "402 without headers, as Copilot's", HttpError(status=402, message="Payment required"), asked=1
    ),
    failing_over(
        "insufficient-quota",
        "429 insufficient_quota",
        HttpError(status=429, message="You exceeded your current quota", code="insufficient_quota"),
        asked=1,
    ),
    failing_over("401", "401 expired key", HttpError(status=401, message="The API key has expired"), asked=1),
    failing_over("403", "403 revoked key", HttpError(status=403, message="The key was revoked"), asked=1),
    failing_over("404", "404 model not found", HttpError(status=404, message="The model does not exist"), asked=1),
    failing_over("410", "410 model retired", HttpError(status=410, message="The model was retired"), asked=1),
    failing_over(
        "unknown-400", "400 with an unknown message", HttpError(status=400, message="Operation declined"), asked=1
    ),
    failing_over(
        "413-same-room",
        "413 from a proxy, and the other member has the same limit",
        HttpError(status=413, message="Request Entity Too Large"),
        asked=1,
    ),
)

_STREAMS = (
    replace(
        failing_over(
            "broken-off",
            "a finish reason that says the answer broke off",
            Abandoned(at=At.TEXT, reason="network_error"),
        ),
        # `run` holds text back until its step is complete; the server's clients are told when it is removed.
        through=Through.RUN,
    ),
    Scenario(
        name="cut-call",
        title="a tool call whose arguments end at the length limit",
        providers=(replace(ALPHA, then=Abandoned(at=At.TOOL_INPUT, reason="length")), BETA),
        turns=(ERRAND,),
        expected=Expectation(served_by=("beta", "beta"), requests={"beta": 2}, at_most={"alpha": RETRIED}),
        through=Through.RUN,
    ),
    failing_over("error-event", "overload as an error event in a 200 stream", OVERLOADED_EVENT),
    # By then ``run`` has printed what looked complete; clients that can remove it must do so.
    replace(
        failing_over("no-finish", "a stream that ends without a finish reason", Broken(at=At.TEXT, how=How.END)),
        through=Through.SERVE,
        prints=False,
    ),
    Scenario(
        name="no-finish-anywhere",
        title="no provider ever sends a finish reason: the turn ends, and is stored as finished",
        providers=tuple(replace(one, then=Broken(at=At.CONTENT, how=How.END)) for one in (ALPHA, BETA)),
        turns=(GREETING, QUESTION),
        expected=Expectation(served_by=None, at_most={"alpha": 2 * RETRIED, "beta": 2 * RETRIED}),
        through=Through.SERVE,
        prints=False,
    ),
    failing_over("empty", "an empty answer", Empty()),
    replace(
        failing_over("stall", "a stall after some text", Broken(at=At.TEXT, how=How.STALL)),
        combined=TIMEOUTS,
    ),
    replace(
        failing_over(
            "stall-comments", "a stall with keep-alive comments", Broken(at=At.TEXT, how=How.STALL, comments=True)
        ),
        combined=TIMEOUTS,
    ),
    Scenario(
        name="slow-healthy",
        title="slow but healthy, nothing configured: not cut off",
        providers=(replace(ALPHA, faults=(Slow(seconds=6.0),)), BETA),
        turns=(GREETING,),
        expected=Expectation(served_by=("alpha",), requests={"alpha": 1, "beta": 0}),
    ),
    Scenario(
        name="taken-back",
        title="a partial answer is removed from the screen",
        providers=(replace(ALPHA, then=Broken(at=At.TEXT, how=How.RESET)), BETA),
        turns=(GREETING, QUESTION),
        expected=Expectation(served_by=("beta", "beta"), requests={"beta": 2}, at_most={"alpha": RETRIED}),
        through=Through.SERVE,
    ),
)

_TOOLS = (
    Scenario(
        name="parallel-unfinished",
        title="two tools at once, cut off in the second call",
        providers=(
            replace(ALPHA, faults=(Broken(at=At.TOOL_INPUT, how=How.RESET, tools=1),), then=OVERLOADED),
            BETA,
        ),
        turns=(PARALLEL,),
        expected=Expectation(
            served_by=("alpha", "beta", "beta"),
            replies=(
                Reply(content=PARALLEL.replies[0].content[:2]),
                Reply(content=(SECOND,)),
                PARALLEL.replies[1],
            ),
            requests={"beta": 2},
            at_most={"alpha": RETRIED},
        ),
    ),
    Scenario(
        name="parallel-finished",
        title="two tools at once, cut off after both",
        providers=(
            replace(ALPHA, faults=(Broken(at=At.CONTENT, how=How.RESET, tools=2),), then=OVERLOADED),
            BETA,
        ),
        turns=(PARALLEL,),
        expected=Expectation(served_by=("alpha", "beta"), requests={"beta": 1}, at_most={"alpha": RETRIED}),
    ),
    Scenario(
        name="tool-running",
        title="cut off while a tool is running",
        providers=(
            replace(ALPHA, faults=(Broken(at=At.CONTENT, how=How.RESET, pause=0.3),), then=OVERLOADED),
            BETA,
        ),
        turns=(SLOW_ERRAND,),
        expected=Expectation(served_by=("alpha", "beta"), requests={"beta": 1}, at_most={"alpha": RETRIED}),
    ),
    Scenario(
        name="long-errand",
        title="three tools in a row, each provider failing once",
        providers=(
            replace(ALPHA, faults=(None,), then=OVERLOADED),
            replace(BETA, faults=(None,), then=RATE_LIMITED),
            GAMMA,
        ),
        turns=(LONG_ERRAND,),
        expected=Expectation(
            served_by=("alpha", "beta", "gamma", "gamma"),
            requests={"beta": 2, "gamma": 2},
            at_most={"alpha": 1 + RETRIED},
        ),
    ),
    Scenario(
        name="subagent-error",
        title="overload in a subagent",
        providers=(replace(ALPHA, faults=(None,), then=OVERLOADED), BETA),
        turns=(DELEGATION,),
        delegated=(DELEGATED,),
        expected=Expectation(served_by=("alpha", "beta"), at_most={"alpha": 1 + RETRIED}),
        # On a slow machine the first one would be asked again before the turn has ended.
        combined={"cooldown": {"min": 60_000}},
        through=Through.SERVE,
    ),
    Scenario(
        name="compaction-error",
        title="429 on the request for a summary",
        providers=(replace(ALPHA, others={Purpose.SUMMARY: (RESTING,)}), BETA),
        turns=(replace(GREETING, compact=True), QUESTION),
        expected=Expectation(served_by=("alpha", "beta"), requests={"alpha": 1, "beta": 1}),
        through=Through.SERVE,
        # A summary is not an answer, but ``run`` would print its text.
        prints=False,
    ),
)

_COOLDOWNS = (
    Scenario(
        name="all-cooling",
        title="all cooling for some seconds: it waits",
        providers=tuple(
            replace(provider, faults=(replace(RATE_LIMITED, headers={"retry-after": "3"}),))
            for provider in (ALPHA, BETA)
        ),
        turns=(GREETING,),
        expected=Expectation(served_by=None, at_most={"alpha": 2, "beta": 2}),
    ),
    Scenario(
        name="cooldown-restart",
        title="a cooldown survives a restart",
        providers=(replace(ALPHA, then=RESTING), BETA),
        turns=(GREETING, QUESTION),
        expected=Expectation(served_by=("beta", "beta"), requests={"alpha": 1, "beta": 2}),
        through=Through.RUN,
    ),
    Scenario(
        name="cooldown-shared",
        title="two processes share a cooldown",
        providers=(replace(ALPHA, faults=(None,), then=RESTING), BETA),
        turns=(GREETING, replace(ERRAND, elsewhere=True), QUESTION),
        expected=Expectation(served_by=("alpha", "beta"), requests={"alpha": 2}),
        through=Through.SERVE,
    ),
    Scenario(
        name="small-member",
        title="a member too small for the conversation is passed over",
        providers=(replace(ALPHA, faults=(None,), then=RATE_LIMITED), _HELD_BACK, GAMMA),
        turns=(ERRAND,),
        expected=Expectation(served_by=("alpha", "gamma"), requests={"alpha": 2, "beta": 0, "gamma": 1}),
    ),
)

_CANCELS = (
    Scenario(
        name="cancel-failover",
        title="the user cancels while the next provider is silent",
        providers=(replace(ALPHA, then=OVERLOADED), replace(BETA, then=Slow(seconds=20))),
        turns=(replace(GREETING, cancel=1.0),),
        expected=Expectation(served_by=None, cancelled=True, requests={"beta": 1}, at_most={"alpha": RETRIED}),
        through=Through.SERVE,
    ),
    Scenario(
        name="cancel-waiting",
        title="the user cancels while all are cooling",
        providers=tuple(
            replace(provider, then=replace(RATE_LIMITED, headers={"retry-after": "20"})) for provider in (ALPHA, BETA)
        ),
        turns=(replace(GREETING, cancel=1.0),),
        expected=Expectation(served_by=None, cancelled=True, requests={"alpha": 1, "beta": 1}),
        through=Through.SERVE,
    ),
)

AGENT_SCENARIOS = (*_REFUSED, *_STREAMS, *_TOOLS, *_COOLDOWNS, *_CANCELS)
