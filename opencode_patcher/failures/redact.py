"""Removes keys and logins that a provider echoes. Twin of ``redact`` in ``templates/combined/failure/redact.ts``."""

from __future__ import annotations

import re

_HIDDEN = "[redacted]"

KEYS = tuple(
    re.compile(text, re.ASCII)
    for text in (
        r"\b(?:sk|gsk|csk)-[\w-]{8,}",
        r"\b(?:gsk|hf|r8|ghp|gho|ghu|ghs|github_pat|sk|pk|rk)_\w{16,}",
        r"\b(?:xai|pplx|nvapi|glpat|tgp_v1)[-_][A-Za-z0-9]{20,}",
        r"\bA[KS]IA[A-Z0-9]{16}\b",
        r"\bAIza[\w-]{30,}",
        r"\bya29\.[\w-]{8,}",
        # From the start of a word, which must have a second part: otherwise "-eyJ-eyJ…" would take quadratic time.
        r"(?<![\w-])(?=[\w-]+\.[\w-]{4,})(?:[\w-]*?-)??eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?",
    )
)

AFTER = tuple(
    re.compile(text, re.ASCII | re.IGNORECASE)
    for text in (
        r"(\bBearer\s+)[\w.~+/=-]{8,}",
        r"""(\b(?:x-)?api[-_]?key["']?\s*[:=]\s*["']?)[^\s"',;&]{8,}""",
        r"""([?&](?:key|api_key|apikey|access_token|token|sig|signature)=)[^\s"'&#]+""",
        r"""(://)[^/?#\s"'@]+(?=@)""",
    )
)


def redact(text: str) -> str:
    """``text`` without anything that looks like a key."""
    for pattern in KEYS:
        text = pattern.sub(_HIDDEN, text)
    for pattern in AFTER:
        text = pattern.sub(rf"\1{_HIDDEN}", text)
    return text


_PRIVATE = (
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}", re.ASCII), "[address]"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "[id]"),
    (re.compile(r"\b(?:org|proj|user|req|acct|ws|team|project|workspace)[-_][A-Za-z0-9]{6,}\b"), "[id]"),
    (re.compile(r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b"), "[address]"),
    (re.compile(r"(?<![\w.])[0-9]{10,}(?![\w.])", re.ASCII), "[id]"),
    (re.compile(r"\b[0-9a-f]{24,}\b", re.IGNORECASE), "[id]"),
)


def private(text: str) -> str:
    """Like ``redact``, and without anything that identifies an account, a project, a request or an address."""
    text = redact(text)
    for pattern, shown in _PRIVATE:
        text = pattern.sub(shown, text)
    return text
