"""The values of the page that ``attempts report`` writes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from opencode_patcher.attempts.line import outcome, why
from opencode_patcher.attempts.log import Attempt
from opencode_patcher.attempts.totals import add_up

MOST_SESSIONS = 100
"""Sessions with a time line; the newest are kept."""

MOST_FAILURES = 500

_COLOURS = {"served": "good", "moved": "bad", "waited": "wait", "repeated": "look", "ended": "bad"}


def values(attempts: Sequence[Attempt], now: datetime) -> dict[str, object]:
    """What ``templates/reports/attempts.html.j2`` may use: texts, and lengths in percent."""
    totals = add_up(attempts)
    failures = [attempt for attempt in attempts if attempt.failure is not None]
    return {
        "written": _moment(now),
        "since": _moment(attempts[0].start) if attempts else "",
        "requests": len(attempts),
        "answered": sum(totals.served_by.values()),
        "switched": sum(totals.failovers_by_cause.values()),
        "retried": totals.repeated,
        "cost": f"${sum(totals.cost_by_provider.values()):.2f}",
        "charts": [
            {"title": "Answers by provider", "bars": _bars(totals.served_by, "{:.0f}")},
            {"title": "Switches by cause", "bars": _bars(totals.failovers_by_cause, "{:.0f}")},
            {"title": "Cost by provider", "bars": _bars(totals.cost_by_provider, "${:.2f}")},
        ],
        "sessions": [_session(name, found) for name, found in _sessions(attempts)[:MOST_SESSIONS]],
        "failures": [
            {
                "time": _moment(attempt.start),
                "member": f"{attempt.provider}/{attempt.model}",
                "class": attempt.failure,
                "why": why(attempt),
                "outcome": outcome(attempt),
            }
            for attempt in reversed(failures[-MOST_FAILURES:])
        ],
    }


def _bars(counts: Mapping[str, float], form: str) -> list[dict[str, str]]:
    most = max(counts.values(), default=0) or 1
    return [
        {"name": name, "text": form.format(count), "width": f"{100 * count / most:.1f}"}
        for name, count in counts.items()
    ]


def _sessions(attempts: Iterable[Attempt]) -> list[tuple[str, list[Attempt]]]:
    """Attempts by session, the session that was used last first."""
    found: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(attempt.session, []).append(attempt)
    return sorted(found.items(), key=lambda item: max(attempt.end for attempt in item[1]), reverse=True)


def _session(name: str, attempts: Sequence[Attempt]) -> dict[str, object]:
    """One row: each request is a block whose length is its time. The pauses between turns are left out."""
    seconds = [max((attempt.end - attempt.start).total_seconds(), 0.05) for attempt in attempts]
    total = sum(seconds)
    return {
        "name": name,
        "model": attempts[-1].combined,
        "time": _moment(attempts[0].start),
        "blocks": [
            {
                "width": f"{100 * length / total:.2f}",
                "colour": _COLOURS.get(attempt.action, "none"),
                "text": f"{attempt.start.astimezone():%H:%M:%S} {attempt.provider}: {outcome(attempt)}, {why(attempt)}",
            }
            for attempt, length in zip(attempts, seconds, strict=True)
        ],
    }


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
