"""What one offer says about itself: vendor, name, size, mode, snapshot, and the terms it is served on.

``read`` looks at one offer only. What needs the catalogue (is there a second snapshot? does this size have to
be named?) is settled in ``resolve.py``. ``identity.ts`` is the same in TypeScript; the two agree on every input.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from opencode_patcher.models.rules import Family, Rules, Vendor, load
from opencode_patcher.models.scan import is_digits, is_number, lower, order, scan, squash

_AMAZON_VERSION = re.compile(r"-v?[0-9]{1,2}:0(?![^:])")
_SIZE = re.compile(r"(?:[0-9]+x)?[0-9]+(?:\.[0-9]+)?[bmt]\Z")
_ACTIVE = re.compile(r"a[0-9]+(?:\.[0-9]+)?b\Z")
_EXPERTS = re.compile(r"[0-9]+e\Z")
_CONTEXT = re.compile(r"[0-9]+k\Z")
_LETTER_VERSION = re.compile(r"[a-z][0-9]")
_WINDOWS = {"4096": "4k", "8192": "8k", "16384": "16k", "32768": "32k", "65536": "64k", "131072": "128k"}
_TITLE_MUST_SAY = (None, "effort", "quantised-tail")
"""Words that a display name has to repeat: those without a class, and those whose class hangs on their place."""
_PREFIX_WORDS = 4
"""The most words that are dropped in front of a family."""
_DOTTED_WORDS = 4
"""The most words with a dot behind them that are taken off: Bedrock writes a region and a vendor."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """The terms on which the same weights are served.

    ``quantisation`` and ``context`` are as written ("fp8", "128k"), ``region`` and ``host`` are names; all are
    empty when the id does not say.
    """

    free: bool = False
    quantisation: str = ""
    context: str = ""
    region: str = ""
    host: str = ""
    confidential: bool = False


@dataclass(frozen=True, kw_only=True)
class Step:
    """A rule that fired: its name in ``rules.toml`` or in the code, and what it found."""

    rule: str
    found: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An offer as its id reads.

    ``vendor`` is a vendor of the table, an unknown organisation, or empty; ``row`` is the vendor's row in the
    table or -1. ``name`` is family and words in one spelling; where ``version`` is set it is not part of
    ``name``. ``mode`` is "thinking", perhaps with a budget or an effort. ``rolling`` is "", "apart" (never
    joined with a snapshot) or "release" (the same only when released on one day).
    """

    vendor: str
    row: int
    name: str
    version: str
    size: str
    context: str
    preview: bool
    mode: str
    stamp: str
    latest: bool
    instruct: bool
    rolling: str
    variant: Variant
    steps: tuple[Step, ...]


def read(provider_id: str, model_id: str, name: str = "", *, rules: Rules | None = None) -> Reading:
    """Read one id as ``provider_id`` offers it under the display name ``name``.

    Never fails; an id without a word in it is its own name.
    """
    return _Reader(rules or load(), provider_id, model_id, name).reading()


