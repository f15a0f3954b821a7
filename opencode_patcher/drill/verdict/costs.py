"""What a session must cost, according to what its providers reported. Pure.

The rule (docs/failover.md): each answer costs the price of the provider that gave it, and the cost of a discarded
answer is in the message that replaced it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import takewhile

from opencode_patcher.drill.fakes.exchange import Exchange
from opencode_patcher.drill.fakes.faults import SURELY_READ_SECONDS, Broken, ChunkKind, How
from opencode_patcher.drill.fakes.plan import SERIAL
from opencode_patcher.drill.fakes.provider import ProviderSpec
from opencode_patcher.drill.fakes.usage import USAGE
from opencode_patcher.drill.verdict.observation import Session, StoredMessage

CENT_OF_A_CENT = 1e-4
"""The tolerance for comparing costs, in dollars: far below the difference between two providers' prices."""

_FAILURES = {ChunkKind.ERROR, ChunkKind.GARBAGE}


def wrong(
    exchanges: Sequence[Exchange], messages: Sequence[StoredMessage], providers: Iterable[ProviderSpec]
) -> Iterator[str]:
    """A sentence for each provider whose messages have the wrong cost.

    ``exchanges`` are the requests behind the messages, by arrival, without those for titles.
    """
    known = {provider.id: provider for provider in providers}
    calls = {part.call.rpartition(SERIAL)[2] for message in messages for part in message.tools}
    owed = _due(exchanges, calls, known)
    for provider, due in owed.items():
        stored = sum(message.cost for message in messages if message.provider == provider)
        if not due.least - CENT_OF_A_CENT <= stored <= due.most + CENT_OF_A_CENT:
            yield f"the messages of {provider} cost ${stored:.4f} instead of {due}"


def differing(session: Session) -> Iterator[str]:
    """A sentence when the session's own total is not the sum of its messages."""
    added = sum(message.cost for message in session.messages)
    if session.cost is not None and abs(session.cost - added) > CENT_OF_A_CENT:
        yield f"the session says that it cost ${session.cost:.4f}, its messages ${added:.4f}"


def misprinted(session: Session, printed: float) -> Iterator[str]:
    """A sentence when the steps that a client saw, ``printed`` dollars in total, do not match the session."""
    if session.cost is not None and abs(session.cost - printed) > CENT_OF_A_CENT:
        yield f"the session says that it cost ${session.cost:.4f}, the steps that were printed ${printed:.4f}"


@dataclass(frozen=True)
class _Due:
    """Dollars, as a range when it is unknown whether a report was read before its connection broke."""

    least: float = 0.0
    most: float = 0.0

    def __add__(self, other: _Due) -> _Due:
        return _Due(self.least + other.least, self.most + other.most)

    def __str__(self) -> str:
        return f"${self.most:.4f}" if self.least == self.most else f"${self.least:.4f} to ${self.most:.4f}"


def _due(exchanges: Sequence[Exchange], calls: set[str], providers: Mapping[str, ProviderSpec]) -> Mapping[str, _Due]:
    """By provider. ``calls`` are the ends of the stored calls' ids, which tell which answer made them."""
    owed = dict.fromkeys(providers, _Due())
    carried = _Due()
    for number, exchange in enumerate(exchanges):
        provider = providers[exchange.provider]
        read = {sent.kind for sent in takewhile(lambda sent: sent.kind not in _FAILURES, exchange.sent)}
        carried += _reported(exchange, provider, read)
        whole = ChunkKind.FINISH in read and not exchange.failed
        kept = f"{exchange.provider}{exchange.number}" in calls
        # An answer that is not replaced stays, however bad.
        if whole or kept or number == len(exchanges) - 1:
            owed[exchange.provider] += carried
            carried = _Due()
    return owed


def _reported(exchange: Exchange, provider: ProviderSpec, read: Set[ChunkKind]) -> _Due:
    """The cost that the provider reported for the answer, in the events before any failure."""
    if ChunkKind.FINISH in read:
        return _Due(*[provider.price.cost(USAGE)] * 2)
    first = provider.protocol.reported_first
    if first is None or ChunkKind.START not in read:
        return _Due()
    cost = provider.price.cost(first)
    return _Due(0.0 if _is_torn(exchange) else cost, cost)


def _is_torn(exchange: Exchange) -> bool:
    """Whether the connection broke before its last events were certainly read."""
    fault = exchange.fault
    if not isinstance(fault, Broken) or fault.how not in {How.RESET, How.CLOSE} or fault.tools:
        return exchange.hung_up
    return fault.pause < SURELY_READ_SECONDS or exchange.hung_up
