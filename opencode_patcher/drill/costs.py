"""What a session must have cost, from what its providers have reported. Pure.

The rule (docs/failover.md): each answer is paid at the price of the provider that gave it, and the cost of an answer
that was taken back stands in the message that took its place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile

from opencode_patcher.drill.exchange import Exchange
from opencode_patcher.drill.faults import ChunkKind
from opencode_patcher.drill.observation import Session, StoredMessage
from opencode_patcher.drill.plan import SERIAL
from opencode_patcher.drill.scenario import Provider
from opencode_patcher.drill.usage import USAGE

CENT_OF_A_CENT = 1e-4
"""How exactly costs are compared, in dollars: far below the difference between two providers' prices."""

_FAILURES = {ChunkKind.ERROR, ChunkKind.GARBAGE}


def wrong(
    exchanges: Sequence[Exchange], messages: Sequence[StoredMessage], providers: Iterable[Provider]
) -> Iterator[str]:
    """A sentence for each provider whose messages have not cost what they must.

    ``exchanges`` are the requests that the messages come from, by arrival, without those for titles.
    """
    prices = {provider.id: provider.price.cost(USAGE) for provider in providers}
    calls = {part.call.rpartition(SERIAL)[2] for message in messages for part in message.tools}
    owed = _due(exchanges, calls, prices)
    for provider in prices:
        stored = sum(message.cost for message in messages if message.provider == provider)
        if abs(owed[provider] - stored) > CENT_OF_A_CENT:
            yield f"the messages of {provider} cost ${stored:.4f} instead of ${owed[provider]:.4f}"


def differing(session: Session) -> Iterator[str]:
    """A sentence when the session's own total is not the sum of its messages."""
    added = sum(message.cost for message in session.messages)
    if session.cost is not None and abs(session.cost - added) > CENT_OF_A_CENT:
        yield f"the session says that it cost ${session.cost:.4f}, its messages ${added:.4f}"


def _due(exchanges: Sequence[Exchange], calls: set[str], prices: Mapping[str, float]) -> Mapping[str, float]:
    """Dollars by provider. ``calls`` are the ends of the stored calls' ids, which tell the answer that made them."""
    owed: dict[str, float] = defaultdict(float)
    carried = 0.0
    for number, exchange in enumerate(exchanges):
        carried += prices[exchange.provider] if _reported(exchange) else 0.0
        whole = _reported(exchange) and not exchange.failed
        kept = f"{exchange.provider}{exchange.number}" in calls
        # An answer that nobody replaces stays, as bad as it is.
        if whole or kept or number == len(exchanges) - 1:
            owed[exchange.provider] += carried
            carried = 0.0
    return owed


def _reported(exchange: Exchange) -> bool:
    """Whether the provider has told what the answer cost. After a failure inside a stream nobody reads on."""
    read = takewhile(lambda sent: sent.kind not in _FAILURES, exchange.sent)
    return any(sent.kind is ChunkKind.FINISH for sent in read)
