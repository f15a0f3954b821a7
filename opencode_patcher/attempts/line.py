"""One attempt as one line of text. Pure."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size  # noqa: TID251  (measures text, prints nothing)

from opencode_patcher.attempts.log import Attempt
from opencode_patcher.base.text import shown

OUTCOMES = {
    "served": "answered",
    "moved": "switched",
    "waited": "waited",
    "repeated": "retried",
    "ended": "ended",
    "cancelled": "cancelled",
}
"""What followed an attempt, for people. ``switched``: the next provider was asked; ``retried``: the same one again."""

_LEAST_DETAIL = 20
"""Columns that the reason gets however narrow the terminal is."""


def line(attempt: Attempt, width: int | None) -> str:
    """Time (local), session, member, outcome, and why or how much. At most ``width`` columns, if it is at least 65.

    Without a width, and from 110 columns on, the member's model and variant are shown too.
    """
    wide = width is None or width >= 110
    member = _padded(_member(attempt) if wide else attempt.provider, 40 if wide else 16)
    time = f"{attempt.start.astimezone():%H:%M:%S}"
    start = f"{time}  {short(attempt.session)}  {member}  {outcome(attempt):<9}  "
    detail = shown(why(attempt))
    return (start + (detail if width is None else _cut(detail, max(width - cell_len(start), _LEAST_DETAIL)))).rstrip()


def outcome(attempt: Attempt) -> str:
    """What followed, in one word."""
    return OUTCOMES.get(attempt.action, attempt.action)


def why(attempt: Attempt) -> str:
    """The reason of a failure, else what the answer took (seconds, tokens in+out, dollars), and the
    preferred model if this is a different one."""
    purpose = "" if attempt.purpose == "step" else f"{attempt.purpose}: "
    if attempt.failure is not None:
        return f"{purpose}{attempt.reason or attempt.failure}"
    parts = [f"{(attempt.end - attempt.start).total_seconds():.1f} s"]
    if attempt.tokens_in or attempt.tokens_out:
        parts.append(f"{_count(attempt.tokens_in)}+{_count(attempt.tokens_out)} tokens")
    if attempt.cost:
        parts.append(f"${attempt.cost:.4f}")
    if attempt.instead_of is not None:
        parts.append(f"instead of {attempt.instead_of}")
    return purpose + ", ".join(parts)


def short(session: str) -> str:
    """The last four characters of a session's id, which differ between sessions."""
    return _padded(session[-4:], 4)


def _member(attempt: Attempt) -> str:
    name = f"{attempt.provider}/{attempt.model}"
    if attempt.variant is None:
        return name
    if attempt.own_variant is None:
        return f"{name} (without {attempt.variant})"
    changed = "" if attempt.own_variant == attempt.variant else f" as {attempt.own_variant}"
    return f"{name} ({attempt.variant}{changed})"


def _count(tokens: int) -> str:
    return f"{tokens}" if tokens < 10_000 else f"{tokens / 1000:.0f}k"


def _padded(text: str, width: int) -> str:
    return set_cell_size(_cut(shown(text), width), width)


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"
