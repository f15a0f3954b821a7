"""Decides how a fake provider answers a request, without a socket."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from opencode_patcher.drill.fakes.conversation import Purpose, purpose
from opencode_patcher.drill.fakes.faults import (
    GARBAGE,
    Abandoned,
    At,
    Broken,
    Chunk,
    ChunkKind,
    Empty,
    Fault,
    Garbled,
    How,
    HttpError,
    Slow,
    Unterminated,
    before_break,
)
from opencode_patcher.drill.fakes.plan import SUMMARY, TITLE, Reply, Turn, next_reply
from opencode_patcher.drill.fakes.protocol import Body, WireProtocol
from opencode_patcher.drill.fakes.provider import ProviderSpec

_REASON = re.compile(rb'("(?:finish|stop)_reason": )"[^"]*"')


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An answer with an error status and a JSON body."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A 200 answer: it waits ``delay`` seconds, sends the events, waits for ``tools`` finished tool calls and ``pause``
    seconds, and then breaks off if it has a break.

    ``comments``: a stall sends comments. ``headless``: not even the head of the answer is sent.
    """

    chunks: tuple[Chunk, ...]
    delay: float = 0.0
    tools: int = 0
    pause: float = 0.0
    how: How | None = None
    comments: bool = False
    headless: bool = False


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer, the request's purpose, and what a strict provider found wrong with it.

    ``fault`` is the scenario's fault that caused the answer.
    """

    purpose: Purpose
    answer: Refusal | Stream
    violations: tuple[str, ...] = ()
    fault: Fault | None = None


def decide(
    *,
    protocol: WireProtocol,
    provider: ProviderSpec,
    turns: tuple[Turn, ...],
    headers: Mapping[str, str],
    body: Body,
    number: int,
    elapsed: float = 0.0,
) -> Decision:
    """The answer of ``provider`` to its request number ``number`` (from 0, counted separately for each purpose),
    ``elapsed`` seconds after the first one.

    ``headers`` have lower-case names. A wrong request is refused as by a real provider, even if the scenario has a
    fault for it.
    """
    conversation = protocol.conversation(body)
    why = purpose(conversation)

    def refuse(status: int, message: str) -> Decision:
        answer = Refusal(status=status, body=protocol.error_body(status, message, ""))
        return Decision(purpose=why, answer=answer, violations=(message,))

    if not protocol.authorised(headers, provider.key):
        return refuse(401, f"the request does not carry the key of {provider.id}")
    if conversation.model != provider.model:
        return refuse(404, f"{provider.id} has no model {conversation.model!r}")
    if found := protocol.violations(body):
        return Decision(
            purpose=why,
            answer=Refusal(status=400, body=protocol.error_body(400, "; ".join(found), "")),
            violations=found,
        )
    reply = _reply(why, turns, protocol, body)
    if reply is None:
        return refuse(400, "the conversation has no prompt of the scenario")
    fault = protocol.refusal(body, provider.id) or provider.fault(why, number, elapsed)
    return Decision(purpose=why, answer=_shape(protocol, provider, reply, number, fault), fault=fault)


def _reply(why: Purpose, turns: tuple[Turn, ...], protocol: WireProtocol, body: Body) -> Reply | None:
    if why is Purpose.TITLE:
        return TITLE
    if why is Purpose.SUMMARY:
        return SUMMARY
    return next_reply(turns, protocol.conversation(body))


def _shape(
    protocol: WireProtocol, provider: ProviderSpec, reply: Reply, number: int, fault: Fault | None
) -> Refusal | Stream:
    chunks = protocol.chunks(reply, provider=provider.id, model=provider.model, number=number)
    match fault:
        case None:
            return Stream(chunks=chunks)
        case HttpError():
            body = protocol.error_body(fault.status, fault.message, fault.code)
            return Refusal(status=fault.status, body=body, headers=fault.headers)
        case Slow():
            return Stream(chunks=chunks, delay=fault.seconds)
        case Empty():
            return Stream(
                chunks=protocol.chunks(Reply(content=()), provider=provider.id, model=provider.model, number=number)
            )
        case Unterminated():
            return Stream(chunks=tuple(chunk for chunk in chunks if chunk.kind is not ChunkKind.DONE))
        case Abandoned():
            finish = (chunk for chunk in chunks if chunk.kind in {ChunkKind.FINISH, ChunkKind.DONE})
            return Stream(
                chunks=(*before_break(chunks, fault.at), *(_with_reason(chunk, fault.reason) for chunk in finish))
            )
        case Garbled():
            before = before_break(chunks, fault.at)
            return Stream(chunks=(*before, Chunk(kind=ChunkKind.GARBAGE, data=GARBAGE), *chunks[len(before) :]))
        case Broken():
            sent = before_break(chunks, fault.at)
            if fault.how is How.ERROR_EVENT:
                sent = (*sent, protocol.error_event(fault.message))
            elif fault.how is How.END and (done := protocol.done()):
                sent = (*sent, done)
            return Stream(
                chunks=sent,
                tools=fault.tools,
                pause=fault.pause,
                how=fault.how,
                comments=fault.comments,
                headless=fault.at is At.CONNECTION,
            )


def _with_reason(chunk: Chunk, reason: str) -> Chunk:
    """A finish event with another reason."""
    return replace(chunk, data=_REASON.sub(rb"\g<1>" + json.dumps(reason).encode(), chunk.data))
