"""The scenarios as OpenCode 2 can play them: its tools have other names, and some do not apply. Data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from opencode_patcher.drill.fakes.anthropic_messages import AnthropicMessages
from opencode_patcher.drill.fakes.plan import Content, Reply, ToolCall, Turn
from opencode_patcher.drill.scenarios.scenario import Scenario, Through

LEFT_OUT = {
    **dict.fromkeys(("editor-text", "editor-tool", "editor-commit"), "it has no ACP server (`opencode acp`)"),
    **dict.fromkeys(
        ("second-api", "second-api-error", "second-api-refused"), "its only API is the one that all other scenarios use"
    ),
    "run-configured": "`run` has no --command, and an agent's settings have other names",
    "run-fork": "a fork copies the session's messages as they are; there is no second way to store them",
    "cooldown-shared": "another process of `run` uses the service that is already running, and so the same process",
}
"""The scenarios that are not played, each with the reason."""

BY_RUN = frozenset({"metered-ask-run"})
"""Scenarios in which ``opencode2 run`` sends the prompt, and answers questions by itself."""

RESTARTED = frozenset({"wait-and-resume"})
"""Scenarios in which a service is killed and the next one continues its turns."""

STARTS_EARLY = frozenset(
    {"cut-at-tool", "cut-after-tool", "parallel-unfinished", "parallel-finished", "tool-running", "undo-commit"}
)
"""Scenarios in which a tool runs while its answer is still coming. OpenCode 2 starts the calls of a chat completion
when the answer is complete. Calls in Anthropic's protocol start as soon as each is complete, so the first provider
speaks that protocol here.
"""


def playable(scenarios: Iterable[Scenario]) -> tuple[Scenario, ...]:
    """The scenarios that apply, with OpenCode 2's names for the tools."""
    return tuple(translated(scenario) for scenario in scenarios if scenario.name not in LEFT_OUT)


def translated(scenario: Scenario) -> Scenario:
    """The scenario with OpenCode 2's tools. All are played through its server, which has one API."""
    expected = scenario.expected
    first, *others = scenario.providers
    if scenario.name in STARTS_EARLY:
        first = replace(first, protocol=AnthropicMessages())
    replies = None if expected.replies is None else tuple(map(_reply, expected.replies))
    return replace(
        scenario,
        turns=tuple(map(translated_turn, scenario.turns)),
        delegated=tuple(map(translated_turn, scenario.delegated)),
        expected=replace(expected, replies=replies),
        providers=(first, *others),
        through=Through.OPENCODE_2,
    )


def translated_turn(turn: Turn) -> Turn:
    """The turn with OpenCode 2's tools."""
    return replace(turn, replies=tuple(map(_reply, turn.replies)))


def _reply(reply: Reply) -> Reply:
    return replace(reply, content=tuple(map(_content, reply.content)))


def _content(item: Content) -> Content:
    if not isinstance(item, ToolCall):
        return item
    if item.name == "bash":
        return replace(item, name="shell", arguments={"command": item.arguments["command"]})
    if item.name == "task":
        given = dict(item.arguments)
        return replace(item, name="subagent", arguments={"agent": given.pop("subagent_type"), **given})
    return item