class _Reader:
    """One pass over one id. The fields are what has been found so far."""

    def __init__(self, rules: Rules, provider_id: str, model_id: str, title: str) -> None:
        self.rules = rules
        self.provider_id = provider_id
        self.model_id = model_id
        self.title = title
        self.steps: list[Step] = []
        self.organisation = ""
        self.places: list[str] = []
        self.confidential = False
        self.region = ""
        self.free = False
        self.quantisation = ""
        self.host = ""
        self.size = ""
        self.context = ""
        self.preview = False
        self.mode = ""
        self.latest = False
        self.instruct = False

    def reading(self) -> Reading:
        text = self._last_segment()
        scanned = scan(_AMAZON_VERSION.sub("", text), self.rules.whole)
        words, stamp = list(scanned.words), scanned.stamp
        alias = self.rules.raw_aliases.get(text)
        if alias:
            self._note("alias", text)
            words, stamp = list(alias.words), alias.stamp
        words = self._without_prefix(words)
        alias = self.rules.aliases.get(" ".join((*words, stamp)))
        if alias:
            self._note("alias", " ".join(words))
            words, stamp = list(alias.words), alias.stamp
        family, row = self._family(words)
        if family:
            words, stamp = self._title(words, stamp, row)
            words = words if family.keep else words[len(family.words) :]
        words = self._classify(self._synonyms(words, family), family, row)
        vendor, row = self._vendor(row)
        name, version = self._name(words, family, row)
        latest = self.latest
        if latest and not (row >= 0 and self.rules.vendors[row].latest) and not _has_digit(name + version):
            name, latest = name + "-latest", False
        if not name:
            name = lower(self.model_id)
        return Reading(
            vendor=vendor,
            row=row,
            name=name,
            version=version,
            size=self.size,
            context=self.context,
            preview=self.preview,
            mode=self.mode,
            stamp=stamp,
            latest=latest,
            instruct=self.instruct,
            rolling=self._rolling(words, family, name),
            variant=Variant(
                free=self.free,
                quantisation=self.quantisation,
                region=self.region,
                host=self.host,
                confidential=self.confidential,
            ),
            steps=tuple(self.steps),
        )

    def _note(self, rule: str, found: str) -> None:
        self.steps.append(Step(rule=rule, found=found))

    def _last_segment(self) -> str:
        """Take off wrappers, places, organisation and region; what is left is the model's own name."""
        text = lower(self.model_id)
        for scheme in self.rules.schemes:
            if text.startswith(scheme):
                text = text[len(scheme) :]
                self._note("scheme", scheme)
        *segments, text = text.split("/")
        for segment in segments:
            self._segment(segment)
        for _ in range(_DOTTED_WORDS):
            dot = text.find(".")
            if dot <= 0 or text in self.rules.raw_aliases:
                break
            head, tail = text[:dot], text[dot + 1 :]
            if head in self.rules.regions:
                self.region = head
                self._note("regions", head)
            elif squash(head) in self.rules.organisations and "a" <= tail[:1] <= "z":
                self.organisation = self.organisation or squash(head)
                self._note("organisation", head)
            else:
                break
            text = tail
        return text

    def _segment(self, segment: str) -> None:
        # nano-gpt writes "TheDrummer 2/…" to tell two hosts of one organisation apart.
        name = squash(segment.split(" ")[0])
        if name in self.rules.places:
            self.places.append(name)
            self.confidential = self.confidential or self.rules.places[name]
            self._note("place", segment)
        elif not self.organisation and name:
            self.organisation = name
            self._note("organisation", segment)

    def _without_prefix(self, words: list[str]) -> list[str]:
        """Drop words of vendors and hosts in front of a known family."""
        rules = self.rules
        first = self._match(words, 0)
        own = () if first else scan(lower(self.provider_id), rules.whole).words[:1]
        for index in range(min(_PREFIX_WORDS, len(words) - 1)):
            if words[index] not in rules.prefixes and words[index] not in own:
                return words
            family = self._match(words, index + 1)
            # "qwen qwq" is qwq, but "llama nemotron" is not for this rule to judge.
            if family and (first is None or (first.vendor == family.vendor and not family.keep)):
                self._note("prefixes", " ".join(words[: index + 1]))
                return words[index + 1 :]
        return words

    def _match(self, words: list[str], index: int) -> Family | None:
        if index >= len(words):
            return None
        for family in self.rules.families.get(words[index], ()):
            if tuple(words[index : index + len(family.words)]) == family.words:
                return family
        return None

    def _family(self, words: list[str]) -> tuple[Family | None, int]:
        """The family at the front, and the row of its vendor."""
        rules = self.rules
        for word in words:
            row = rules.anywhere.get(word, -1)
            if row >= 0:
                self._note("anywhere", word)
                if word in rules.vendors[row].families:
                    words.remove(word)
                    words.insert(0, word)
                    return self._match(words, 0), row
                return None, row
        family = self._match(words, 0)
        if family:
            self._note("family", family.name)
            return family, family.vendor
        row = rules.organisations.get(self.organisation, -1)
        if row >= 0 and words and _LETTER_VERSION.match(words[0]) and rules.vendors[row].families:
            # deepseek.v3.2: the vendor's name stands for the family.
            words.insert(0, rules.vendors[row].families[0])
            family = self._match(words, 0)
            self._note("family", words[0])
        return family, row

    def _title(self, words: list[str], stamp: str, row: int) -> tuple[list[str], str]:
        """What the display name adds, when it says all that the id says.

        Display names are wrong now and then, so a name that contradicts the id is not heard.
        """
        rules = self.rules
        title = scan(lower(self.title), rules.whole)
        said = set(title.words)
        if not all(
            word in said or rules.classes.get(word) not in _TITLE_MUST_SAY or _ACTIVE.match(word)
            for word in words
        ):
            return words, stamp
        known = set(words)
        closed = rules.vendors[row].closed
        more = [
            word
            for word in title.words
            if word in rules.titles and word not in known and not (closed and rules.titles[word])
        ]
        if rules.vendors[row].versions and not stamp and not any(is_number(word) for word in words):
            more += [word for word in title.words if is_number(word)][:1]
        if more:
            self._note("title", " ".join(more))
        if not stamp and title.stamp:
            self._note("title", title.stamp)
            stamp = title.stamp
        return words + more, stamp

    def _synonyms(self, words: list[str], family: Family | None) -> list[str]:
        found: list[str] = []
        index = 0
        while index < len(words):
            for synonym in self.rules.synonyms.get(words[index], ()):
                if synonym.family and (family is None or synonym.family != family.name):
                    continue
                end = index + len(synonym.words)
                if synonym.before_version and not (end < len(words) and _LETTER_VERSION.match(words[end])):
                    continue
                if tuple(words[index:end]) == synonym.words:
                    self._note("synonym", " ".join(synonym.words))
                    found += synonym.to
                    index = end
                    break
            else:
                found.append(words[index])
                index += 1
        return found

    def _classify(self, words: list[str], family: Family | None, row: int) -> list[str]:
        """Take out the words that say how a model is served, its size and its mode; the rest is its name."""
        rules = self.rules
        keep_instruct = row >= 0 and rules.vendors[row].keep_instruct
        abbreviations = {rules.abbreviations.get(place, "") for place in self.places}
        rest: list[str] = []
        previous = ""
        active = ""
        for index, word in enumerate(words):
            kind = rules.classes.get(word, "")
            before, previous = previous, kind
            if kind == "free":
                self.free = True
            elif kind == "confidential":
                self.confidential = True
            elif kind == "latest":
                self.latest = True
            elif kind == "preview":
                self.preview = True
            elif kind == "quantised":
                self.quantisation = self.quantisation or word
            elif kind == "quantised-tail" and before in ("quantised", "quantised-tail"):
                pass
            elif kind == "instruct" and not keep_instruct:
                self.instruct = True
            elif kind == "thinking":
                self.mode = self.mode or "thinking"
            elif before == "thinking" and self.mode == "thinking" and (kind == "effort" or _is_budget(word)):
                budget = word if kind == "effort" else f"{int(word[:12]) // 1000}k"
                self.mode = f"{self.mode}-{budget}"
            elif kind == "host" or (index == len(words) - 1 and word in abbreviations):
                self.host = word
            elif kind == "precision":
                pass
            elif family and family.name in rules.endings.get(word, ()) and 0 < index == len(words) - 1:
                kind = "ending"
            elif not self.size and _SIZE.match(word):
                self.size, kind = word, "size"
            elif _ACTIVE.match(word) and not active:
                active, kind = word, "active"
            elif self.size and _EXPERTS.match(word):
                kind = "experts"
            elif not self.context and (_CONTEXT.match(word) or word in _WINDOWS):
                self.context, kind = _WINDOWS.get(word, word), "context"
            else:
                previous = ""
                rest.append(word)
                continue
            self._note(kind, word)
        if active and not self.size:
            rest.append(active)
        return rest

    def _vendor(self, row: int) -> tuple[str, int]:
        """An organisation in front of an open model that is not its vendor's makes it another model."""
        rules = self.rules
        organisation = self.organisation
        of_organisation = rules.organisations.get(organisation, -1)
        if row < 0:
            return (organisation, -1)
        vendor = rules.vendors[row]
        if not organisation or (of_organisation >= 0 and rules.vendors[of_organisation].id == vendor.id):
            return vendor.id, row
        if of_organisation < 0 and vendor.closed:
            self._note("closed", organisation)
            return vendor.id, row
        if organisation in rules.repackers and self.quantisation:
            self._note("repackers", organisation)
            return vendor.id, row
        if of_organisation < 0 and organisation == squash(self.provider_id):
            return vendor.id, row
        self._note("other organisation", organisation)
        if of_organisation >= 0:
            return rules.vendors[of_organisation].id, row
        return organisation, row

    def _name(self, words: list[str], family: Family | None, row: int) -> tuple[str, str]:
        """One spelling of family and words, and the version where the vendor's versions are snapshots."""
        if family is None:
            return "-".join(_glue(words, self.rules, row)), ""
        vendor: Vendor = self.rules.vendors[row]
        if words and vendor.letter and is_number(words[0]):
            words = [vendor.letter + words[0], *words[1:]]
        elif words and vendor.no_letter and words[0][:1] == vendor.no_letter and is_number(words[0][1:]):
            words = [words[0][1:], *words[1:]]
        rest = _glue(words, self.rules, row)
        generation = ""
        if vendor.any_order or vendor.versions:
            generation = next((word for word in rest if is_number(word)), "")
            if generation:
                rest.remove(generation)
        if vendor.versions:
            return "-".join((family.name, *rest)), generation
        if vendor.any_order:
            # The order of words differs from host to host, so it cannot be part of the name.
            rest.sort(key=order)
            tiers = [word for word in vendor.tiers if word in rest]
            others = [word for word in rest if word not in tiers]
            middle = [generation] if generation else []
            first = tiers + middle if vendor.any_order == "tiers-first" else middle + tiers
            rest = first + others
        if vendor.joined and rest and is_number(rest[0]):
            return "-".join((family.name + rest[0], *rest[1:])), ""
        name = "-".join((family.name, *rest))
        return (name.replace(".", "-") if vendor.dashes else name), ""

    def _rolling(self, words: list[str], family: Family | None, name: str) -> str:
        for rule in self.rules.rolling:
            if (
                family
                and rule.family == family.name
                and any(word in rule.words for word in words)
                and not any(word in rule.without for word in words)
            ):
                if not rule.by_release:
                    return "apart"
                if len(words) == 1:
                    return "release"
        return "release" if name.endswith("-latest") else ""


def _glue(words: list[str], rules: Rules, row: int) -> list[str]:
    """A number after the name of another vendor's family, and every number but the first, belong to the word before it.

    In "2 pro llama 3" only the 2 is the generation.
    """
    found: list[str] = []
    numbers = 0
    for word in words:
        if is_number(word) and found and not is_number(found[-1]):
            numbers += 1
            if numbers > 1 or any(family.vendor != row for family in rules.families.get(found[-1], ())):
                found[-1] += word
                continue
        found.append(word)
    return found


def _is_budget(word: str) -> bool:
    """Budgets in tokens are powers of two or round thousands; other numbers are dates that nobody writes so."""
    return is_digits(word) and (word.endswith("000") or word == "1024" or word == "2048" or word in _WINDOWS)


def _has_digit(text: str) -> bool:
    return any("0" <= letter <= "9" for letter in text)
