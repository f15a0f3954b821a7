"""What a fake provider needs to speak a kind of provider's protocol.

One module per protocol: ``openai_chat``, ``anthropic_messages``, ``openai_responses``. The server knows only this
Protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from opencode_patcher.drill.fakes.conversation import Conversation
from opencode_patcher.drill.fakes.faults import Chunk, HttpError
from opencode_patcher.drill.fakes.plan import Reply
from opencode_patcher.drill.fakes.usage import Usage

Body = Mapping[str, object]
"""A request's body: a JSON object."""


class WireProtocol(Protocol):
    """The format of requests and of streamed answers."""

    @property
    def npm(self) -> str:
        """The AI SDK package through which OpenCode speaks this protocol."""
        ...

    @property
    def path(self) -> str:
        """The path of a request below the provider's base URL, with a leading slash."""
        ...

    @property
    def reported_first(self) -> Usage | None:
        """The tokens that the first event of an answer reports, where the protocol does that."""
        ...

    def conversation(self, body: Body) -> Conversation:
        """What a request asks for. Unknown shapes give empty values; ``violations`` reports them."""
        ...

    def violations(self, body: Body) -> tuple[str, ...]:
        """What a strict provider of this kind refuses in a request, a sentence each."""
        ...

    def refusal(self, body: Body, provider: str) -> HttpError | None:
        """What this account refuses although the request is valid and its sender could not know."""
        ...

    def authorised(self, headers: Mapping[str, str], key: str) -> bool:
        """Whether the request (header names in lower case) carries the provider's key."""
        ...

    def chunks(self, reply: Reply, *, provider: str, model: str, number: int) -> tuple[Chunk, ...]:
        """The whole stream of a healthy answer; ``number`` makes its tool call ids fresh."""
        ...

    def error_body(self, status: int, message: str, code: str) -> bytes:
        """The body of an answer with an error status (JSON)."""
        ...

    def error_event(self, message: str) -> Chunk:
        """An error inside a 200 stream."""
        ...

    def done(self) -> Chunk | None:
        """The event that ends any stream, if the protocol has one."""
        ...
