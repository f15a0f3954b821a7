"""The parts of a request to a provider that the drill needs, for any protocol."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_TITLE_MARK = "You are a title generator"
_SUMMARY_MARK = "context summarization"
_SUMMARY_MARK_2 = "anchored summary"
"""OpenCode 2 asks for a summary in the user's name (packages/core/src/session/compaction.ts)."""


class Purpose(StrEnum):
    """Why OpenCode sent a request."""

    TURN = "turn"
    TITLE = "title"
    SUMMARY = "summary"


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """What a request asks for.

    ``prompt`` is the text of the last user message; ``called`` are the ids of the tool calls after it, in order;
    ``tools`` are the names of the available tools.
    """

    model: str
    system: str
    prompt: str
    called: tuple[str, ...]
    tools: tuple[str, ...]


def purpose(conversation: Conversation) -> Purpose:
    """Recognised by the first sentence of upstream's system prompts (packages/opencode/src/agent/prompt/), which
    patches/opencode-1/expectations.toml watches.
    """
    if _TITLE_MARK in conversation.system:
        return Purpose.TITLE
    if _SUMMARY_MARK in conversation.system or _SUMMARY_MARK_2 in conversation.prompt:
        return Purpose.SUMMARY
    return Purpose.TURN
