"""A scenario of the drill: who answers what, and what must come of it. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from opencode_patcher.drill.conversation import Purpose
from opencode_patcher.drill.faults import Fault
from opencode_patcher.drill.plan import Turn
from opencode_patcher.drill.usage import Price

EFFECTS = "effects.txt"
"""A drilled tool appends a line to this file of the work directory, so that each of its runs is counted."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A fake provider with one model, and its faults.

    ``faults`` are those of its first requests of the conversation, in order (None: healthy); ``then`` is the
    fault of all later ones. ``others`` are the faults of requests for titles and summaries.
    ``listening`` is False for a provider that refuses connections.
    """

    id: str
    model: str
    price: Price
    faults: tuple[Fault | None, ...] = ()
    then: Fault | None = None
    others: Mapping[Purpose, tuple[Fault | None, ...]] = field(default_factory=dict)
    listening: bool = True

    @property
    def key(self) -> str:
        """Its API key, another at each provider: a mixed-up key is noticed."""
        return f"drill-key-of-{self.id}"

    def fault(self, purpose: Purpose, number: int) -> Fault | None:
        """The fault of request ``number`` (from 0) among those of one purpose."""
        faults = self.faults if purpose is Purpose.TURN else self.others.get(purpose, ())
        if number < len(faults):
            return faults[number]
        return self.then if purpose is Purpose.TURN else None


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What must come of a scenario.

    ``served_by`` names the provider of each stored assistant message, in order; None where more than one is
    right. ``requests`` counts the requests of the conversation at the providers that it names. ``error`` holds
    words that the error must contain when no provider can answer; it is empty when the turn must succeed.
    """

    served_by: tuple[str, ...] | None
    requests: Mapping[str, int] = field(default_factory=dict)
    error: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One drill. ``providers`` stand in the order of ``provider_priority``; ``name`` is what a user types."""

    name: str
    title: str
    providers: tuple[Provider, ...]
    turns: tuple[Turn, ...]
    expected: Expectation

    def provider(self, id: str) -> Provider:
        """Raises KeyError when the scenario has no such provider."""
        for provider in self.providers:
            if provider.id == id:
                return provider
        raise KeyError(id)

    @property
    def title_fails(self) -> bool:
        """Whether a request for the session's title meets a fault."""
        return any(provider.others.get(Purpose.TITLE) for provider in self.providers)

    @property
    def effects(self) -> int:
        """How many lines the drilled tools must leave in ``EFFECTS``: one for each call of the plan."""
        return sum(len(reply.tools) for turn in self.turns for reply in turn.replies)
