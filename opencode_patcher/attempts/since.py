"""Turns ``2h`` or a date into a point in time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from opencode_patcher.base.errors import UsageError

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse(text: str, now: datetime) -> datetime:
    """``30m``, ``2h``, ``7d`` or ``2w`` before ``now``, or an ISO 8601 date or time in the time zone of ``now``.

    Raises:
        UsageError: ``text`` is something else.
    """
    span = re.fullmatch(r"(\d{1,5})([mhdw])", text.strip())
    try:
        if span:
            return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise UsageError(
            f"'{text}' is not a time.",
            next_step="Give a span or a date: opencode-patcher attempts --since 2h, or --since 2026-01-31",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
