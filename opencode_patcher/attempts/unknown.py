"""The failures that no row of the table matched, to add rows for them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from opencode_patcher.attempts.log import Attempt
from opencode_patcher.failures.redact import private


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """What one offer said, how often, and when last."""

    provider: str
    model: str
    said: str
    times: int
    last: datetime


def gather(attempts: Iterable[Attempt]) -> tuple[Unknown, ...]:
    """One entry for each offer and sentence, the most frequent first. What could identify the user is removed."""
    found: dict[tuple[str, str, str], list[datetime]] = {}
    for attempt in attempts:
        if attempt.failure == "unknown":
            said = private(attempt.reason or "")
            found.setdefault((attempt.provider, attempt.model, said), []).append(attempt.end)
    entries = (
        Unknown(provider=provider, model=model, said=said, times=len(times), last=max(times))
        for (provider, model, said), times in found.items()
    )
    return tuple(sorted(entries, key=lambda item: (-item.times, item.provider, item.model, item.said)))
