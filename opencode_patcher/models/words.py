"""Reduces an id to the words of the model's own name: without wrappers, organisation, region and prefixes, in a
normalised wording.

``identity-words.ts`` is the same in TypeScript; the two agree on every input.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from opencode_patcher.models.rules import Family, Rules, Synonym
from opencode_patcher.models.scan import is_number, lower, scan, squash

ACTIVE = re.compile(r"a[0-9]+(?:\.[0-9]+)?b\Z")
"""The active parameters of a mixture of experts, as in 30b-a3b."""
_LETTER_VERSION = re.compile(r"[a-z][0-9]")
_PREFIX_WORDS = 4
"""The most words to drop in front of a family."""
_DOTTED_WORDS = 4
"""The most words with a dot after them to remove: Bedrock writes a region and a vendor."""
_MUST_SAY = (None, "effort", "quantised-tail")
"""Words that a display name has to repeat: those without a class, and those whose class depends on their position."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A rule that applied: its name in ``rules.toml`` or in the code, and what it found."""

    rule: str
    found: str


class Steps(list[Step]):
    """The steps noted so far."""

    def note(self, rule: str, found: str) -> None:
        self.append(Step(rule=rule, found=found))


@dataclass(frozen=True, kw_only=True)
class Located:
    """``text`` is the model's own name; ``places`` and ``organisation`` are squashed."""

    text: str
    places: tuple[str, ...]
    organisation: str
    region: str
    confidential: bool


def locate(model_id: str, rules: Rules, steps: Steps) -> Located:
    """Remove wrappers, places, organisation and region."""
    text = lower(model_id)
    for scheme in rules.schemes:
        if text.startswith(scheme):
            text = text[len(scheme) :]
            steps.note("scheme", scheme)
    *segments, text = text.split("/")
    places = []
    organisation = region = ""
    for segment in segments:
        # nano-gpt writes "TheDrummer 2/…" to distinguish two hosts of one organisation.
        name = squash(segment.split(" ")[0])
        if name in rules.places:
            places.append(name)
            steps.note("place", segment)
        elif not organisation and name:
            organisation = name
            steps.note("organisation", segment)
    for _ in range(_DOTTED_WORDS):
        dot = text.find(".")
        if dot <= 0 or text in rules.raw_aliases:
            break
        head, tail = text[:dot], text[dot + 1 :]
        if head in rules.regions:
            region = head
            steps.note("regions", head)
        elif squash(head) in rules.organisations and "a" <= tail[:1] <= "z":
            organisation = organisation or squash(head)
            steps.note("organisation", head)
        else:
            break
        text = tail
    return Located(
        text=text,
        places=tuple(places),
        organisation=organisation,
        region=region,
        confidential=any(rules.places[place] for place in places),
    )


def without_prefix(words: Sequence[str], provider_id: str, rules: Rules, steps: Steps) -> Sequence[str]:
    """Drop words of vendors and hosts in front of a known family."""
    first = _match(words, 0, rules)
    own = () if first else scan(lower(provider_id), rules.whole).words[:1]
    for index in range(min(_PREFIX_WORDS, len(words) - 1)):
        if words[index] not in rules.prefixes and words[index] not in own:
            break
        family = _match(words, index + 1, rules)
        # "qwen qwq" is qwq, but this rule must not decide about "llama nemotron".
        if family and (first is None or (first.vendor == family.vendor and not family.keep)):
            steps.note("prefixes", " ".join(words[: index + 1]))
            return words[index + 1 :]
    return words


def _match(words: Sequence[str], index: int, rules: Rules) -> Family | None:
    if index < len(words):
        for family in rules.families.get(words[index], ()):
            if tuple(words[index : index + len(family.words)]) == family.words:
                return family
    return None


def family_of(
    words: Sequence[str], organisation: str, rules: Rules, steps: Steps
) -> tuple[Sequence[str], Family | None, int]:
    """The family at the front, with the words after that, and its vendor's row, or -1."""
    marked = next((index for index, word in enumerate(words) if word in rules.anywhere), -1)
    if marked >= 0:
        word = words[marked]
        row = rules.anywhere[word]
        steps.note("anywhere", word)
        if word not in rules.vendors[row].families:
            return words, None, row
        words = [word, *words[:marked], *words[marked + 1 :]]
        return words, _match(words, 0, rules), row
    family = _match(words, 0, rules)
    if family:
        steps.note("family", family.name)
        return words, family, family.vendor
    row = rules.organisations.get(organisation, -1)
    if row >= 0 and words and _LETTER_VERSION.match(words[0]) and rules.vendors[row].families:
        # deepseek.v3.2: the vendor's name stands for the family.
        words = [rules.vendors[row].families[0], *words]
        steps.note("family", words[0])
        return words, _match(words, 0, rules), row
    return words, None, row


def with_title(
    words: Sequence[str], stamp: str, row: int, title: str, rules: Rules, steps: Steps
) -> tuple[Sequence[str], str]:
    """The words with what the display name adds, if it has everything that the id has.

    Display names are sometimes wrong, so a name that contradicts the id is ignored.
    """
    said = scan(lower(title), rules.whole)
    heard, known = set(said.words), set(words)
    for word in words:
        if word not in heard and not ACTIVE.match(word) and rules.classes.get(word) in _MUST_SAY:
            return words, stamp
    vendor = rules.vendors[row]
    more = [
        word
        for word in said.words
        if word in rules.titles and word not in known and not (vendor.closed and rules.titles[word])
    ]
    if vendor.versions and not stamp and not any(is_number(word) for word in words):
        more += [word for word in said.words if is_number(word)][:1]
    if more:
        steps.note("titles", " ".join(more))
    if not stamp and said.stamp:
        steps.note("titles", said.stamp)
    return [*words, *more], stamp or said.stamp


def replace_synonyms(words: Sequence[str], family: Family | None, rules: Rules, steps: Steps) -> Sequence[str]:
    """Use one wording for what is written in several ways."""
    found: list[str] = []
    index = 0
    while index < len(words):
        synonym = next(
            (entry for entry in rules.synonyms.get(words[index], ()) if _applies(entry, words, index, family)),
            None,
        )
        if synonym:
            steps.note("synonym", " ".join(synonym.words))
            found += synonym.to
            index += len(synonym.words)
        else:
            found.append(words[index])
            index += 1
    return found


def _applies(synonym: Synonym, words: Sequence[str], index: int, family: Family | None) -> bool:
    if synonym.family and (family is None or synonym.family != family.name):
        return False
    end = index + len(synonym.words)
    if synonym.before_version and not (end < len(words) and _LETTER_VERSION.match(words[end])):
        return False
    return tuple(words[index:end]) == synonym.words
