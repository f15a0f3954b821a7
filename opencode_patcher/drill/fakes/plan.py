"""What a healthy model does in a conversation: plain data, the same for every provider.

A fake provider answers by the conversation it is sent and not by a counter, as a real model does: whoever
serves a step gives the same reply, and a step that is asked for twice is answered twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opencode_patcher.drill.fakes.conversation import Conversation

PROVIDER = "{provider}"
"""Stands in a ``Text`` for the id of the provider that serves it."""


SERIAL = "-"
"""Stands between the id of a tool call in the plan and what makes it fresh."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """Text for the user, streamed word by word."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Reasoning:
    """Thinking, streamed word by word."""

    text: str


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """A call of one of OpenCode's tools; ``arguments`` is JSON data.

    ``id`` names the call in the plan. Each time it is asked for, it goes out under a fresh id, as models do.
    """

    id: str
    name: str
    arguments: Mapping[str, object]

    def fresh_id(self, provider: str, number: int) -> str:
        """The id under which ``provider`` sends it in its answer ``number``."""
        return f"{self.id}{SERIAL}{provider}{number}"


Content = Text | Reasoning | ToolCall


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One response of the model: it ends in ``tool_calls`` when it calls a tool, else in ``stop``."""

    content: tuple[Content, ...]

    @property
    def tools(self) -> tuple[ToolCall, ...]:
        return tuple(item for item in self.content if isinstance(item, ToolCall))

    def text(self, provider: str) -> str:
        """What the user reads of this reply when ``provider`` serves it."""
        return "".join(item.text.replace(PROVIDER, provider) for item in self.content if isinstance(item, Text))


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A user's message and the replies that it takes: each but the last one calls tools.

    ``elsewhere``: sent by another process and in a session of its own. ``compact``: the session is summarised
    afterwards. ``cancel``: the user cancels so many seconds after all have been asked whom the scenario wants to be
    asked. ``pause``: seconds to wait before.
    ``undone``: the user takes it back afterwards, with what its tools did, and then brings it back.
    ``arguments``: what stands behind ``opencode run`` in the place of the model, the session and the prompt.
    """

    prompt: str
    replies: tuple[Reply, ...]
    elsewhere: bool = False
    compact: bool = False
    cancel: float | None = None
    pause: float = 0.0
    undone: bool = False
    arguments: tuple[str, ...] = ()


TITLE = Reply(content=(Text(text="Failover drill"),))
"""The answer to a request for a session's title."""

SUMMARY = Reply(content=(Text(text="The user asked for a drill; nothing is left to do."),))
"""The answer to a request for a summary (compaction)."""


def next_reply(turns: tuple[Turn, ...], conversation: Conversation) -> Reply | None:
    """The reply that comes next in the turn whose prompt the last user message holds: the first one of which a
    tool call is missing in the conversation, and only the missing ones if others of it were made. The last reply
    when none is missing. None when no turn has such a prompt.
    """
    made = {id.rpartition(SERIAL)[0] for id in conversation.called}
    for turn in turns:
        if turn.prompt not in conversation.prompt:
            continue
        for reply in turn.replies:
            missing = tuple(call for call in reply.tools if call.id not in made)
            if missing:
                return reply if len(missing) == len(reply.tools) else Reply(content=missing)
        return turn.replies[-1]
    return None
