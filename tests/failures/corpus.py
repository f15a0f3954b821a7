"""Real failures with their sources, as ``data/corpus.jsonl`` has them, and what each must come to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from opencode_patcher.failures import classify
from opencode_patcher.failures.classify import Fault

DATA = Path(__file__).parent / "data"

NOW = 1_795_860_000_000
"""Of failures that name no moment: 2026-11-28."""

INNOCENT = ("final", "unknown", "too_long", "history")
"""Classes that say nothing against a provider."""


@dataclass(frozen=True, eq=False)
class Case:
    """One line. ``given`` are the arguments of ``classify.fault``."""

    id: str
    vendor: str
    protocol: str
    given: dict[str, Any]
    expected: dict[str, Any]
    ordinary: bool
    source: str

    def found(self) -> dict[str, Any]:
        """What the table says, as the TypeScript side tells it."""
        given = self.given
        return plain(classify.fault(given["error"], now=given["now"], inside=given.get("inside")))


def cases() -> Iterator[Case]:
    """Every line that is a failure of a request, or an event inside an answer."""
    for line in (DATA / "corpus.jsonl").read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        named = item.get("now")
        now = int(datetime.fromisoformat(named).timestamp() * 1000) if named else NOW
        yield Case(
            id=item["id"],
            vendor=item["vendor"],
            protocol=item.get("protocol") or "",
            given=_given(item) | {"now": now},
            expected=item["expected"],
            ordinary=bool(item.get("ordinary")),
            source=item["source"],
        )


def plain(fault: Fault) -> dict[str, Any]:
    """A result as the TypeScript side tells it."""
    found = {
        "kind": fault.kind,
        "scope": fault.scope,
        "about": fault.about,
        "message": fault.message,
        "status": fault.status,
        "retryAfter": fault.retry_after,
        "early": fault.early or None,
        "lasting": fault.lasting or None,
        "long": fault.long or None,
        "forgo": fault.forgo,
        "refusal": fault.refusal,
        "row": fault.row.id if fault.row else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _given(item: dict[str, Any]) -> dict[str, Any]:
    if "event" in item:
        return {"error": "", "inside": item["event"]}
    body = item.get("body")
    return {
        "error": {
            "name": "AI_APICallError",
            "message": "",
            "statusCode": item["status"],
            "responseHeaders": item.get("headers") or {},
            "responseBody": "" if body is None else body if isinstance(body, str) else json.dumps(body),
        }
    }


def wrong(found: dict[str, Any], expected: dict[str, Any], ordinary: bool = False) -> str:
    """What of a result is not as expected; "" for nothing."""
    kind, wanted = found["kind"], expected["class"]
    if ordinary:
        return "" if kind in INNOCENT else f"an ordinary refusal is called {kind}"
    # What no row knows is asked of one more member, and then believed: for the user that is the same.
    if kind != wanted and not (kind == "unknown" and wanted == "final"):
        return f"class {kind} instead of {wanted}"
    if "scope" not in found:
        return ""
    if expected.get("scope") in ("model", "provider") and found["scope"] != expected["scope"]:
        return f"scope {found['scope']} instead of {expected['scope']}"
    of_account = expected.get("scope") == "provider" and expected.get("about") in ("account", "plan")
    if of_account and found.get("about") != expected["about"]:
        return f"about {found.get('about')} instead of {expected['about']}"
    seconds, wait = expected.get("seconds"), found.get("retryAfter")
    if seconds is None:
        return "" if wait is None or expected.get("until") else f"a time of {wait / 1000} s that nobody named"
    if wait is None or abs(wait / 1000 - seconds) > max(2, seconds / 100):
        return f"{wait} ms instead of {seconds} s"
    return ""


def serves(found: dict[str, Any], expected: dict[str, Any], ordinary: bool = False) -> bool:
    """Whether a user is as well served: ``also`` has the classes and scopes that lead to the same."""
    also = expected.get("also") or {}
    for kind in (expected["class"], *also.get("class", ())):
        for scope in (expected.get("scope"), *also.get("scope", ())):
            same = (kind, scope) == (expected["class"], expected.get("scope"))
            about = expected.get("about") if same else None
            if not wrong(found, expected | {"class": kind, "scope": scope, "about": about}, ordinary):
                return True
    return False
