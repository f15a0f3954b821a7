"""Thinking and tool calls that go to a provider with another protocol or its own signatures."""

from __future__ import annotations

from dataclasses import replace

from opencode_patcher.drill.fakes.anthropic_messages import AnthropicMessages
from opencode_patcher.drill.fakes.faults import SURELY_READ_SECONDS, At, Broken, How
from opencode_patcher.drill.fakes.openai_responses import OpenAIResponses
from opencode_patcher.drill.fakes.plan import Reasoning, Reply, Turn
from opencode_patcher.drill.fakes.provider import ProviderSpec
from opencode_patcher.drill.scenarios.agents import OVERLOADED_EVENT, QUESTION
from opencode_patcher.drill.scenarios.quick import (
    ALPHA,
    BETA,
    ERRAND,
    GAMMA,
    GREETING,
    OVERLOADED,
    RATE_LIMITED,
    RETRIED,
)
from opencode_patcher.drill.scenarios.scenario import Expectation, Scenario, Through

THINKING = {"thinking": {"type": "enabled", "budgetTokens": 2_000}}
CLAUDE_ALPHA = replace(ALPHA, protocol=AnthropicMessages(), options=THINKING)
CLAUDE_BETA = replace(BETA, protocol=AnthropicMessages(), options=THINKING)
GPT_ALPHA = replace(ALPHA, protocol=OpenAIResponses(), model="gpt-5")
GPT_BETA = replace(BETA, protocol=OpenAIResponses(), model="openai/gpt-5")

THOUGHT = Reasoning(text="The user wants one line. I will append it with the shell and then say so.")

THOUGHTFUL_ERRAND = replace(ERRAND, replies=(Reply(content=(THOUGHT, *ERRAND.replies[0].content)), ERRAND.replies[1]))
THOUGHTFUL_GREETING = replace(GREETING, replies=(Reply(content=(THOUGHT, *GREETING.replies[0].content)),))


def _carrying_on(
    name: str,
    title: str,
    first: ProviderSpec,
    second: ProviderSpec,
    *others: ProviderSpec,
    turn: Turn = THOUGHTFUL_ERRAND,
) -> Scenario:
    """``first`` calls a tool and fails on the next step; ``second`` must continue from the tool's result."""
    return Scenario(
        name=name,
        title=title,
        providers=(replace(first, faults=(None,), then=OVERLOADED), second, *others),
        turns=(turn,),
        expected=Expectation(served_by=("alpha", "beta"), requests={"beta": 1}, at_most={"alpha": 1 + RETRIED}),
    )


def _thinking(name: str, title: str, first: ProviderSpec, second: ProviderSpec, fault: Broken) -> Scenario:
    """``first`` breaks in the middle of an answer with thinking; ``second`` must give all of it."""
    return Scenario(
        name=name,
        title=title,
        providers=(replace(first, then=fault), second),
        turns=(THOUGHTFUL_GREETING,),
        expected=Expectation(served_by=("beta",), requests={"beta": 1}, at_most={"alpha": RETRIED}),
    )


PROTOCOL_SCENARIOS = (
    _thinking("reasoning-cut", "cut in the reasoning", ALPHA, BETA, Broken(at=At.REASONING, how=How.RESET)),
    _thinking(
        "anthropic-cut",
        "Anthropic: cut in the thinking, its input is paid",
        CLAUDE_ALPHA,
        BETA,
        Broken(at=At.REASONING, how=How.RESET, pause=2 * SURELY_READ_SECONDS),
    ),
    _thinking(
        "anthropic-silence",
        "Anthropic: the line ends in silence, its input is paid",
        CLAUDE_ALPHA,
        BETA,
        Broken(at=At.REASONING, how=How.END),
    ),
    _thinking("anthropic-event", "Anthropic: overloaded_error in the stream", CLAUDE_ALPHA, BETA, OVERLOADED_EVENT),
    _thinking("responses-event", "Responses: error event in the stream", GPT_ALPHA, GPT_BETA, OVERLOADED_EVENT),
    _carrying_on("signed-thinking", "Claude's signed thinking at another provider", CLAUDE_ALPHA, CLAUDE_BETA),
    _carrying_on("unsigned-thinking", "a tool call without signed thinking goes to Anthropic", ALPHA, CLAUDE_BETA),
    _carrying_on("anthropic-to-chat", "from Anthropic to an OpenAI-compatible provider", CLAUDE_ALPHA, BETA),
    _carrying_on("sealed-reasoning", "OpenAI's encrypted reasoning stays at home", GPT_ALPHA, GPT_BETA),
    _carrying_on(
        "responses-to-chat",
        "from Responses to an OpenAI-compatible provider",
        GPT_ALPHA,
        replace(BETA, model=GPT_BETA.model),
    ),
    replace(
        _carrying_on(
            "refused-signature",
            "a provider refuses the signature of another",
            CLAUDE_ALPHA,
            replace(CLAUDE_BETA, protocol=AnthropicMessages(signer="another")),
            GAMMA,
        ),
        expected=Expectation(served_by=None, at_most={"alpha": 1 + RETRIED, "beta": 2}),
    ),
    Scenario(
        name="back-again",
        title="a later turn goes back to the first, with both histories",
        providers=(
            replace(CLAUDE_ALPHA, faults=(None, replace(RATE_LIMITED, headers={"retry-after": "1"}))),
            BETA,
        ),
        turns=(THOUGHTFUL_ERRAND, replace(QUESTION, pause=2.0)),
        expected=Expectation(served_by=("alpha", "beta", "alpha"), requests={"alpha": 3, "beta": 1}),
        through=Through.SERVE,
    ),
)
