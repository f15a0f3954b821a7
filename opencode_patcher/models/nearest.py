"""The known name closest to a mistyped one. ``identity-check.ts`` is the same in TypeScript."""

from __future__ import annotations

import re
from collections.abc import Iterable

from opencode_patcher.models.scan import lower, order

_LONGEST = 64
"""Limits the work for long names."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The name in ``known`` with the fewest edits to ``name``; "" when none is close.

    Only ASCII letters and digits count. Close means that at most a third of them differ. Of equally close names, the
    first one wins.
    """
    wanted = _letters(name)
    best, fewest = "", max(1, len(wanted) // 3) + 1
    for candidate in sorted(set(known), key=order):
        edits = _distance(wanted, _letters(candidate), fewest)
        if edits < fewest:
            best, fewest = candidate, edits
    return best


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", lower(name))[:_LONGEST]


def _distance(left: str, right: str, limit: int) -> int:
    """The Levenshtein distance, or ``limit`` if it is at least that."""
    if abs(len(left) - len(right)) >= limit:
        return limit
    row = list(range(len(right) + 1))
    for at, letter in enumerate(left, start=1):
        before, row[0] = row[0], at
        for index, other in enumerate(right, start=1):
            change = before + (letter != other)
            before, row[index] = row[index], min(change, row[index] + 1, row[index - 1] + 1)
        if min(row) >= limit:
            return limit
    return min(row[-1], limit)
