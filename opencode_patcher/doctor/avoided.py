"""Which providers are avoided now, and whether that looks right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from opencode_patcher.base import moments
from opencode_patcher.base.errors import PatcherError
from opencode_patcher.configuration.report import Report
from opencode_patcher.doctor.finding import Finding, of_error
from opencode_patcher.health import record
from opencode_patcher.health.record import Cooldown

CHECK = "health"

LONGEST = timedelta(days=35)
"""No plan's window is longer (``templates/combined/health/cooldown.ts``)."""

_TRANSIENT = timedelta(minutes=2)
_USUAL: Mapping[str, timedelta] = {
    "overload": _TRANSIENT,
    "server": _TRANSIENT,
    "network": _TRANSIENT,
    "timeout": _TRANSIENT,
    "unknown": _TRANSIENT,
    "rate_limit": timedelta(minutes=15),
    "auth": timedelta(hours=6),
    "missing": timedelta(days=1),
}
"""The longest cooldown of each class when the provider gives no time (the schedule in cooldown.ts). A used-up quota has
none: it may last until the end of a plan.
"""

_FAR = 10
"""A cooldown that is this many times as long as usual looks wrong, even if a provider asked for it."""


def check_health(path: Path, report: Report | None, now: datetime) -> Iterator[Finding]:
    """A finding for each provider that is avoided now. ``report`` says which providers there are."""
    try:
        document = record.load(path)
    except PatcherError as error:
        yield of_error(CHECK, error, level="warning")
        return
    for item in record.all_cooldowns(document):
        if not item.failures or item.until <= now:
            continue
        text = f"{item.name} is avoided until {moments.until(item.until, now)} ({item.kind}): {item.message}"
        doubt = _doubt(item, report, now)
        fix = f"To ask it again now: opencode-patcher health clear {item.name}"
        yield Finding(check=CHECK, level="warning", text=f"{text}\n{doubt}" if doubt else text, fix=fix)
    steer = record.steer(document)
    for model, member in steer.pins.items():
        fix = "To end that: opencode-patcher health reset"
        text = f"combined/{model} is pinned to {member}, so it does not fail over."
        yield Finding(check=CHECK, level="warning", text=text, fix=fix)
    for member in steer.skips:
        fix = f"To end that: opencode-patcher health reset {member}"
        yield Finding(check=CHECK, level="warning", text=f"{member} is skipped at your request.", fix=fix)


def _doubt(item: Cooldown, report: Report | None, now: datetime) -> str:
    """Why a cooldown looks wrong; empty if it does not."""
    length = item.until - item.since
    usual = _USUAL.get(item.kind, LONGEST)
    if item.since > now:
        return "It began in the future, so a clock was wrong; OpenCode ignores it."
    if length > LONGEST:
        return "No plan's window is that long, so OpenCode asks it again sooner."
    if length > usual * _FAR:
        span = moments.span(length.total_seconds())
        return f"That is long for this class ({span}, usually at most {moments.span(usual.total_seconds())})."
    if report and item.provider not in {provider.id for provider in report.providers}:
        return "You have no such provider now."
    return ""
