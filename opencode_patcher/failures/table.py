"""The table of failures: reads ``failures.toml``, or a file with a user's own rows.

The table is used in three places: by ``classify.py`` here, by the TypeScript inside OpenCode (``typescript.py``), and
in ``docs/failures.md`` (``document.py``). ``check.py`` finds mistakes in rows.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from opencode_patcher.failures import pattern

PATH = Path(__file__).with_name("failures.toml")

CLASSES = {
    "rate_limit": "asked too often; back within minutes",
    "quota": "used up: a plan, a balance, a limit of hours or days",
    "overload": "has too much to do, as all its users see",
    "server": "broke on the provider's side",
    "auth": "does not let this key, login or country in",
    "missing": "does not have the model, or not for this account",
    "network": "cannot be reached, or the line broke",
    "timeout": "took too long",
    "too_long": "the conversation has no room there",
    "history": "refuses a part of the history, and is asked again without it",
    "final": "the request's own fault: no other provider is asked",
    "unknown": "no row knows it: one more provider is asked before it is believed",
}
"""Every class and its meaning. The last one is for failures that no row decides."""

SCOPES = {
    "model": "this model of the provider",
    "provider": "all models of the provider",
    "account": "the user's account there, with all its models",
    "plan": "the user's plan there, with all its models",
}
"""What is avoided after a failure."""

WITHOUT = ("thinking", "items", "calls")
"""The parts of a history that may be left out for a member."""

PLACES = ("none", "text", "header:", "field:")
"""Where a row may say that the time stands."""

OWN_STAGE = "own"
"""The stage of the user's own rows."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A failure as received: a response's status, headers and body, an event in a stream, or a network error."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    event: str | None = None
    error: str | None = None

    def given(self) -> dict[str, Any]:
        """The arguments of ``classify.fault``: the error that an SDK raises, and the event that caused it."""
        if self.event is not None:
            return {"error": "", "inside": json.loads(self.event)}
        if self.error is not None:
            return {"error": json.loads(self.error)}
        return {
            "error": {
                "name": "AI_APICallError",
                "message": "",
                "statusCode": self.status,
                "responseHeaders": dict(self.headers),
                "responseBody": self.body or "",
            }
        }


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row. All its conditions must hold; of ``code``, ``words`` and ``plain``, one is enough.

    ``words`` and ``unless`` map a language to patterns (``pattern.py``); ``plain`` are the texts of a user's own row.
    """

    id: str
    stage: str
    vendor: str
    status: tuple[int, ...] = ()
    code: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    plain: tuple[str, ...] = ()
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    header: Mapping[str, str] = field(default_factory=dict)
    page: bool = False
    event: bool = False
    kind: str
    scope: str
    time: tuple[str, ...] = ()
    zone: str = ""
    early: bool = False
    lasting: bool = False
    long: bool = False
    without: str = ""
    source: str
    date: str
    example: Example
    line: int

    @property
    def is_refusal(self) -> bool:
        """The content is refused: another model may take it (``on_refusal``)."""
        return self.stage == "content" and self.kind == "final"

    @cached_property
    def says(self) -> re.Pattern[str] | None:
        """Must match one of the sentences or codes."""
        return _compiled(self.words)

    @cached_property
    def denies(self) -> re.Pattern[str] | None:
        """Must not match any of the sentences."""
        return _compiled(self.unless)


def _compiled(words: Mapping[str, tuple[str, ...]]) -> re.Pattern[str] | None:
    found = [text for texts in words.values() for text in texts]
    return re.compile("|".join(map(pattern.for_python, found)), re.IGNORECASE) if found else None


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The meaning of a finish reason that the SDK does not know. ``words`` match all of it (``whole``) or a part."""

    means: str
    whole: bool
    words: tuple[str, ...]
    vendor: str
    example: tuple[str, ...]

    @cached_property
    def says(self) -> re.Pattern[str]:
        """Must match the finish reason."""
        found = "|".join(map(pattern.for_python, self.words))
        return re.compile(f"\\A(?:{found})\\Z" if self.whole else found, re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Table:
    """``stages`` and ``rows``, each in the order in which they are tried. The first row that matches decides."""

    stages: Mapping[str, str]
    rows: tuple[Row, ...]
    endings: tuple[Ending, ...]


@cache
def load() -> Table:
    """This package's own table. The file is part of the package, so a mistake in it is a bug and raises as such."""
    return compile_table(PATH.read_text(encoding="utf-8"))


def compile_table(text: str) -> Table:
    """The table in ``text``. Raises KeyError or ValueError if it has mistakes that ``check.py`` would find."""
    data = tomllib.loads(text)
    stages = {row["id"]: row["why"] for row in data["stage"]}
    order = list(stages)
    rows = [row(item, line) for item, line in zip(data["failure"], lines(text, "failure"), strict=True)]
    return Table(
        stages=stages,
        rows=tuple(sorted(rows, key=lambda item: order.index(item.stage))),
        endings=tuple(
            Ending(
                means=item["means"],
                whole=item["whole"],
                words=tuple(item["words"]),
                vendor=item["vendor"],
                example=tuple(item["example"]),
            )
            for item in data["ending"]
        ),
    )


def row(item: Mapping[str, Any], line: int) -> Row:
    """The row for one parsed ``[[failure]]``."""
    plain = {key: item[key] for key in ("page", "event", "zone", "early", "lasting", "long", "without") if key in item}
    example = dict(item["example"])
    return Row(
        id=item["id"],
        stage=item.get("stage", OWN_STAGE),
        vendor=item["vendor"],
        status=tuple(item.get("status", ())),
        code=tuple(text.lower() for text in item.get("code", ())),
        words={language: tuple(texts) for language, texts in item.get("words", {}).items()},
        plain=tuple(text.lower() for text in item.get("plain", ())),
        unless={language: tuple(texts) for language, texts in item.get("unless", {}).items()},
        header={name.lower(): value.lower() for name, value in item.get("header", {}).items()},
        kind=item["class"],
        scope=item["scope"],
        time=tuple(item.get("time", ())),
        source=item["source"],
        date=item["date"],
        example=Example(**example),
        line=line,
        **plain,
    )


def lines(text: str, kind: str) -> Iterator[int]:
    """The numbers of the lines that start a ``[[kind]]``."""
    return (number for number, line in enumerate(text.splitlines(), start=1) if line.strip() == f"[[{kind}]]")
