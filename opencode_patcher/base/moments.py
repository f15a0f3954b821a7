"""Times as people read them: local, and how long it is until then. Pure."""

from __future__ import annotations

from datetime import datetime
from math import ceil


def clock(moment: datetime, now: datetime) -> str:
    """The local time: ``14:05``, with its date if that is not today."""
    there, here = moment.astimezone(), now.astimezone()
    return there.strftime("%H:%M" if there.date() == here.date() else "%Y-%m-%d %H:%M")


def until(moment: datetime, now: datetime) -> str:
    """A time to come: ``14:05 (in 12 min)``."""
    return f"{clock(moment, now)} (in {span(max((moment - now).total_seconds(), 0))})"


def since(moment: datetime, now: datetime) -> str:
    """A time that has passed: ``14:05 (12 min ago)``."""
    return f"{clock(moment, now)} ({span(max((now - moment).total_seconds(), 0))} ago)"


def span(seconds: float) -> str:
    """A length of time: ``40 s``, ``12 min``, ``3 h``, ``2 days``. It is rounded up, because a reader has to wait that
    long. Twin of ``span`` in ``templates/combined/view/clock.ts``.
    """
    for unit, length, limit in (("s", 1, 90), ("min", 60, 5400), ("h", 3600, 129_600)):
        if seconds < limit:
            return f"{ceil(seconds / length)} {unit}"
    return f"{ceil(seconds / 86_400)} days"
