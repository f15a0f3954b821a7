"""The words of a name that say how the model is served, its size and its mode."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from opencode_patcher.models.rules import Family, Rules
from opencode_patcher.models.scan import is_digits
from opencode_patcher.models.words import ACTIVE, Steps

_SIZE = re.compile(r"(?:[0-9]+x)?[0-9]+(?:\.[0-9]+)?[bmt]\Z")
_EXPERTS = re.compile(r"[0-9]+e\Z")
_CONTEXT = re.compile(r"[0-9]+k\Z")
_WINDOWS = {"4096": "4k", "8192": "8k", "16384": "16k", "32768": "32k", "65536": "64k", "131072": "128k"}


@dataclass(kw_only=True)
class Terms:
    """``rest`` has the remaining words: the name itself. ``mode`` is "thinking", possibly with a budget
    ("thinking-32k") or an effort ("thinking-low"); the other texts are as written, and empty if missing.
    """

    rest: list[str] = field(default_factory=list)
    free: bool = False
    confidential: bool = False
    latest: bool = False
    preview: bool = False
    instruct: bool = False
    quantisation: str = ""
    mode: str = ""
    host: str = ""
    size: str = ""
    active: str = ""
    context: str = ""


def terms_of(
    words: Sequence[str], family: Family | None, row: int, places: Sequence[str], rules: Rules, steps: Steps
) -> Terms:
    """Sort ``words``; ``row`` is the vendor's row, ``places`` are the parts of the path that name hosts."""
    found = Terms()
    keep_instruct = row >= 0 and rules.vendors[row].keep_instruct
    before = ""
    for index, word in enumerate(words):
        kind = rules.classes.get(word, "")
        name = (
            _take_kind(found, word, kind, before, keep_instruct)
            or (index == len(words) - 1 and _take_ending(found, word, family if index else None, places, rules))
            or _take_number(found, word, before)
        )
        before = kind if name else ""
        if name:
            steps.note(name, word)
        else:
            found.rest.append(word)
    if found.active and not found.size:
        found.rest.append(found.active)
    return found


def _take_kind(found: Terms, word: str, kind: str, before: str, keep_instruct: bool) -> str:
    """The name of the rule if ``word`` is taken, else ""."""
    match kind:
        case "free" | "confidential" | "latest" | "preview":
            setattr(found, kind, True)
        case "host":
            found.host = word
        case "precision":
            pass
        case "quantised":
            found.quantisation = found.quantisation or word
        case "quantised-tail" if before in ("quantised", "quantised-tail"):
            pass
        case "instruct" if not keep_instruct:
            found.instruct = True
        case "thinking":
            found.mode = found.mode or "thinking"
        case "effort" if _take_budget(found, word, before):
            pass
        case _:
            return ""
    return kind


def _take_budget(found: Terms, budget: str, before: str) -> bool:
    if before != "thinking" or found.mode != "thinking":
        return False
    found.mode = f"thinking-{budget}"
    return True


def _take_ending(found: Terms, word: str, family: Family | None, places: Sequence[str], rules: Rules) -> str:
    if family and family.name in rules.endings.get(word, ()):
        return "ending"
    if any(rules.abbreviations.get(place) == word for place in places):
        found.host = word
        return "abbreviation"
    return ""


def _take_number(found: Terms, word: str, before: str) -> str:
    if _is_budget(word) and _take_budget(found, f"{int(word[:12]) // 1000}k", before):
        return "budget"
    if not found.size and _SIZE.match(word):
        found.size = word
        return "size"
    if not found.active and ACTIVE.match(word):
        found.active = word
        return "active parameters"
    if found.size and _EXPERTS.match(word):
        return "experts"
    if not found.context and (_CONTEXT.match(word) or word in _WINDOWS):
        found.context = _WINDOWS.get(word, word)
        return "context"
    return ""


def _is_budget(word: str) -> bool:
    """Budgets in tokens are powers of two or round thousands, which are unlikely as dates."""
    return is_digits(word) and (word.endswith("000") or word in ("1024", "2048") or word in _WINDOWS)
