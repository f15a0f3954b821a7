"""What can go wrong with a provider's answer, and where in the stream: plain data.

A new fault is a new value here or in a scenario, never a branch in the server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class ChunkKind(StrEnum):
    """What an event of a stream carries, in any protocol."""

    START = "start"
    REASONING = "reasoning"
    TEXT = "text"
    BOUNDARY = "boundary"
    TOOL_INPUT = "tool input"
    TOOL_READY = "tool call"
    FINISH = "finish"
    ERROR = "error event"
    GARBAGE = "garbage"
    DONE = "done"


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """One event of a stream: its bytes and their meaning. ``text``: words, or a tool's name."""

    kind: ChunkKind
    data: bytes
    text: str = ""


class At(StrEnum):
    """Where a stream breaks."""

    CONNECTION = "before the head of the answer"
    HEADERS = "before the first event"
    START = "before the first word"
    REASONING = "in the middle of the reasoning"
    TEXT = "in the middle of the text"
    TOOL_INPUT = "in the middle of a tool call"
    CONTENT = "after the content, before the finish"


class How(StrEnum):
    """How a stream breaks."""

    RESET = "connection reset"
    CLOSE = "connection closed"
    STALL = "stalled"
    ERROR_EVENT = "error event"
    END = "ended without a finish"


@dataclass(frozen=True, kw_only=True)
class HttpError:
    """An answer with an error status. ``message`` and ``code`` go into the error body of the protocol."""

    status: int
    message: str
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A 200 stream that breaks. ``at`` is a place, or the number of events that are still sent.

    ``tools`` is how many tool calls must have finished before the break. ``pause`` is the time in seconds between the
    last event, or those tools, and the break, so that the client has read everything: the kernel may drop unread data
    with a reset. ``message`` is for an error event.
    """

    at: At | int
    how: How
    tools: int = 0
    pause: float = 0.1
    message: str = "Overloaded"
    comments: bool = False


@dataclass(frozen=True, kw_only=True)
class Abandoned:
    """A 200 stream that ends properly after ``at``, but with a finish reason that means the answer is incomplete."""

    at: At
    reason: str


@dataclass(frozen=True, kw_only=True)
class Garbled:
    """A 200 stream with one event after ``at`` that is not JSON; the rest follows as if nothing had happened."""

    at: At | int


@dataclass(frozen=True, kw_only=True)
class Empty:
    """A 200 stream that ends properly but says nothing."""


@dataclass(frozen=True, kw_only=True)
class Slow:
    """A healthy answer: the head is sent at once, the first event comes after ``seconds``."""

    seconds: float


@dataclass(frozen=True, kw_only=True)
class Unterminated:
    """A healthy answer without the event that ends every stream of its protocol."""


Fault = HttpError | Broken | Abandoned | Garbled | Empty | Slow | Unterminated

HEALTHY = (Slow, Unterminated)
"""Odd but complete answers: nothing is lost by accepting them."""

SURELY_READ_SECONDS = 0.3
"""The shortest pause before a break. If a connection breaks sooner after an event, the event may be lost too."""

GARBAGE = b'data: {"broken": \n\n'
"""An event that is not JSON, as from a proxy that rewrites bodies."""


def before_break(chunks: Sequence[Chunk], at: At | int) -> tuple[Chunk, ...]:
    """The events that are still sent before a stream breaks at ``at``.

    "In the middle" means half of the events of that kind, rounded up, and for a tool call the first half of the last
    call's arguments. A number never reaches the finish. A stream without such a place breaks after its content: a stock
    program may ask for another reply than the scenario expects, such as one without a tool call.
    """
    if isinstance(at, int):
        return before_break(chunks, At.CONTENT)[:at]
    if at in {At.CONNECTION, At.HEADERS}:
        return ()
    if at is At.CONTENT:
        return tuple(c for c in chunks if c.kind not in {ChunkKind.FINISH, ChunkKind.DONE})
    kind = {
        At.START: ChunkKind.START,
        At.REASONING: ChunkKind.REASONING,
        At.TEXT: ChunkKind.TEXT,
        At.TOOL_INPUT: ChunkKind.TOOL_INPUT,
    }[at]
    places = [index for index, chunk in enumerate(chunks) if chunk.kind is kind]
    if not places:
        return before_break(chunks, At.CONTENT)
    middle = places[-1] if at is At.TOOL_INPUT else places[(len(places) - 1) // 2]
    return tuple(chunks[: middle + 1])


def describe(fault: Fault) -> str:
    """A fault in a few words, for tables."""
    match fault:
        case HttpError():
            return str(fault.status)
        case Broken():
            where = f"after {fault.at} events" if isinstance(fault.at, int) else fault.at.value
            return f"{fault.how.value} {where}"
        case Abandoned():
            return f"finish reason {fault.reason} {fault.at.value}"
        case Slow():
            return f"first token after {fault.seconds:g} s"
        case Garbled():
            return "an event that is not JSON"
        case Empty():
            return "an empty answer"
        case Unterminated():
            return "no event that ends the stream"
