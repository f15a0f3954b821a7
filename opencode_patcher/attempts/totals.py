"""Adding attempts up. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opencode_patcher.attempts.log import Attempt

LEFT = ("moved", "waited")
"""Actions that switch to another member."""


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Counts of attempts, and dollars by provider; the largest first."""

    served_by: Mapping[str, int]
    failovers_by_cause: Mapping[str, int]
    repeated: int
    cost_by_provider: Mapping[str, float]


def add_up(attempts: Iterable[Attempt]) -> Totals:
    """Totals of ``attempts``. Asking the same member again after a failure is not a failover."""
    served: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    cost: dict[str, float] = {}
    repeated = 0
    for attempt in attempts:
        cost[attempt.provider] = cost.get(attempt.provider, 0.0) + attempt.cost
        served[attempt.provider] += attempt.action == "served"
        causes[attempt.failure or "unknown"] += attempt.action in LEFT
        repeated += attempt.action == "repeated"
    return Totals(
        served_by={name: count for name, count in served.most_common() if count},
        failovers_by_cause={name: count for name, count in causes.most_common() if count},
        repeated=repeated,
        cost_by_provider=dict(sorted(cost.items(), key=lambda item: -item[1])),
    )
