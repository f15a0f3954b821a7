"""OpenAI's chat completions, streamed, as ``@ai-sdk/openai-compatible`` speaks them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

from opencode_patcher.drill.fakes.conversation import Conversation
from opencode_patcher.drill.fakes.faults import Chunk, ChunkKind, HttpError
from opencode_patcher.drill.fakes.plan import PROVIDER, Reasoning, Reply, Text, ToolCall
from opencode_patcher.drill.fakes.protocol import Body
from opencode_patcher.drill.fakes.usage import USAGE
from opencode_patcher.drill.fakes.wire import as_object, as_objects, event, halves, is_json, text_of, words

Message = Mapping[str, object]


@dataclass(frozen=True)
class OpenAIChat:
    """The protocol; see ``WireProtocol`` for what each member means."""

    npm: str = "@ai-sdk/openai-compatible"
    path: str = "/chat/completions"
    reported_first: None = None

    def conversation(self, body: Body) -> Conversation:
        messages = _messages(body)
        after_user = list(takewhile(lambda message: message.get("role") != "user", reversed(messages)))
        users = [message for message in messages if message.get("role") == "user"]
        return Conversation(
            model=str(body.get("model", "")),
            system="\n".join(_text(message) for message in messages if message.get("role") == "system"),
            prompt=_text(users[-1]) if users else "",
            called=tuple(str(call.get("id")) for message in reversed(after_user) for call in _tool_calls(message)),
            tools=tuple(str(as_object(tool.get("function")).get("name")) for tool in as_objects(body.get("tools"))),
        )

    def violations(self, body: Body) -> tuple[str, ...]:
        return tuple(_violations(_messages(body)))

    def refusal(self, body: Body, provider: str) -> HttpError | None:  # noqa: ARG002
        return None

    def authorised(self, headers: Mapping[str, str], key: str) -> bool:
        return headers.get("authorization") == f"Bearer {key}"

    def chunks(self, reply: Reply, *, provider: str, model: str, number: int) -> tuple[Chunk, ...]:
        found: list[Chunk] = []

        def add(kind: ChunkKind, delta: Mapping[str, object], *, text: str = "", finish: str | None = None) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            data: dict[str, object] = {
                "id": f"chatcmpl-{provider}",
                "object": "chat.completion.chunk",
                "created": 0,
                "model": model,
                "choices": [choice],
            }
            if finish:
                data["usage"] = {
                    "prompt_tokens": USAGE.input,
                    "completion_tokens": USAGE.output,
                    "total_tokens": USAGE.input + USAGE.output,
                }
            found.append(Chunk(kind=kind, data=event(data), text=text))

        add(ChunkKind.START, {"role": "assistant", "content": ""})
        calls = 0
        for item in reply.content:
            match item:
                case Text():
                    for word in words(item.text.replace(PROVIDER, provider)):
                        add(ChunkKind.TEXT, {"content": word}, text=word)
                case Reasoning():
                    for word in words(item.text):
                        add(ChunkKind.REASONING, {"reasoning_content": word}, text=word)
                case ToolCall():
                    for kind, delta in _tool_deltas(calls, item, item.fresh_id(provider, number)):
                        add(kind, {"tool_calls": [delta]}, text=item.name)
                    calls += 1
        add(ChunkKind.FINISH, {}, finish="tool_calls" if calls else "stop")
        return (*found, self.done())

    def error_body(self, status: int, message: str, code: str) -> bytes:
        kind = code or ("server_error" if status >= 500 else "invalid_request_error")
        return json.dumps({"error": {"message": message, "type": kind, "code": code or None}}).encode()

    def error_event(self, message: str) -> Chunk:
        data = {"error": {"message": message, "type": "server_error", "code": None}}
        return Chunk(kind=ChunkKind.ERROR, data=event(data), text=message)

    def done(self) -> Chunk:
        return Chunk(kind=ChunkKind.DONE, data=b"data: [DONE]\n\n")


def _tool_deltas(index: int, call: ToolCall, id: str) -> Iterator[tuple[ChunkKind, dict[str, object]]]:
    first, second = halves(json.dumps(call.arguments))
    opening = {"name": call.name, "arguments": ""}
    yield ChunkKind.TOOL_INPUT, {"index": index, "id": id, "type": "function", "function": opening}
    yield ChunkKind.TOOL_INPUT, {"index": index, "function": {"arguments": first}}
    yield ChunkKind.TOOL_READY, {"index": index, "function": {"arguments": second}}


def _violations(messages: list[Message]) -> Iterator[str]:
    """OpenAI refuses a call without result and a result without call; Anthropic also empty content, an id
    used twice and (its newer models) a conversation that ends with the assistant.
    """
    if not messages:
        yield "the request has no messages"
        return
    waiting: dict[str, None] = {}
    seen: set[str] = set()
    for number, message in enumerate(messages):
        role = message.get("role")
        if role == "tool":
            identity = str(message.get("tool_call_id"))
            if identity not in waiting:
                yield f"message {number} is a tool result without a matching tool call ({identity})"
            waiting.pop(identity, None)
            continue
        yield from _unanswered(waiting)
        waiting = {}
        calls = _tool_calls(message)
        if not _text(message).strip() and not calls:
            yield f"message {number} ({role}) is empty"
        for call in calls:
            identity = str(call.get("id"))
            if identity in seen:
                yield f"the tool call id {identity} is used twice"
            seen.add(identity)
            waiting[identity] = None
            if not is_json(as_object(call.get("function")).get("arguments")):
                yield f"the arguments of tool call {identity} are not JSON"
    yield from _unanswered(waiting)
    if messages[-1].get("role") == "assistant" and not waiting:
        yield "the conversation ends with an assistant message"


def _unanswered(waiting: Mapping[str, None]) -> Iterator[str]:
    for identity in waiting:
        yield f"tool call {identity} has no result"


def _messages(body: Body) -> list[Message]:
    return as_objects(body.get("messages"))


def _tool_calls(message: Message) -> list[Mapping[str, object]]:
    return as_objects(message.get("tool_calls"))


def _text(message: Message) -> str:
    return text_of(message.get("content"))
