"""One request to a fake provider, and its answer."""

from __future__ import annotations

from dataclasses import dataclass

from opencode_patcher.drill.fakes.conversation import Purpose
from opencode_patcher.drill.fakes.faults import HEALTHY, ChunkKind, Fault
from opencode_patcher.drill.fakes.protocol import Body


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One event that went out. ``at`` is in seconds on ``time.monotonic``'s clock."""

    at: float
    kind: ChunkKind
    text: str


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request and its answer, as the provider saw them; all times are on ``time.monotonic``'s clock.

    ``finished`` is when the last byte was sent or the connection broke; None while the answer is in progress.
    ``number`` counts the provider's requests of that purpose, from 0. ``hung_up`` means that the client closed the
    connection first. ``status`` is None before the head is sent.
    """

    provider: str
    purpose: Purpose
    arrived: float
    body: Body
    number: int = 0
    violations: tuple[str, ...] = ()
    fault: Fault | None = None
    status: int | None = None
    sent: tuple[Sent, ...] = ()
    finished: float | None = None
    hung_up: bool = False

    @property
    def failed(self) -> bool:
        """Whether the provider failed to answer (a slow answer is not a failure)."""
        return self.fault is not None and not isinstance(self.fault, HEALTHY)
