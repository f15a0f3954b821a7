"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from opencode_patcher.base.errors import PatcherError

Level = Literal["good", "warning", "blocks", "unknown"]
"""``blocks``: something cannot be done until it is fixed; ``unknown``: the check could not be made."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One result of one ``check`` (its name for people). ``fix`` is what to do or run; may be empty."""

    check: str
    level: Level
    text: str
    fix: str = ""


def of_error(check: str, error: PatcherError, *, level: Level = "blocks") -> Finding:
    """An expected error as a finding."""
    text = "\n".join(part for part in (error.what, error.why) if part)
    return Finding(check=check, level=level, text=text, fix=error.next_step)
