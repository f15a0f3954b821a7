"""Finds mistakes in rows of the table: in this package's own, or in a file that somebody wants to add.

A row is refused for its form (an unknown class or scope), for matching everything, for a pattern that could hang, for
an example that another row decides, and for a conflict: two rows with the same condition and different results, so that
the second one could never decide.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opencode_patcher.failures import classify, pattern, table
from opencode_patcher.failures.table import CLASSES, PLACES, SCOPES, WITHOUT, Row

MOST_STATUSES = 20
"""A row that names more and nothing else would decide almost every failure."""

LEAST_CODE = 3
"""The minimum number of letters in a code or a plain text."""

NOW = 1_790_000_000_000
"""Any moment will do: examples are decided by their words, not by the time."""

_FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "id": str,
    "stage": str,
    "vendor": str,
    "status": list,
    "code": list,
    "header": dict,
    "words": dict,
    "plain": list,
    "unless": dict,
    "page": bool,
    "event": bool,
    "class": str,
    "scope": str,
    "time": list,
    "zone": str,
    "early": bool,
    "lasting": bool,
    "long": bool,
    "without": str,
    "source": str,
    "date": str,
    "example": dict,
}
_REQUIRED = ("id", "vendor", "class", "scope", "source", "date", "example")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A mistake, and the line on which its row starts; 0 for the whole file."""

    line: int
    row: str
    what: str


