"""The schema of ``provider_priority`` and ``combined``, read from the patch that adds it to OpenCode.

``config-schema.patch`` is the only place where it is defined. Only the few parts of Effect's ``Schema`` that are used
there are understood; anything else is a PatchError, so that a change of the patch cannot go unnoticed here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from opencode_patcher.base import resources
from opencode_patcher.base.errors import PatchError

PATCH = "config-schema.patch"

LARGEST = 2**53 - 1
"""Number.MAX_SAFE_INTEGER, the largest whole number for OpenCode (Schema.isInt)."""


@dataclass(frozen=True)
class Anything:
    """Any value."""


@dataclass(frozen=True)
class AnyText:
    """Any text."""


@dataclass(frozen=True)
class Flag:
    """True or false."""


@dataclass(frozen=True)
class Whole:
    """A whole number from ``least`` to LARGEST; ``meaning`` says what it counts, where that is often mistaken."""

    least: int
    meaning: str = ""


@dataclass(frozen=True)
class Amount:
    """A number from ``least`` on, which need not be whole; ``meaning`` says what it counts."""

    least: int | None = None
    meaning: str = ""


@dataclass(frozen=True)
class OneOf:
    """One of these strings."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class ListOf:
    """A list whose items are all of one type."""

    item: Type


@dataclass(frozen=True)
class MapOf:
    """An object whose values are all of one type."""

    value: Type


@dataclass(frozen=True)
class Struct:
    """An object with these fields, of which those in ``required`` must be there, and what the fields are for."""

    fields: Mapping[str, Type]
    required: frozenset[str] = frozenset()
    descriptions: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Either:
    """Any of these types."""

    types: tuple[Type, ...]


Type = Anything | AnyText | Flag | Whole | Amount | OneOf | ListOf | MapOf | Struct | Either

_SIMPLE: Mapping[str, Type] = {
    "Schema.Any": Anything(),
    "Schema.String": AnyText(),
    "Schema.Boolean": Flag(),
    "PositiveInt": Whole(1),
    "NonNegativeInt": Whole(0),
    "Schema.Finite": Amount(),
}

_TOKEN = re.compile(r"\s*(?:(?P<word>Schema\.\w+|\.?\w+)|(?P<text>\"[^\"]*\")|(?P<sign>[(){}\[\],:=]))")


def is_there() -> bool:
    """Whether the patches are those that add the settings. Somebody's own patches may not have them."""
    return (resources.patches() / PATCH).is_file()


@cache
def load() -> Struct:
    """The schema in the patch: its fields are the keys that a stock OpenCode does not know. Raises PatchError."""
    path = resources.patches() / PATCH
    try:
        patch = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise PatchError(
            f"The schema in {PATCH} cannot be read.", why=f"{error}.", next_step=f"Put back {path}."
        ) from error
    return parse("\n".join(line[1:] for line in patch.splitlines() if re.match(r"\+(?!\+\+ )", line)))


def parse(text: str) -> Struct:
    """The fields in the text of a ``Schema.Struct``. Raises PatchError for anything it does not understand."""
    reader = _Reader(text)
    reader.constants()
    return reader.struct(end="", required=False)


class _Reader:
    """Descends through the expressions. A description (``.annotate(...)``) belongs to the field that ends with it."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        at = 0
        while text[at:].strip():
            token = _TOKEN.match(text, at)
            if not token:
                raise _not_understood(text[at:].strip()[:40])
            self.tokens.append(token[0].strip())
            at = token.end()
        self.at = 0
        self.description = ""
        self.named: dict[str, Type] = {}

    def constants(self) -> None:
        """Types that are named before they are used."""
        while self.peek() == "const":
            self.next()
            name = self.next()
            self.expect("=")
            self.named[name] = self.type()

    def struct(self, end: str, *, required: bool = True) -> Struct:
        """The top level of the patch is part of upstream's struct: ``required`` says whether fields may be."""
        fields: dict[str, Type] = {}
        descriptions: dict[str, str] = {}
        musts = set()
        while self.peek() != end:
            name = self.next()
            self.expect(":")
            if required and self.peek() != "Schema.optional":
                musts.add(name)
            fields[name] = self.type()
            if self.description:
                descriptions[name] = self.description
            self.skip(",")
        return Struct(fields, frozenset(musts), descriptions)

    def type(self) -> Type:
        found = self.expression()
        self.description = ""
        while (word := self.peek()) in (".annotate", ".check"):
            self.next()
            if word == ".check":
                found = self.limited(found)
            else:
                self.expect("(")
                self.description = self.text("description")
                self.expect(")")
        return found

    def limited(self, found: Type) -> Type:
        """A number with a lower limit of its own, and what is said of a lower value."""
        self.expect("(")
        self.expect("Schema.isGreaterThanOrEqualTo")
        self.expect("(")
        least = self.next()
        if not isinstance(found, Whole | Amount) or not least.isdecimal():
            raise _not_understood(least)
        self.expect(",")
        meaning = self.text("message")
        self.expect(")")
        self.skip(",")
        self.expect(")")
        return replace(found, least=int(least), meaning=meaning)

    def expression(self) -> Type:
        word = self.next()
        if known := _SIMPLE.get(word) or self.named.get(word):
            return known
        self.expect("(")
        found: Type
        match word:
            case "Schema.optional" | "Schema.mutable":
                found = self.type()
            case "Schema.Array":
                found = ListOf(self.type())
            case "Schema.Record":
                self.expect("Schema.String")
                self.expect(",")
                found = MapOf(self.type())
            case "Schema.Union":
                found = Either(tuple(self.listed()))
            case "Schema.Literals":
                self.expect("[")
                found = OneOf(tuple(self.texts()))
            case "Schema.Struct":
                self.expect("{")
                found = self.struct(end="}")
                self.expect("}")
            case _:
                raise _not_understood(word)
        self.skip(",")
        self.expect(")")
        return found

    def listed(self) -> list[Type]:
        self.expect("[")
        found = []
        while self.peek() != "]":
            found.append(self.type())
            self.skip(",")
        self.expect("]")
        return found

    def texts(self) -> list[str]:
        found = []
        while (token := self.next()) != "]":
            found.append(token.strip('"'))
            self.skip(",")
        return found

    def text(self, name: str) -> str:
        """The text in an object with only this field."""
        self.expect("{")
        self.expect(name)
        self.expect(":")
        found = self.next()
        self.skip(",")
        self.expect("}")
        return found.strip('"')

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        if not token:
            raise _not_understood("the end")
        self.at += 1
        return token

    def skip(self, token: str) -> None:
        if self.peek() == token:
            self.at += 1

    def expect(self, token: str) -> None:
        if (found := self.next()) != token:
            raise _not_understood(found)


def _not_understood(what: str) -> PatchError:
    return PatchError(
        f"The schema in {PATCH} cannot be read.",
        why=f"It has {what!r} where opencode_patcher/models/schema.py expects something else.",
        next_step="Use only what that file understands in the patch, or extend the file.",
    )
