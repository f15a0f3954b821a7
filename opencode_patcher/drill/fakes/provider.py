"""A fake provider as data: its model, its price, and what goes wrong when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.faults import Fault
from opencode_patcher.drill.fakes.openai_chat import OpenAIChat
from opencode_patcher.drill.fakes.protocol import WireProtocol
from opencode_patcher.drill.fakes.usage import Price


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A fault of every request of the conversation within ``seconds`` of the provider's first one."""

    seconds: float
    fault: Fault


@dataclass(frozen=True, kw_only=True)
class ProviderSpec:
    """A fake provider with one model, and its faults.

    ``faults`` are those of its first requests of the conversation, in order (None: healthy); ``then`` is the fault of
    all later ones, ``outage`` takes precedence over both. ``others`` are the faults of requests for titles and
    summaries. ``listening`` is False for a provider that refuses connections. ``context`` and ``output`` are the
    model's limits in tokens, ``options`` the model's options in opencode.json.
    """

    id: str
    model: str
    price: Price
    protocol: WireProtocol = field(default_factory=OpenAIChat)
    faults: tuple[Fault | None, ...] = ()
    then: Fault | None = None
    outage: Outage | None = None
    others: Mapping[Purpose, tuple[Fault | None, ...]] = field(default_factory=dict)
    listening: bool = True
    context: int = 200_000
    output: int = 64_000
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its API key, a different one for each provider, so that mixed-up keys are noticed."""
        return f"drill-key-of-{self.id}"

    def fault(self, purpose: Purpose, number: int, elapsed: float = 0.0) -> Fault | None:
        """The fault of request ``number`` (from 0) among those with one purpose, ``elapsed`` seconds after the
        provider's first request.
        """
        faults = self.faults if purpose is Purpose.TURN else self.others.get(purpose, ())
        if purpose is Purpose.TURN and self.outage and elapsed < self.outage.seconds:
            return self.outage.fault
        if number < len(faults):
            return faults[number]
        return self.then if purpose is Purpose.TURN else None
