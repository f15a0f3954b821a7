"""Says which row decides a failure, and what happens then."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from opencode_patcher.failures import classify
from opencode_patcher.failures.classify import Fault
from opencode_patcher.failures.table import SCOPES

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
DAY = 24 * HOUR

FIRST = {
    "overload": 5 * SECOND,
    "server": 5 * SECOND,
    "network": 5 * SECOND,
    "timeout": 5 * SECOND,
    "unknown": 5 * SECOND,
    "rate_limit": MINUTE,
    "quota": 30 * MINUTE,
    "auth": 30 * MINUTE,
    "missing": HOUR,
}
"""The cooldown after a first failure, if the provider gives no time. Twin of ``schedule`` in ``health/cooldown.ts``."""

LONGEST = {"quota": 35 * DAY}
"""The longest cooldown of a class; a day for all others. Twin of ``longest`` in ``health/cooldown.ts``."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What happens after a failure. ``cooldown`` is in milliseconds, None if no provider is avoided."""

    fault: Fault
    cooldown: float | None
    until: datetime | None
    follows: str


def read(text: str, *, status: int | None = None) -> dict[str, Any]:
    """The arguments of ``classify.fault`` for a failure as users find it.

    ``text`` may be a response with its headers (``HTTP/1.1 429 …``), its body, an event of a stream (``data: …``), a
    line of the attempts log, or just a message.
    """
    head, found, body = text.lstrip().replace("\r\n", "\n").partition("\n\n")
    if head.startswith("HTTP/"):
        first, *lines = head.split("\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        code = first.split()[1] if len(first.split()) > 1 else ""
        return answer(int(code) if code.isdigit() else status, headers, body if found else "")
    stripped = text.strip()
    if stripped.startswith(("data:", "event:")) and status is None:
        lines = [line[5:].strip() for line in stripped.splitlines() if line.startswith("data:")]
        event = next((value for line in reversed(lines) if isinstance(value := _json(line), dict)), None)
        if event is not None:
            return {"error": "", "inside": event}
    value = _json(stripped)
    if isinstance(value, dict) and "reason" in value and "failure" in value:
        return answer(status, {}, str(value["reason"]))
    if isinstance(value, dict) and ("statusCode" in value or "responseBody" in value):
        return {"error": value}
    return answer(status, {}, stripped)


def answer(status: int | None, headers: dict[str, str], body: str) -> dict[str, Any]:
    """An error response as the AI SDK raises it."""
    error = {"name": "AI_APICallError", "message": "", "responseHeaders": headers, "responseBody": body}
    return {"error": error if status is None else error | {"statusCode": status}}


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def explain(given: dict[str, Any], *, now: datetime) -> Explanation:
    """What happens after the failure ``given`` (see ``read``) at ``now``, if it is the first one."""
    start = now.timestamp() * 1000
    fault = classify.fault(given["error"], now=start, inside=given.get("inside"))
    cooldown = _cooldown(fault)
    until = None if cooldown is None else datetime.fromtimestamp((start + cooldown) / 1000, UTC)
    return Explanation(fault=fault, cooldown=cooldown, until=until, follows=_follows(fault))


def _cooldown(fault: Fault) -> float | None:
    if not fault.cools:
        return None
    named = FIRST[fault.kind] if fault.retry_after is None else max(fault.retry_after, SECOND)
    longest = LONGEST.get(fault.kind, DAY)
    if fault.early or named > longest:
        longest = DAY
    return min(named, longest)


def _follows(fault: Fault) -> str:
    match fault.kind:
        case "final":
            return "No other provider is asked: any would refuse the request. The error is shown."
        case "too_long":
            return "A provider with more room is asked; where there is none, the conversation is summarised."
        case "history":
            return f"The same provider is asked again, without {fault.forgo} of the history."
        case "unknown":
            return "One more provider is asked. If it refuses too, the first error is shown and nobody is left alone."
    whom = SCOPES[fault.about or fault.scope or "model"]
    return f"The next provider takes over. Left alone: {whom}."
