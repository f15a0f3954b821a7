"""OpenAI's Responses, streamed, as ``@ai-sdk/openai`` speaks them.

Strict where the real API is: each ``function_call`` has its output and each output its call, encrypted reasoning can
only be read by the account that made it (400 ``invalid_encrypted_content``), and an item that is referenced by its id
must exist in the account (404).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opencode_patcher.drill.fakes.conversation import Conversation
from opencode_patcher.drill.fakes.faults import Chunk, ChunkKind, HttpError
from opencode_patcher.drill.fakes.plan import PROVIDER, Reasoning, Reply, Text, ToolCall
from opencode_patcher.drill.fakes.protocol import Body
from opencode_patcher.drill.fakes.usage import USAGE
from opencode_patcher.drill.fakes.wire import Object, as_objects, event, halves, is_json, text_of, words

SEALED = "sealed-by-"
"""Encrypted reasoning is this plus the id of the provider that made it."""

_SYSTEM = {"system", "developer"}


@dataclass(frozen=True)
class OpenAIResponses:
    """The protocol; see ``WireProtocol`` for what each member means."""

    npm: str = "@ai-sdk/openai"
    path: str = "/responses"
    reported_first: None = None

    def conversation(self, body: Body) -> Conversation:
        items = as_objects(body.get("input"))
        prompt = ""
        called: list[str] = []
        for item in items:
            if item.get("role") == "user":
                prompt, called = text_of(item.get("content")), []
            elif item.get("type") == "function_call":
                called.append(str(item.get("call_id")))
        system = [text_of(item.get("content")) for item in items if item.get("role") in _SYSTEM]
        return Conversation(
            model=str(body.get("model", "")),
            system="\n".join([str(body.get("instructions") or ""), *system]),
            prompt=prompt,
            called=tuple(called),
            tools=tuple(str(tool.get("name")) for tool in as_objects(body.get("tools"))),
        )

    def violations(self, body: Body) -> tuple[str, ...]:
        return tuple(_violations(as_objects(body.get("input"))))

    def refusal(self, body: Body, provider: str) -> HttpError | None:
        for item in as_objects(body.get("input")):
            sealed = item.get("encrypted_content")
            if sealed and sealed != SEALED + provider:
                message = "The encrypted content could not be verified. It was made by another organization."
                return HttpError(status=400, message=message, code="invalid_encrypted_content")
            # Nothing is stored (store: false), so an id alone is unknown to every account.
            if item.get("type") == "item_reference" or (str(item.get("id", "")).startswith("rs_") and not sealed):
                return HttpError(status=404, message=f"Item with id '{item.get('id')}' not found.")
        return None

    def authorised(self, headers: Mapping[str, str], key: str) -> bool:
        return headers.get("authorization") == f"Bearer {key}"

    def chunks(self, reply: Reply, *, provider: str, model: str, number: int) -> tuple[Chunk, ...]:
        head = {"id": f"resp_{provider}{number}", "created_at": 0, "model": model}
        found = [_chunk(ChunkKind.START, "response.created", response=head)]
        for index, item in enumerate(reply.content):
            tail = f"{provider}{number}{index}"
            match item:
                case Text():
                    found += _message(index, f"msg_{tail}", item.text.replace(PROVIDER, provider))
                case Reasoning():
                    found += _reasoning(index, f"rs_{tail}", item.text, SEALED + provider)
                case ToolCall():
                    found += _function_call(index, f"fc_{tail}", item, item.fresh_id(provider, number))
        usage = {
            "input_tokens": USAGE.input,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": USAGE.output,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": USAGE.input + USAGE.output,
        }
        found.append(_chunk(ChunkKind.FINISH, "response.completed", response={**head, "usage": usage}))
        return tuple(found)

    def error_body(self, status: int, message: str, code: str) -> bytes:
        kind = "server_error" if status >= 500 else "invalid_request_error"
        return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code or None}}).encode()

    def error_event(self, message: str) -> Chunk:
        error = {"type": "server_error", "code": "server_is_overloaded", "message": message, "param": None}
        return _chunk(ChunkKind.ERROR, "error", text=message, sequence_number=0, error=error)

    def done(self) -> None:
        """Only the finish itself ends a stream."""
        return


def _chunk(kind: ChunkKind, name: str, *, text: str = "", **data: object) -> Chunk:
    return Chunk(kind=kind, data=event({"type": name, **data}, name), text=text)


def _message(index: int, id: str, text: str) -> Iterator[Chunk]:
    item: dict[str, object] = {"type": "message", "id": id, "role": "assistant", "status": "in_progress", "content": []}
    yield _chunk(ChunkKind.BOUNDARY, "response.output_item.added", output_index=index, item=item)
    for word in words(text):
        yield _chunk(
            ChunkKind.TEXT,
            "response.output_text.delta",
            text=word,
            item_id=id,
            output_index=index,
            content_index=0,
            delta=word,
        )
    content = [{"type": "output_text", "text": text, "annotations": []}]
    item = {**item, "status": "completed", "content": content}
    yield _chunk(ChunkKind.BOUNDARY, "response.output_item.done", output_index=index, item=item)


def _reasoning(index: int, id: str, text: str, sealed: str) -> Iterator[Chunk]:
    item: dict[str, object] = {"type": "reasoning", "id": id, "summary": [], "encrypted_content": sealed}
    yield _chunk(ChunkKind.BOUNDARY, "response.output_item.added", output_index=index, item=item)
    place: dict[str, Any] = {"item_id": id, "output_index": index, "summary_index": 0}
    part = {"type": "summary_text", "text": ""}
    yield _chunk(ChunkKind.BOUNDARY, "response.reasoning_summary_part.added", **place, part=part)
    for word in words(text):
        yield _chunk(ChunkKind.REASONING, "response.reasoning_summary_text.delta", text=word, **place, delta=word)
    part = {"type": "summary_text", "text": text}
    yield _chunk(ChunkKind.BOUNDARY, "response.reasoning_summary_part.done", **place, part=part)
    item = {**item, "summary": [part]}
    yield _chunk(ChunkKind.BOUNDARY, "response.output_item.done", output_index=index, item=item)


def _function_call(index: int, id: str, call: ToolCall, call_id: str) -> Iterator[Chunk]:
    arguments = json.dumps(call.arguments)
    item = {"type": "function_call", "id": id, "call_id": call_id, "name": call.name, "arguments": ""}
    yield _chunk(ChunkKind.TOOL_INPUT, "response.output_item.added", text=call.name, output_index=index, item=item)
    first, second = halves(arguments)
    for kind, half in ((ChunkKind.TOOL_INPUT, first), (ChunkKind.BOUNDARY, second)):
        name = "response.function_call_arguments.delta"
        yield _chunk(kind, name, text=call.name, item_id=id, output_index=index, delta=half)
    item = {**item, "arguments": arguments, "status": "completed"}
    yield _chunk(ChunkKind.TOOL_READY, "response.output_item.done", text=call.name, output_index=index, item=item)


def _violations(items: list[Object]) -> Iterator[str]:
    if not items:
        yield "the request has no input"
        return
    calls = Counter(str(item.get("call_id")) for item in items if item.get("type") == "function_call")
    outputs = Counter(str(item.get("call_id")) for item in items if item.get("type") == "function_call_output")
    for identity, times in calls.items():
        if times > 1:
            yield f"the tool call id {identity} is used {times} times"
        if not outputs[identity]:
            yield f"tool call {identity} has no output"
    for identity in outputs:
        if identity not in calls:
            yield f"there is a tool output without a matching tool call ({identity})"
    for number, item in enumerate(items):
        if item.get("type") == "function_call" and not is_json(item.get("arguments")):
            yield f"the arguments of item {number} are not JSON"
        if "role" in item and not text_of(item.get("content")).strip():
            yield f"item {number} ({item.get('role')}) is empty"
    # A reasoning item must be followed by the item it led to.
    for number, item in enumerate(items):
        after = items[number + 1] if number + 1 < len(items) else {}
        if item.get("type") == "reasoning" and not (
            after.get("type") in {"function_call", "reasoning"} or after.get("role") == "assistant"
        ):
            yield f"item {number} is reasoning without the item that follows it"
