"""What a healthy model does in a conversation: plain data, the same for every provider.

Like a real model, a fake provider looks at the conversation that it gets and does not count requests. So every provider
gives the same reply for a step, and a step that is requested twice is answered twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opencode_patcher.drill.fakes.conversation import Conversation

PROVIDER = "{provider}"
"""In a ``Text``, replaced by the id of the provider that serves it."""


SERIAL = "-"
"""Separates the id of a tool call in the plan from the part that makes it unique."""


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

    ``id`` names the call in the plan. Each time it is sent under a new id, as models do.
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
    """One response of the model: it ends with ``tool_calls`` when it calls a tool, else with ``stop``."""

    content: tuple[Content, ...]

    @property
    def tools(self) -> tuple[ToolCall, ...]:
        return tuple(item for item in self.content if isinstance(item, ToolCall))

    def text(self, provider: str) -> str:
        """What the user reads of this reply when ``provider`` serves it."""
        return "".join(item.text.replace(PROVIDER, provider) for item in self.content if isinstance(item, Text))


@dataclass(frozen=True, kw_only=True)
class Steering:
    """What the user wants of the members. ``what`` is the end of a route below ``/combined/session/ID``, and ``body``
    is what the route gets. With ``clear``, another process ends the cooldown of the member that ``body`` names.
    """

    what: str
    body: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A user's message and the replies to it: all but the last one call tools.

    ``elsewhere``: sent by another process in a separate session. ``compact``: the session is summarised afterwards.
    ``cancel``: the user cancels this many seconds after all the providers that the scenario expects have been asked.
    ``pause``: seconds to wait before. ``undone``: the user undoes it afterwards, including what its tools did, and then
    redoes it. ``killed``: the process is killed as soon as all providers have failed. ``arguments``: the arguments of
    ``opencode run`` instead of the model, the session and the prompt. ``steered``: what the user wants before it.
    ``passed``: the user asks for the next provider while the first one is silent.
    """

    prompt: str
    replies: tuple[Reply, ...]
    elsewhere: bool = False
    compact: bool = False
    cancel: float | None = None
    pause: float = 0.0
    undone: bool = False
    killed: bool = False
    arguments: tuple[str, ...] = ()
    steered: tuple[Steering, ...] = ()
    passed: bool = False


TITLE = Reply(content=(Text(text="Failover drill"),))
"""The answer to a request for a session's title."""

SUMMARY = Reply(content=(Text(text="The user asked for a drill; nothing is left to do."),))
"""The answer to a request for a summary (compaction)."""


def next_reply(turns: tuple[Turn, ...], conversation: Conversation) -> Reply | None:
    """The next reply in the turn whose prompt is the last user message: the first reply with a tool call that is not in
    the conversation yet, with only the missing calls. If no call is missing, the last reply. None when no turn has that
    prompt.
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
