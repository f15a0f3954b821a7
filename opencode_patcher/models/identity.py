"""What one offer's id says: vendor, name, size, mode, snapshot, and the terms it is served on.

``read`` only looks at one offer. Questions about the whole catalogue (is there a second snapshot? does this size have
to be named?) are decided in ``resolve.py``. ``identity-read.ts`` is the same in TypeScript; the two agree on every
input.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from opencode_patcher.models.rules import Alias, Family, Rules, Vendor, load
from opencode_patcher.models.scan import is_number, lower, order, scan, squash
from opencode_patcher.models.terms import terms_of
from opencode_patcher.models.words import Step, Steps, family_of, locate, replace_synonyms, with_title, without_prefix

_AMAZON_VERSION = re.compile(r"-v?[0-9]{1,2}:0(?![^:])")


@dataclass(frozen=True, kw_only=True)
class Variant:
    """The terms on which the same weights are served.

    ``quantisation`` and ``context`` are as written ("fp8", "128k"), ``region`` and ``host`` are names; all are empty
    when the id does not say.
    """

    free: bool = False
    quantisation: str = ""
    context: str = ""
    region: str = ""
    host: str = ""
    confidential: bool = False


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was read from an offer's id.

    ``vendor`` is a vendor from the table, an unknown organisation, or empty; ``row`` is the vendor's row in the table
    or -1. ``name`` is family and words in a normalised spelling; if ``version`` is set, it is not part of ``name``.
    ``mode`` is "thinking", perhaps with a budget or an effort. ``rolling`` is "", "apart" (never joined with a
    snapshot) or "release" (the same only when released on the same day).
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
    instruct: bool
    rolling: str
    variant: Variant
    steps: tuple[Step, ...]


def read(provider_id: str, model_id: str, title: str = "", *, rules: Rules | None = None) -> Reading:
    """Read an id that ``provider_id`` offers under the display name ``title``.

    Never fails; an id without words is its own name.
    """
    rules = rules or load()
    steps = Steps()
    located = locate(model_id, rules, steps)
    bare = _words_of(located.text, provider_id, rules, steps)
    words, family, row = family_of(bare.words, located.organisation, rules, steps)
    stamp = bare.stamp
    if family:
        words, stamp = with_title(words, stamp, row, title, rules, steps)
        words = words if family.keep else words[len(family.words) :]
    terms = terms_of(replace_synonyms(words, family, rules, steps), family, row, located.places, rules, steps)
    vendor, row = _vendor_of(located.organisation, row, bool(terms.quantisation), provider_id, rules, steps)
    name, version = _spell(terms.rest, family, row, rules)
    if terms.latest and not (row >= 0 and rules.vendors[row].latest) and not _has_digit(name + version):
        name += "-latest"
    name = name or lower(model_id)
    return Reading(
        vendor=vendor,
        row=row,
        name=name,
        version=version,
        size=terms.size,
        context=terms.context,
        preview=terms.preview,
        mode=terms.mode,
        stamp=stamp,
        instruct=terms.instruct,
        rolling=_rolling(terms.rest, family, name, rules),
        variant=Variant(
            free=terms.free,
            quantisation=terms.quantisation,
            region=located.region,
            host=terms.host,
            confidential=terms.confidential or located.confidential,
        ),
        steps=tuple(steps),
    )


def _words_of(text: str, provider_id: str, rules: Rules, steps: Steps) -> Alias:
    scanned = scan(_AMAZON_VERSION.sub("", text), rules.whole)
    raw = rules.raw_aliases.get(text)
    if raw:
        steps.note("alias", text)
    words = without_prefix(raw.words if raw else scanned.words, provider_id, rules, steps)
    stamp = raw.stamp if raw else scanned.stamp
    alias = rules.aliases.get(" ".join((*words, stamp)))
    if alias:
        steps.note("alias", " ".join(words))
    return alias or Alias(words=tuple(words), stamp=stamp)


def _vendor_of(
    organisation: str, row: int, quantised: bool, provider_id: str, rules: Rules, steps: Steps
) -> tuple[str, int]:
    """An organisation other than the vendor in front of an open model makes it another model."""
    if row < 0:
        return organisation, -1
    vendor = rules.vendors[row]
    other = rules.organisations.get(organisation, -1)
    if not organisation or (other >= 0 and rules.vendors[other].id == vendor.id):
        return vendor.id, row
    if other < 0 and vendor.closed:
        steps.note("closed", organisation)
        return vendor.id, row
    if quantised and organisation in rules.repackers:
        steps.note("repackers", organisation)
        return vendor.id, row
    if other < 0 and organisation == squash(provider_id):
        return vendor.id, row
    steps.note("other organisation", organisation)
    return (rules.vendors[other].id if other >= 0 else organisation), row


def _spell(words: Sequence[str], family: Family | None, row: int, rules: Rules) -> tuple[str, str]:
    """The normalised spelling of family and words, and the version if the vendor's versions are snapshots."""
    if family is None:
        return "-".join(_glue(words, row, rules)), ""
    vendor = rules.vendors[row]
    rest = _glue(_with_letter(words, vendor), row, rules)
    generation = []
    if vendor.any_order or vendor.versions:
        at = next((index for index, word in enumerate(rest) if is_number(word)), -1)
        generation = [rest.pop(at)] if at >= 0 else []
    if vendor.versions:
        return "-".join((family.name, *rest)), "".join(generation)
    if vendor.any_order:
        rest = _in_order(rest, generation, vendor)
    if vendor.joined and rest and is_number(rest[0]):
        return "-".join((family.name + rest[0], *rest[1:])), ""
    name = "-".join((family.name, *rest))
    return (name.replace(".", "-") if vendor.dashes else name), ""


def _with_letter(words: Sequence[str], vendor: Vendor) -> Sequence[str]:
    if words and vendor.letter and is_number(words[0]):
        return [vendor.letter + words[0], *words[1:]]
    if words and vendor.no_letter and words[0].startswith(vendor.no_letter) and is_number(words[0][1:]):
        return [words[0][1:], *words[1:]]
    return words


def _in_order(words: Sequence[str], generation: Sequence[str], vendor: Vendor) -> list[str]:
    """The order of words differs between hosts, so it cannot be part of the name."""
    tiers = [word for word in vendor.tiers if word in words]
    others = sorted((word for word in words if word not in tiers), key=order)
    if vendor.any_order == "tiers-first":
        return [*tiers, *generation, *others]
    return [*generation, *tiers, *others]


def _glue(words: Sequence[str], row: int, rules: Rules) -> list[str]:
    """A number after another vendor's family name, and every number except the first, belongs to the word before it.

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


def _rolling(words: Sequence[str], family: Family | None, name: str, rules: Rules) -> str:
    for rule in rules.rolling:
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


def _has_digit(text: str) -> bool:
    return any("0" <= letter <= "9" for letter in text)