def check(text: str) -> list[Fault]:
    """The mistakes in the table in ``text``: one like this package's, with stages, or a user's own rows without any."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        return [Fault(line=int(place[1]) if place else 0, row="", what=f"It is not valid TOML: {error}.")]
    items = data.get("failure")
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        return [Fault(line=0, row="", what="It has no [[failure]] rows.")]
    starts = list(table.lines(text, "failure"))
    if len(starts) != len(items):
        return [Fault(line=0, row="", what="Each row must begin with [[failure]] on a line of its own.")]
    stages = {stage.get("id") for stage in data.get("stage", ()) if isinstance(stage, dict)}
    found = [
        Fault(line=line, row=str(item.get("id", "")), what=what)
        for item, line in zip(items, starts, strict=True)
        for what in _shape(item, stages)
    ]
    if found:
        return sorted(found, key=lambda fault: fault.line)
    rows = [table.row(item, line) for item, line in zip(items, starts, strict=True)]
    own = not stages
    if not own:
        order = [stage["id"] for stage in data["stage"]]
        rows.sort(key=lambda row: order.index(row.stage))
    return sorted([*_fights(rows), *_examples(rows, own)], key=lambda fault: fault.line)


def _shape(item: Mapping[str, Any], stages: set[Any]) -> Iterator[str]:
    for name in _REQUIRED:
        if name not in item:
            yield f"It has no {name}."
    for name, value in item.items():
        if name not in _FIELDS:
            yield f"{name} is not a field of a row."
        elif not isinstance(value, _FIELDS[name]):
            yield f"{name} has the wrong type."
            return
    if (kind := item.get("class", "server")) not in CLASSES or kind == "unknown":
        yield f"{kind!r} is not a class. Classes: {', '.join(name for name in CLASSES if name != 'unknown')}."
    if (scope := item.get("scope", "model")) not in SCOPES:
        yield f"{scope!r} is not a scope. Scopes: {', '.join(SCOPES)}."
    if item.get("without", WITHOUT[0]) not in WITHOUT or (kind == "history") != ("without" in item):
        yield f"without goes with the class history, and is one of {', '.join(WITHOUT)}."
    if stages and item.get("stage") not in stages:
        yield f"{item.get('stage')!r} is not a stage of this file."
    for place in item.get("time", ()):
        if not str(place).startswith(PLACES) or str(place).endswith(":"):
            yield f"{place!r} is not a place of a time. Places: header:NAME, field:NAME, text, none."
    if not re.fullmatch(r"(?:[+-]\d\d:\d\d)?", item.get("zone", "")):
        yield "zone must be written like +08:00."
    if not re.fullmatch(r"20\d\d(?:-\d\d(?:-\d\d)?)?", item.get("date", "2026-01-01")):
        yield "date must be written like 2026-01-31 or 2026-01."
    if not item.get("source", "https://").startswith("https://"):
        yield "source must be an https:// address."
    yield from _condition(item)
    yield from _example(item.get("example", {}))


def _condition(item: Mapping[str, Any]) -> Iterator[str]:
    statuses = item.get("status", [])
    if not all(isinstance(code, int) and (code == 0 or 100 <= code <= 599) for code in statuses):
        yield "status must be numbers from 100 to 599, or 0 for none."
    for name in ("code", "plain"):
        texts = item.get(name, [])
        if not all(isinstance(text, str) for text in texts):
            yield f"{name} must be texts."
            return
        for text in texts:
            if len(text.strip()) < LEAST_CODE and not re.search(r"[^\0-\x7f]{2}", text):
                yield f"{name} {text!r} is so short that it would match almost everything."
    for name in ("words", "unless"):
        for language, texts in item.get(name, {}).items():
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                yield f"{name}.{language} must be a list of patterns."
                return
            for text in texts:
                for why in pattern.faults(text):
                    # An exclusion may be short: it makes a row match less, not more.
                    if name == "words" or "time" in why or "letters" not in why:
                        yield f"{name}.{language} {text!r}: {why}"
    tells = any(item.get(name) for name in ("code", "plain", "words", "header", "page"))
    if not tells and not statuses:
        yield "It matches everything: name a status, code, header or words."
    elif not tells and len(statuses) > MOST_STATUSES:
        yield f"It matches almost everything: more than {MOST_STATUSES} statuses and nothing else."


def _example(example: Mapping[str, Any]) -> Iterator[str]:
    if not example:
        yield "example is empty."
        return
    for name, value in example.items():
        if name not in ("status", "headers", "body", "event", "error"):
            yield f"example.{name} is not a field of an example."
        elif name in ("event", "error"):
            try:
                json.loads(value)
            except (ValueError, TypeError):
                yield f"example.{name} is not valid JSON."


def _result(row: Row) -> tuple[object, ...]:
    return (row.kind, row.scope, row.without, row.zone, row.time, row.early, row.lasting, row.long)


def _fights(rows: Sequence[Row]) -> Iterator[Fault]:
    """Pairs of rows with a common condition, where the first one always decides; and pairs with the same id."""
    names: dict[str, Row] = {}
    for index, row in enumerate(rows):
        if row.id in names:
            yield Fault(line=row.line, row=row.id, what=f"Its id is that of the row on line {names[row.id].line}.")
        names.setdefault(row.id, row)
        for earlier in rows[:index]:
            if (what := _shadow(earlier, row)) and _result(earlier) != _result(row):
                yield Fault(
                    line=row.line,
                    row=row.id,
                    what=f"It fights with {earlier.id} on line {earlier.line}, which decides first: {what}.",
                )


def _shadow(earlier: Row, row: Row) -> str:
    """The part of ``row`` that the earlier one always decides; "" if none."""
    guarded = (earlier.unless, earlier.header, earlier.page, earlier.event)
    if any(guarded) and guarded != (row.unless, row.header, row.page, row.event):
        return ""
    if earlier.status and not (row.status and set(row.status) <= set(earlier.status)):
        return ""
    if not earlier.code and not earlier.words and not earlier.plain:
        return "it needs no more than that status" if earlier.status else "it needs no more"
    shared = [
        *(set(row.code) & set(earlier.code)),
        *({text for texts in row.words.values() for text in texts} & {t for ts in earlier.words.values() for t in ts}),
        *(set(row.plain) & set(earlier.plain)),
    ]
    return f"both have {sorted(shared)[0]}" if shared else ""


def _examples(rows: Sequence[Row], own: bool) -> Iterator[Fault]:
    """Each row must decide its own example: otherwise it conflicts with another, or does not match what it should."""
    before = rows if own else ()
    after = None if own else rows
    for row in rows:
        given = row.example.given()
        decided = classify.fault(given["error"], now=NOW, inside=given.get("inside"), own=before, rows=after).row
        if decided is row:
            continue
        by = "no row" if decided is None else decided.id
        if decided is not None and decided in rows:
            by = f"{decided.id} on line {decided.line}"
        yield Fault(line=row.line, row=row.id, what=f"Its example is decided by {by}.")
