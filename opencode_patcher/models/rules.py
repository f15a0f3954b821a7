"""The table of rules, compiled for look-up.

``Rules`` is what ``identity.py`` and ``resolve.py`` read. ``load`` reads ``rules.toml`` once; TypeScript gets the same
compiled tables from ``typescript.py``, so that nothing is derived twice.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from opencode_patcher.models.scan import lower, scan, squash

PATH = Path(__file__).with_name("rules.toml")


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """One row of ``[[vendor]]``; the fields are explained in ``rules.toml``."""

    id: str
    families: tuple[str, ...]
    closed: bool
    undated: str
    latest: bool
    any_order: str
    tiers: tuple[str, ...]
    joined: bool
    dashes: bool
    hybrid: bool
    letter: str
    no_letter: str
    versions: bool
    keep_instruct: bool
    providers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Family:
    """How a family is written: its ``words``, its ``name`` in the key, and the row of its vendor.

    ``keep`` means that the words stay part of the name: "opus" stands for "claude opus".
    """

    words: tuple[str, ...]
    name: str
    vendor: int
    keep: bool


@dataclass(frozen=True, kw_only=True)
class Synonym:
    family: str
    words: tuple[str, ...]
    to: tuple[str, ...]
    before_version: bool


_Entry = TypeVar("_Entry", Synonym, Family)


@dataclass(frozen=True, kw_only=True)
class Rolling:
    family: str
    words: tuple[str, ...]
    without: tuple[str, ...]
    by_release: bool


@dataclass(frozen=True, kw_only=True)
class Alias:
    words: tuple[str, ...]
    stamp: str


@dataclass(frozen=True, kw_only=True)
class Rules:
    """All tables. Keys of the mappings are lower-case words or squashed names (without punctuation)."""

    schemes: tuple[str, ...]
    regions: frozenset[str]
    places: Mapping[str, bool]  # squashed path segment -> confidential
    repackers: frozenset[str]
    abbreviations: Mapping[str, str]  # squashed place -> word
    prefixes: frozenset[str]
    classes: Mapping[str, str]  # word -> class
    synonyms: Mapping[str, tuple[Synonym, ...]]  # first word -> synonyms, longest first
    endings: Mapping[str, frozenset[str]]  # word -> families
    vendors: tuple[Vendor, ...]
    vendor_ids: frozenset[str]
    organisations: Mapping[str, int]  # squashed organisation -> row in vendors
    families: Mapping[str, tuple[Family, ...]]  # first word -> families, longest first
    anywhere: Mapping[str, int]  # word -> row in vendors
    rolling: tuple[Rolling, ...]
    sizes: Mapping[str, str]  # name -> its own size
    raw_aliases: Mapping[str, Alias]
    aliases: Mapping[str, Alias]  # words and stamp, joined by spaces
    snapshots: Mapping[str, str]  # name -> the stamp that the undated name means
    versions: Mapping[str, str]  # name and version, joined by a space -> stamp
    titles: Mapping[str, bool]  # word that a display name may add -> only for open weights
    own_tiers: frozenset[str]  # words for a host's own tier
    whole: frozenset[str]  # words that are never split


@cache
def load() -> Rules:
    """The rules of this package. The file is part of the package, so a mistake in it is a bug and raises."""
    return compile_rules(tomllib.loads(PATH.read_text(encoding="utf-8")))


def compile_rules(table: Mapping[str, Any]) -> Rules:
    """``table`` is the parsed ``rules.toml``."""
    classes = {word: row["class"] for row in table["word"] for word in row["words"]}
    whole = frozenset(word for word, kind in classes.items() if kind in ("quantised", "precision"))

    def words(text: str) -> tuple[str, ...]:
        return scan(lower(text), whole).words

    vendors = tuple(_vendor(row) for row in table["vendor"])
    organisations: dict[str, int] = {}
    prefixes = set(table["prefixes"]["words"])
    families: list[Family] = []
    anywhere: dict[str, int] = {}
    for index, row in enumerate(table["vendor"]):
        for organisation in row["organisations"]:
            organisations[squash(organisation)] = index
            prefixes.update(words(organisation))
        names = {name: name for name in row["families"]} | row.get("renamed", {})
        families += [Family(words=words(k), name=v, vendor=index, keep=False) for k, v in names.items()]
        for short in row.get("short", ()):
            families.append(Family(words=(short,), name=row["families"][0], vendor=index, keep=True))
        anywhere |= dict.fromkeys(row.get("anywhere", ()), index)
    aliases = {row["from"]: row for row in table["alias"]}
    return Rules(
        schemes=tuple(row["text"] for row in table["scheme"]),
        regions=frozenset(table["regions"]["words"]),
        places={squash(word): row.get("confidential", False) for row in table["place"] for word in row["words"]},
        repackers=frozenset(squash(word) for word in table["repackers"]["words"]),
        abbreviations={squash(row["place"]): row["word"] for row in table["abbreviation"]},
        prefixes=frozenset(prefixes),
        classes=classes,
        synonyms=_by_first_word(
            Synonym(
                family=row.get("family", ""),
                words=tuple(row["from"]),
                to=tuple(row["to"]),
                before_version=row.get("before_version", False),
            )
            for row in table["synonym"]
        ),
        endings=_endings(table["ending"]),
        vendors=vendors,
        vendor_ids=frozenset(vendor.id for vendor in vendors),
        organisations=organisations,
        families=_by_first_word(families),
        anywhere=anywhere,
        rolling=tuple(
            Rolling(
                family=row["family"],
                words=tuple(row["words"]),
                without=tuple(row.get("only_without", ())),
                by_release=row.get("by_release", False),
            )
            for row in table["rolling"]
        ),
        sizes={row["name"]: row["size"] for row in table["size"]},
        raw_aliases={name: _alias(row, whole) for name, row in aliases.items() if row.get("raw")},
        aliases={_alias_key(name, whole): _alias(row, whole) for name, row in aliases.items() if not row.get("raw")},
        snapshots={row["name"]: row["stamp"] for row in table["snapshot"]},
        versions={f"{row['name']} {row['version']}": row["stamp"] for row in table["version"]},
        titles=dict.fromkeys(table["titles"]["words"], False) | dict.fromkeys(table["titles"]["open_words"], True),
        own_tiers=frozenset(table["own_tiers"]["words"]),
        whole=whole,
    )


def _vendor(row: Mapping[str, Any]) -> Vendor:
    return Vendor(
        id=row["id"],
        families=tuple(row["families"]),
        closed=row.get("closed", False),
        undated=row["undated"],
        latest=row.get("latest") == "undated",
        any_order=row.get("any_order", ""),
        tiers=tuple(row.get("tiers", ())),
        joined=row.get("joined", False),
        dashes=row.get("dashes", False),
        hybrid=row.get("hybrid", False),
        letter=row.get("letter", ""),
        no_letter=row.get("no_letter", ""),
        versions=row.get("versions", False),
        keep_instruct=row.get("keep_instruct", False),
        providers=tuple(row.get("providers", ())),
    )


def _endings(rows: Iterable[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for row in rows:
        found[row["word"]] = found.get(row["word"], frozenset()) | frozenset(row["families"])
    return found


def _alias(row: Mapping[str, Any], whole: frozenset[str]) -> Alias:
    target = scan(row["to"], whole)
    return Alias(words=target.words, stamp=target.stamp)


def _alias_key(name: str, whole: frozenset[str]) -> str:
    source = scan(name, whole)
    return " ".join((*source.words, source.stamp))


def _by_first_word(entries: Iterable[_Entry]) -> dict[str, tuple[_Entry, ...]]:
    found: dict[str, list[_Entry]] = {}
    for entry in entries:
        found.setdefault(entry.words[0], []).append(entry)
    return {word: tuple(sorted(rows, key=lambda row: -len(row.words))) for word, rows in found.items()}
