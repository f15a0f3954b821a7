"""The tokens that every healthy answer reports, and what they cost. The numbers are always the same, so a stored cost
shows whose prices were used.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens of one answer."""

    input: int
    output: int


@dataclass(frozen=True, kw_only=True)
class Price:
    """Dollars for a million tokens, as in OpenCode's configuration."""

    input: float
    output: float

    def cost(self, usage: Usage) -> float:
        """Dollars for one answer."""
        return (usage.input * self.input + usage.output * self.output) / 1_000_000


USAGE = Usage(input=1000, output=100)
