"""A scenario of the drill: who answers what, and the expected result. Plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from opencode_patcher.base.version import Range
from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.plan import TITLE, Reply, Turn
from opencode_patcher.drill.fakes.provider import ProviderSpec

EFFECTS = "effects.txt"
"""A drilled tool appends a line to this file in the work directory, so that its runs can be counted."""


MODEL = "{model}"

OFFER = "{{{provider}}}/{model}"
"""What ``settings`` and ``combined`` call the offer of a provider, because the drill makes the provider's id unique."""


class Through(StrEnum):
    """The commands of OpenCode that a scenario can be played through."""

    RUN = "run"
    SERVE = "serve"
    ACP = "acp"
    SECOND_API = "second-api"
    """Also a server, through its routes below ``/api``."""
    OPENCODE_2 = "opencode-2"
    """The server of OpenCode 2, with that API alone."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """The expected result of a scenario.

    ``served_by`` names the provider of each stored assistant message, in order; None where several are right.
    ``replies`` are what the messages say, where that is not the plan's replies one by one. ``requests`` counts the
    requests of the conversation at the providers that it names, ``at_most`` bounds them. ``error`` holds words that the
    error must contain when no provider can answer; it is empty when the turn must succeed. ``seconds`` bounds the whole
    conversation for a binary that knows another provider. ``returns`` names a provider that must serve the last
    message. ``title`` is the session's in the end. ``cancelled``: the user's cancel ends the last turn, and nothing
    that it began is left open.
    """

    served_by: tuple[str, ...] | None
    replies: tuple[Reply, ...] | None = None
    requests: Mapping[str, int] = field(default_factory=dict)
    at_most: Mapping[str, int] = field(default_factory=dict)
    error: tuple[str, ...] = ()
    seconds: float | None = None
    returns: str = ""
    title: str = TITLE.text("")
    cancelled: bool = False


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One drill. ``providers`` are in the order of ``provider_priority``; ``name`` is what a user types.

    ``delegated`` are the turns of subagents, which OpenCode asks for and not the user. ``combined`` is the key of that
    name in opencode.json, for a binary that knows it. ``settings`` are other keys of that file, in which ``MODEL``
    stands for the model that is drilled; in both, an ``OFFER`` stands for the offer of a provider. ``through`` is the
    command that the scenario must be played through, None if any will do; ``cancel``, ``compact``, ``undone``,
    ``elsewhere``, ``steered`` and ``passed`` of a turn need a server, ``arguments`` need ``run``. ``prints`` is False
    if ``opencode run`` would print text that is taken back later; clients that can take text back must still end up
    right. ``group`` is for providers with different models, which the user has put in a group in their order: what else
    the group says. It is None for providers of one model. ``alone``: the model is the first provider's own, chosen
    directly. ``releases`` are those that the scenario holds for; a drill of any other release leaves it out.
    """

    name: str
    title: str
    providers: tuple[ProviderSpec, ...]
    turns: tuple[Turn, ...]
    expected: Expectation
    delegated: tuple[Turn, ...] = ()
    combined: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    through: Through | None = None
    prints: bool = True
    group: Mapping[str, object] | None = None
    alone: bool = False
    releases: Range = field(default_factory=Range)

    def filled(self, settings: Mapping[str, object], *, tag: str, model: str) -> dict[str, object]:
        """Settings with the names that OpenCode has for the ``model`` and the providers, whose ids end in ``tag``."""
        text = json.dumps(dict(settings)).replace(MODEL, model)
        for provider in self.providers:
            text = text.replace(f"{{{provider.id}}}/", f"{provider.id}{tag}/")
        filled: dict[str, object] = json.loads(text)
        return filled

    def provider(self, id: str) -> ProviderSpec:
        """The provider with that id. Raises KeyError when there is none."""
        for provider in self.providers:
            if provider.id == id:
                return provider
        raise KeyError(id)

    @property
    def asked(self) -> tuple[Turn, ...]:
        """All turns that a provider can get requests for."""
        return (*self.turns, *self.delegated)

    @property
    def replies(self) -> tuple[Reply, ...]:
        """What the stored messages of the session must say, in order."""
        if self.expected.replies is not None:
            return self.expected.replies
        return tuple(reply for turn in self.turns if not turn.elsewhere for reply in turn.replies)

    @property
    def title_fails(self) -> bool:
        """Whether a request for the session's title meets a fault."""
        return any(provider.others.get(Purpose.TITLE) for provider in self.providers)

    @property
    def effects(self) -> int:
        """How many lines the drilled tools must leave in ``EFFECTS``: one for each call of a shell in the plan."""
        calls = (call for turn in self.asked for reply in turn.replies for call in reply.tools)
        return sum(call.name in {"bash", "shell"} for call in calls)
