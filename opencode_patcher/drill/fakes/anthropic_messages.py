"""Anthropic's Messages, streamed, as ``@ai-sdk/anthropic`` speaks them.

Strict where the real API is: roles alternate, each ``tool_use`` has its ``tool_result`` in the next message, no
content is empty, and while thinking is on a turn with ``tool_use`` starts with its signed thinking
(https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from opencode_patcher.drill.fakes.conversation import Conversation
from opencode_patcher.drill.fakes.faults import Chunk, ChunkKind, HttpError
from opencode_patcher.drill.fakes.plan import PROVIDER, Reasoning, Reply, Text, ToolCall
from opencode_patcher.drill.fakes.protocol import Body
from opencode_patcher.drill.fakes.usage import USAGE, Usage
from opencode_patcher.drill.fakes.wire import Object, as_object, as_objects, event, halves, text_of, words

SIGNATURE = "signed-by-"
"""A thinking block's signature is this plus the name of whoever can verify it."""

REPORTED_FIRST = Usage(input=USAGE.input, output=1)

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}
"""https://docs.anthropic.com/en/api/errors"""


@dataclass(frozen=True)
class AnthropicMessages:
    """The protocol; see ``WireProtocol`` for what each member means.

    ``signer`` signs and verifies thinking: the model's vendor, the same on all its platforms. A provider with another
    signer refuses signatures that every other provider of the model accepts.
    """

    npm: str = "@ai-sdk/anthropic"
    path: str = "/messages"
    reported_first: Usage = REPORTED_FIRST
    signer: str = "anthropic"

    def conversation(self, body: Body) -> Conversation:
        messages = as_objects(body.get("messages"))
        prompt = ""
        called: list[str] = []
        for message in messages:
            blocks = _blocks(message)
            if message.get("role") == "user":
                said = [block for block in blocks if block.get("type") != "tool_result"]
                if said:
                    prompt, called = text_of(said), []
            called += [str(block.get("id")) for block in blocks if block.get("type") == "tool_use"]
        return Conversation(
            model=str(body.get("model", "")),
            system=text_of(body.get("system", "")),
            prompt=prompt,
            called=tuple(called),
            tools=tuple(str(tool.get("name")) for tool in as_objects(body.get("tools"))),
        )

    def violations(self, body: Body) -> tuple[str, ...]:
        return tuple(_violations(as_objects(body.get("messages")), thinking=_thinks(body)))

    def refusal(self, body: Body, provider: str) -> HttpError | None:  # noqa: ARG002
        for message in as_objects(body.get("messages")):
            for block in _blocks(message):
                signature = str(block.get("signature", ""))
                if block.get("type") == "thinking" and signature != SIGNATURE + self.signer:
                    return HttpError(status=400, message="Invalid `signature` in `thinking` block")
        return None

    def authorised(self, headers: Mapping[str, str], key: str) -> bool:
        return headers.get("x-api-key") == key

    def chunks(self, reply: Reply, *, provider: str, model: str, number: int) -> tuple[Chunk, ...]:
        found = [
            _chunk(
                ChunkKind.START,
                "message_start",
                message={
                    "id": f"msg_{provider}{number}",
                    "type": "message",
                    "role": "assistant",
                    "model": model,
                    "content": [],
                    "stop_reason": None,
                    "stop_sequence": None,
                    "usage": {"input_tokens": REPORTED_FIRST.input, "output_tokens": REPORTED_FIRST.output},
                },
            )
        ]
        for index, item in enumerate(reply.content):
            match item:
                case Text():
                    found += _text_block(index, item.text.replace(PROVIDER, provider))
                case Reasoning():
                    found += _thinking_block(index, item.text, SIGNATURE + self.signer)
                case ToolCall():
                    found += _tool_block(index, item, item.fresh_id(provider, number))
        found.append(
            _chunk(
                ChunkKind.FINISH,
                "message_delta",
                delta={"stop_reason": "tool_use" if reply.tools else "end_turn", "stop_sequence": None},
                usage={"output_tokens": USAGE.output},
            )
        )
        # Clients treat the answer as unfinished until the very last event.
        return (*found, _chunk(ChunkKind.FINISH, "message_stop"))

    def error_body(self, status: int, message: str, code: str) -> bytes:  # noqa: ARG002
        kind = _ERROR_TYPES.get(status, "api_error")
        return json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()

    def error_event(self, message: str) -> Chunk:
        return _chunk(ChunkKind.ERROR, "error", text=message, error={"type": "overloaded_error", "message": message})

    def done(self) -> None:
        """The event that ends a stream comes only after the finish."""
        return


def _chunk(kind: ChunkKind, name: str, *, text: str = "", **data: object) -> Chunk:
    return Chunk(kind=kind, data=event({"type": name, **data}, name), text=text)


