"""What is wrong with a turn of chaos: compared with a run in which nothing fails. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.chaos.plan import Round
from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.exchange import Exchange
from opencode_patcher.drill.fakes.plan import SERIAL, Reasoning, Reply, Text, ToolCall
from opencode_patcher.drill.fakes.provider import ProviderSpec
from opencode_patcher.drill.verdict import costs
from opencode_patcher.drill.verdict.observation import StoredMessage

Item = tuple[str, str]
"""A kind of part and what it says; for a tool the id of its call in the plan."""


def violations(
    expected: Round,
    messages: Sequence[StoredMessage],
    *,
    asked: int,
    lines: Counter[str],
    exchanges: Sequence[Exchange],
    providers: Sequence[ProviderSpec],
) -> tuple[str, ...]:
    """The broken invariants of one turn, a sentence each.

    ``messages`` are the assistant's of this turn, ``asked`` counts the user's; ``lines`` are what tools have appended
    in this turn, ``exchanges`` the requests of this turn.
    """
    return (
        *_transcript(expected, messages, asked),
        *_closed(messages),
        *_lines(expected, lines),
        *costs.wrong([one for one in exchanges if one.purpose is not Purpose.TITLE], messages, providers),
        *(f"{one.provider} refused: {reason}" for one in exchanges for reason in one.violations),
    )


def healthy(replies: Sequence[Reply]) -> list[Item]:
    """What the parts of a healthy run say, one after another."""
    items: list[Item] = []
    for reply in replies:
        for content in reply.content:
            match content:
                case Text():
                    items.append(("text", content.text))
                case Reasoning():
                    items.append(("reasoning", content.text))
                case ToolCall():
                    items.append(("tool", content.id))
    return items


def stored(messages: Sequence[StoredMessage]) -> list[Item]:
    """What stored messages say, one part after another, no matter which provider gave them or how many messages there
    are.
    """
    items: list[Item] = []
    for part in (part for message in messages for part in message.parts):
        if part.kind == "tool":
            items.append(("tool", part.call.rpartition(SERIAL)[0]))
        elif part.kind in {"text", "reasoning"}:
            items.append((part.kind, part.text))
    return items


def _transcript(expected: Round, messages: Sequence[StoredMessage], asked: int) -> Iterator[str]:
    if asked != 1:
        yield f"{asked} messages of the user are stored instead of 1"
    wanted, found = healthy(expected.turn.replies), stored(messages)
    if wanted != found:
        yield f"the transcript is {found} instead of {wanted}"
    if any(not message.parts for message in messages):
        yield "an empty message is left"


def _closed(messages: Sequence[StoredMessage]) -> Iterator[str]:
    for message in messages:
        if message.error:
            yield f"a message of {message.provider} has an error: {message.error[:300]}"
        if not message.completed:
            yield f"a message of {message.provider} is not completed"
        for part in message.parts:
            if not part.closed or part.status == "error":
                yield f"a {part.kind} part of {message.provider} is {part.status or 'open'}"


def _lines(expected: Round, lines: Counter[str]) -> Iterator[str]:
    wanted = Counter(expected.lines)
    for line in sorted(wanted | lines):
        if wanted[line] != lines[line]:
            yield f"the tool {line} took effect {lines[line]} times instead of {wanted[line]}"
