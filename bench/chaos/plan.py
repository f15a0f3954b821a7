"""A session of chaos, made only from its seed: what is asked, what the model does, and what goes wrong when."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from opencode_patcher.drill.fakes.anthropic_messages import AnthropicMessages
from opencode_patcher.drill.fakes.faults import At, Broken, Empty, Fault, Garbled, How, HttpError, Slow, Unterminated
from opencode_patcher.drill.fakes.openai_chat import OpenAIChat
from opencode_patcher.drill.fakes.openai_responses import OpenAIResponses
from opencode_patcher.drill.fakes.plan import Content, Reasoning, Reply, Text, ToolCall, Turn
from opencode_patcher.drill.fakes.protocol import WireProtocol
from opencode_patcher.drill.fakes.provider import ProviderSpec
from opencode_patcher.drill.fakes.usage import Price
from opencode_patcher.drill.scenarios.scenario import EFFECTS

TURNS_PER_SESSION = 8
GROUPS = 6
"""Combined models side by side, each with providers of its own, so that the cooldowns of one do not slow the next."""

MEMBERS = ("a", "b", "c")
MODEL = "chaos-model"
STATUSES = (401, 402, 403, 404, 408, 410, 429, 500, 502, 503, 529)
PASSING = (408, 429, 500, 502, 503, 529)
"""The statuses after which a member is soon available again, even if it fails twice in a row."""

EVENTS = (0, 24)
"""After how many events a stream breaks, if it does not break after all of its content."""

BREAKS = (How.RESET, How.CLOSE, How.ERROR_EVENT, How.END)
BACK_MS = (50, 300)
"""Every refusal names a time in this range after which the member may be asked again, so that sessions stay short."""

STEADY_FAULTS = 2
"""One member of a group never breaks a stream. It fails in at most this many of its first requests in a turn: a member
that fails three times for one answer is not asked for it again.
"""

FAULTY = 0.35
"""The probability that any one of a member's first requests in a turn fails."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """One turn: the user's message, the model's replies, and each member's faults in it."""

    turn: Turn
    faults: tuple[tuple[Fault | None, ...], ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that its tools append, one each."""
        return tuple(call.id for reply in self.turn.replies for call in reply.tools)


def provider(group: int, member: int) -> ProviderSpec:
    """A healthy member of a group. Each of the three members has its own protocol and price."""
    protocols: tuple[WireProtocol, ...] = (OpenAIChat(), AnthropicMessages(), OpenAIResponses())
    return ProviderSpec(
        id=f"{MEMBERS[member]}{group}",
        model=f"{MODEL}-{group}",
        price=Price(input=3 + member, output=15 + 5 * member),
        protocol=protocols[member],
    )


def session(seed: int, *, healthy: bool = False) -> tuple[Round, ...]:
    """The rounds of a seed's session; without faults when ``healthy``.

    In each group there is one member (not the same in all groups) that never breaks a stream and only refuses with a
    status in ``PASSING``. Otherwise all members could be unavailable: after a broken stream a member cools down for
    seconds, after two refused keys for half an hour.
    """
    dice = random.Random(seed)
    steady = seed % GROUPS % len(MEMBERS)
    rounds = []
    for number in range(TURNS_PER_SESSION):
        turn = _turn(dice, f"{seed}x{number}")
        faults = tuple(_faults(dice, turn, streams=member != steady) for member in range(len(MEMBERS)))
        rounds.append(Round(turn=turn, faults=((),) * len(MEMBERS) if healthy else faults))
    return tuple(rounds)


def _turn(dice: random.Random, name: str) -> Turn:
    replies = []
    for step in range(dice.choice((0, 1, 1, 2, 3))):
        calls = [_call(dice, f"line-{name}s{step}c{call}") for call in range(dice.choice((1, 1, 2)))]
        replies.append(Reply(content=(*_words(dice, f"Step {step} of {name}."), *calls)))
    replies.append(Reply(content=tuple(_words(dice, f"That was all of {name}, nothing more and nothing less."))))
    return Turn(prompt=f"Please do your part of {name}, and only that.", replies=tuple(replies))


def _words(dice: random.Random, text: str) -> list[Content]:
    thought = [Reasoning(text=f"What has to be thought about first: {text}")] if dice.random() < 0.3 else []
    return [*thought, Text(text=text)]


def _call(dice: random.Random, id: str) -> ToolCall:
    wait = dice.choice(("", "", "sleep 0.2; "))
    arguments = {"command": f"{wait}echo {id} >> {EFFECTS}", "description": "Append one line"}
    return ToolCall(id=id, name="bash", arguments=arguments)


def _faults(dice: random.Random, turn: Turn, *, streams: bool) -> tuple[Fault | None, ...]:
    """The faults of a member's first requests in a turn; all later ones are healthy."""
    found: list[Fault | None] = []
    for _ in turn.replies:
        if dice.random() >= FAULTY:
            found.append(None)
            continue
        refusal = _refusal(dice, STATUSES if streams else PASSING)
        found.append(_stream_fault(dice) if streams and dice.random() < 0.6 else refusal)
    return tuple(found if streams else found[:STEADY_FAULTS])


def _refusal(dice: random.Random, statuses: Sequence[int]) -> Fault:
    headers = {"retry-after-ms": str(dice.randint(*BACK_MS))}
    return HttpError(status=dice.choice(statuses), message="Chaos", headers=headers)


def _stream_fault(dice: random.Random) -> Fault:
    kind = dice.random()
    if kind < 0.08:
        return Slow(seconds=dice.uniform(0.1, 0.6))
    if kind < 0.14:
        return Unterminated()
    if kind < 0.22:
        return Empty()
    if kind < 0.30:
        return Garbled(at=dice.randint(0, 4))
    at = At.CONTENT if dice.random() < 0.4 else dice.randint(*EVENTS)
    return Broken(at=at, how=dice.choice(BREAKS), pause=dice.choice((0.0, 0.05, 0.4)))


def members(group: int, found: Round | None = None) -> Sequence[ProviderSpec]:
    """The members of a group, with the faults of a round."""
    healthy = [provider(group, member) for member in range(len(MEMBERS))]
    if found is None:
        return healthy
    return [replace(one, faults=faults) for one, faults in zip(healthy, found.faults, strict=True)]