def _start(kind: ChunkKind, index: int, block: Object, text: str = "") -> Chunk:
    return _chunk(kind, "content_block_start", text=text, index=index, content_block=block)


def _delta(kind: ChunkKind, index: int, delta: Object, text: str = "") -> Chunk:
    return _chunk(kind, "content_block_delta", text=text, index=index, delta=delta)


def _stop(kind: ChunkKind, index: int, text: str = "") -> Chunk:
    return _chunk(kind, "content_block_stop", text=text, index=index)


def _text_block(index: int, text: str) -> Iterator[Chunk]:
    yield _start(ChunkKind.BOUNDARY, index, {"type": "text", "text": ""})
    for word in words(text):
        yield _delta(ChunkKind.TEXT, index, {"type": "text_delta", "text": word}, word)
    yield _stop(ChunkKind.BOUNDARY, index)


def _thinking_block(index: int, text: str, signature: str) -> Iterator[Chunk]:
    yield _start(ChunkKind.BOUNDARY, index, {"type": "thinking", "thinking": "", "signature": ""})
    for word in words(text):
        yield _delta(ChunkKind.REASONING, index, {"type": "thinking_delta", "thinking": word}, word)
    yield _delta(ChunkKind.BOUNDARY, index, {"type": "signature_delta", "signature": signature})
    yield _stop(ChunkKind.BOUNDARY, index)


def _tool_block(index: int, call: ToolCall, id: str) -> Iterator[Chunk]:
    yield _start(ChunkKind.TOOL_INPUT, index, {"type": "tool_use", "id": id, "name": call.name, "input": {}}, call.name)
    first, second = halves(json.dumps(call.arguments))
    for kind, half in ((ChunkKind.TOOL_INPUT, first), (ChunkKind.BOUNDARY, second)):
        yield _delta(kind, index, {"type": "input_json_delta", "partial_json": half}, call.name)
    yield _stop(ChunkKind.TOOL_READY, index, call.name)


def _violations(messages: list[Object], *, thinking: bool) -> Iterator[str]:
    if not messages:
        yield "the request has no messages"
        return
    if messages[0].get("role") != "user":
        yield "the first message is not the user's"
    for number, message in enumerate(messages):
        blocks = _blocks(message)
        if not blocks or any(block.get("type") == "text" and not str(block.get("text")).strip() for block in blocks):
            yield f"message {number} ({message.get('role')}) is empty or has an empty text"
    turns = _merged(messages)
    waiting: set[str] = set()
    seen: set[str] = set()
    for number, blocks in enumerate(map(_blocks, turns)):
        results = [str(block.get("tool_use_id")) for block in blocks if block.get("type") == "tool_result"]
        for identity in results:
            if identity not in waiting:
                yield f"turn {number} has a tool result without a matching tool call ({identity})"
            waiting.discard(identity)
        for identity in sorted(waiting):
            yield f"tool call {identity} has no result in turn {number}"
        calls = [str(block.get("id")) for block in blocks if block.get("type") == "tool_use"]
        for identity in calls:
            if identity in seen:
                yield f"the tool call id {identity} is used twice"
            seen.add(identity)
        waiting = set(calls)
    for identity in sorted(waiting):
        yield f"tool call {identity} has no result"
    if turns[-1].get("role") == "assistant":
        yield "the conversation ends with an assistant message"
    if thinking:
        yield from _unsigned(turns)


def _merged(messages: list[Object]) -> list[Object]:
    """The turns: neighbours of one role are one turn (Anthropic's documentation of the Messages API)."""
    turns: list[Object] = []
    for message in messages:
        if turns and turns[-1].get("role") == message.get("role"):
            turns[-1] = {"role": message.get("role"), "content": [*_blocks(turns[-1]), *_blocks(message)]}
        else:
            turns.append(message)
    return turns


def _unsigned(messages: list[Object]) -> Iterator[str]:
    """While thinking is on, an unfinished turn that calls tools must start with signed thinking."""
    asked = max((n for n, message in enumerate(messages) if _is_prompt(message)), default=0)
    blocks = [
        block for message in messages[asked + 1 :] if message.get("role") == "assistant" for block in _blocks(message)
    ]
    if any(block.get("type") == "tool_use" for block in blocks) and not str(blocks[0].get("type")).endswith("thinking"):
        yield "thinking is on, but the unfinished turn calls a tool without starting with a thinking block"


def _is_prompt(message: Object) -> bool:
    return message.get("role") == "user" and any(block.get("type") != "tool_result" for block in _blocks(message))


def _thinks(body: Body) -> bool:
    return as_object(body.get("thinking")).get("type") in {"enabled", "adaptive"}


def _blocks(message: Object) -> list[Object]:
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else as_objects(content)
