"""What a session must cost: the rule that the drill and the chaos apply to every run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from opencode_patcher.drill.fakes.anthropic_messages import REPORTED_FIRST, AnthropicMessages
from opencode_patcher.drill.fakes.exchange import Exchange, Sent
from opencode_patcher.drill.fakes.faults import At, Broken, ChunkKind, Empty, Garbled, How
from opencode_patcher.drill.fakes.usage import USAGE
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GAMMA
from opencode_patcher.drill.verdict import costs
from opencode_patcher.drill.verdict.observation import StoredMessage
from tests.drill.drill_samples import exchange, message, session, text, tool

A, B = (provider.price.cost(USAGE) for provider in (ALPHA, BETA))


def answered(provider: str, at: float, **changes: Any) -> Exchange:
    return replace(exchange(provider, at, at + 1, text="x"), **changes)


EMPTY = answered("alpha", 1, fault=Empty())
REFUSED = replace(answered("alpha", 1, fault=Broken(at=0, how=How.RESET)), sent=())
GARBLED = answered("alpha", 1, fault=Garbled(at=1))
GARBLED = replace(GARBLED, sent=(Sent(at=1, kind=ChunkKind.GARBAGE, text=""), *GARBLED.sent))
CALLED = text("I look it up."), tool("call_one-alpha1")


@pytest.mark.parametrize(
    ("exchanges", "messages"),
    [
        ((answered("beta", 1),), (message("beta", text("x"), cost=B),)),
        ((REFUSED, answered("beta", 3)), (message("beta", text("x"), cost=B),)),
        ((GARBLED, answered("beta", 3)), (message("beta", text("x"), cost=B),)),
        # A discarded answer is paid in the message that replaces it, even if that message itself ends with a tool call.
        ((EMPTY, answered("beta", 3)), (message("beta", text("x"), cost=A + B),)),
        (
            (EMPTY, replace(REFUSED, number=1), answered("beta", 5)),
            (message("alpha", *CALLED, cost=A), message("beta", text("x"), cost=B)),
        ),
        # The last answer stays even if it is empty, because none replaces it.
        ((EMPTY,), (message("alpha", cost=A),)),
    ],
)
def test_reported_costs_are_counted(exchanges: tuple[Exchange, ...], messages: tuple[StoredMessage, ...]) -> None:
    assert list(costs.wrong(exchanges, messages, (ALPHA, BETA, GAMMA))) == []
    for index, paid in enumerate(messages):
        for cost in (paid.cost + A, paid.cost - A / 2):
            others = (*messages[:index], replace(paid, cost=cost), *messages[index + 1 :])
            (sentence,) = costs.wrong(exchanges, others, (ALPHA, BETA, GAMMA))
            assert f"of {paid.provider} cost ${cost:.4f} instead of ${paid.cost:.4f}" in sentence


CLAUDE = replace(ALPHA, protocol=AnthropicMessages())
FIRST = CLAUDE.price.cost(REPORTED_FIRST)


def started(fault: Broken) -> Exchange:
    return replace(REFUSED, sent=(Sent(at=1, kind=ChunkKind.START, text=""),), fault=fault)


@pytest.mark.parametrize(
    ("exchange", "costs_of_beta"),
    [
        (started(Broken(at=At.START, how=How.RESET, pause=1)), {B: False, FIRST + B: True}),
        (started(Broken(at=At.START, how=How.ERROR_EVENT)), {B: False, FIRST + B: True}),
        # It is unknown whether an event was read if the connection broke right after it.
        (started(Broken(at=At.START, how=How.RESET)), {B: True, FIRST + B: True, FIRST * 2 + B: False}),
        (replace(started(Broken(at=At.START, how=How.ERROR_EVENT)), hung_up=True), {B: True, FIRST + B: True}),
        (REFUSED, {B: True, FIRST + B: False}),
    ],
)
def test_costs_reported_before_a_connection_broke_are_counted(
    exchange: Exchange, costs_of_beta: dict[float, bool]
) -> None:
    for cost, right in costs_of_beta.items():
        found = list(
            costs.wrong((exchange, answered("beta", 3)), (message("beta", text("x"), cost=cost),), (CLAUDE, BETA))
        )
        assert bool(found) != right, (cost, found)


def test_the_price_of_another_provider_is_noticed() -> None:
    (sentence,) = costs.wrong((answered("beta", 1),), (message("beta", text("x"), cost=A),), (ALPHA, BETA))
    assert sentence == f"the messages of beta cost ${A:.4f} instead of ${B:.4f}"


def test_the_cost_of_a_discarded_answer_belongs_to_its_replacement() -> None:
    messages = (message("alpha", cost=A), message("beta", text("x"), cost=B))
    assert len(list(costs.wrong((EMPTY, answered("beta", 3)), messages, (ALPHA, BETA)))) == 2


def test_a_session_with_another_total_than_its_messages_is_noticed() -> None:
    found = session(message("beta", text("x"), cost=B))
    assert list(costs.differing(found)) == []
    assert list(costs.differing(replace(found, cost=B))) == []
    (sentence,) = costs.differing(replace(found, cost=A + B))
    assert f"${A + B:.4f}" in sentence
