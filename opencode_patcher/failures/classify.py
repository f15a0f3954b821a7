"""Classifies a provider's failure, and says how long it lasts. Twin of ``templates/combined/failure/classify.ts``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opencode_patcher.failures import retry_after
from opencode_patcher.failures.collect import Seen, collect, sentence
from opencode_patcher.failures.redact import redact
from opencode_patcher.failures.table import Row, load

COOLING = ("rate_limit", "quota", "overload", "server", "auth", "missing", "network", "timeout", "unknown")
"""Classes after which a member is avoided for a while."""

LIMITED = ("rate_limit", "quota", "overload")
"""Classes about a limit: only for these, reset headers of used-up limits and times in the text count."""

SHORT = 3_600_000
"""A rate limit that ends later than this is a quota, whatever the vendor calls it."""

NOTHING = "unknown failure"
SHOWN = 160


@dataclass(frozen=True, kw_only=True)
class Fault:
    """The meaning of an error. ``retry_after`` is in milliseconds; ``row`` is None if the status alone decided."""

    kind: str
    message: str
    status: int | None = None
    scope: str | None = None
    about: str | None = None
    retry_after: float | None = None
    early: bool = False
    lasting: bool = False
    long: bool = False
    forgo: str | None = None
    refusal: str | None = None
    row: Row | None = None

    @property
    def cools(self) -> bool:
        """Whether the member is avoided for a while."""
        return self.kind in COOLING


def fault(
    error: object,
    *,
    now: float,
    inside: object | None = None,
    own: Sequence[Row] = (),
    rows: Sequence[Row] | None = None,
) -> Fault:
    """Classify an error, given as plain data; ``now`` is in milliseconds since the epoch.

    ``inside`` is the error event of an answer that had started; ``own`` are the user's rows, which come first.
    """
    seen = collect(error if inside is None else [inside, error])
    said = (*seen.texts, *seen.codes, *seen.spelled)
    table = load().rows if rows is None else rows
    found = next((row for row in (*own, *table) if matches(row, seen, said, inside is not None)), None)
    message = _summary(seen)
    if found is None:
        is_servers = seen.status is not None and (seen.status >= 500 or seen.status < 400)
        kind, scope = ("server" if is_servers else "unknown"), "model"
    else:
        kind, scope = found.kind, found.scope
    if kind in ("too_long", "final"):
        refusal = "error" if found and found.is_refusal else None
        return Fault(kind=kind, message=message, status=seen.status, refusal=refusal, row=found)
    if kind == "history":
        forgo = (found.without if found else "") or "thinking"
        return Fault(kind=kind, message=message, status=seen.status, forgo=forgo, row=found)
    named = retry_after.read(
        seen.headers,
        seen.texts,
        limit=kind in LIMITED,
        now=now,
        zone=(found.zone if found else "") or None,
        places=found.time if found else (),
    )
    # Even for a daily limit, Google also sends a pause of less than a minute, meant for its own client.
    is_pause = kind == "quota" and (named or 0) < 60_000 and any(text.startswith('"retryDelay"') for text in seen.texts)
    if kind == "rate_limit" and named is not None and named >= SHORT:
        kind = "quota"
    return Fault(
        kind=kind,
        message=message,
        status=seen.status,
        scope="model" if scope == "model" else "provider",
        about=scope if scope in ("account", "plan") else None,
        retry_after=None if is_pause else named,
        early=bool(found and found.early),
        lasting=bool(found and found.lasting),
        long=bool(found and found.long),
        row=found,
    )


def matches(row: Row, seen: Seen, said: Sequence[str], inside: bool) -> bool:
    """All conditions of the row must hold; of its codes and words, one is enough. ``said`` are all texts and codes."""
    if row.status and (seen.status or 0) not in row.status:
        return False
    if (row.page and not seen.page) or (row.event and not inside):
        return False
    if not all(_holds(seen.headers.get(name), value) for name, value in row.header.items()):
        return False
    if row.denies and any(row.denies.search(text) for text in seen.texts):
        return False
    if not row.code and not row.words and not row.plain:
        return True
    if any(code in seen.codes for code in row.code):
        return True
    if row.says and any(row.says.search(text) for text in said):
        return True
    return any(text in item.lower() for text in row.plain for item in said)


def _holds(found: str | None, value: str) -> bool:
    if found is None:
        return False
    text = found.strip().lower()
    return text.startswith(value[:-1]) if value.endswith("*") else text == value


def _summary(seen: Seen) -> str:
    raw = sentence(seen)
    if raw is None:
        return NOTHING if seen.status is None else str(seen.status)
    text = redact(raw)
    short = text[: SHOWN - 3] + "..." if len(text) > SHOWN else text
    return short if seen.status is None or str(seen.status) in short else f"{seen.status} {short}"
