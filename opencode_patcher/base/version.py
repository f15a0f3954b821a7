"""Versions of OpenCode, and the release that a tag names. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

Version = tuple[int, int, int]
"""Major, minor and patch; tuples order as semantic versions do."""

_TAG = re.compile(r"v(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})", re.ASCII)
"""No release has a number of more than nine digits, and Python refuses to read numbers with thousands of digits."""


Age = tuple[Version, bool, str]
"""Orders releases: the version, whether it is the release itself and not a pre-release of it, and the tag."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """Releases from ``since`` to ``until``, both included. None means no limit."""

    since: Version | None = None
    until: Version | None = None

    def has(self, version: Version | None) -> bool:
        """Whether the range includes this version. An unknown version (None) is in every range that has no end."""
        if version is None:
            return self.until is None
        return not (self.since and version < self.since) and not (self.until and version > self.until)

    def overlaps(self, other: Range) -> bool:
        """Whether some release can be in both."""
        apart = any(one.until and two.since and one.until < two.since for one, two in ((self, other), (other, self)))
        return not apart


@total_ordering
@dataclass(frozen=True, kw_only=True)
class Release:
    """A release of OpenCode. ``commit`` is the commit that the tag points to, 40 hexadecimal digits.

    The older one is the smaller; a pre-release is older than the release that it leads to.
    """

    version: Version
    tag: str
    commit: str

    def __lt__(self, other: Release) -> bool:
        return self._age < other._age

    @property
    def _age(self) -> tuple[Version, bool, str, str]:
        return *age_of(self.tag, self.version), self.commit

    @property
    def number(self) -> str:
        """The version as upstream's package files write it, without ``v``."""
        return self.tag.removeprefix("v") if parse_pre_release(self.tag) else ".".join(map(str, self.version))


def parse_tag(tag: str) -> Version | None:
    """The version that a release tag names; None for a pre-release and any other tag."""
    found = _TAG.fullmatch(tag)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def parse_pre_release(tag: str) -> Version | None:
    """The version that the tag of a pre-release (``v2.0.0-beta.1``) leads to; None for any other tag."""
    number, dash, _ = tag.partition("-")
    return parse_tag(number) if dash else None


def version_of(tag: str) -> Version | None:
    """The version that the tag of a release or a pre-release leads to; None for any other tag."""
    return parse_tag(tag) or parse_pre_release(tag)


def age_of(tag: str, version: Version) -> Age:
    """How old a release is: the older one has the smaller age."""
    return version, parse_pre_release(tag) is None, tag


def named_tag(ref: str) -> str:
    """The tag that a user means, with or without its ``v``: ``v1.18.3`` for ``1.18.3``."""
    return f"v{ref}" if ref[:1].isdigit() else ref


def printed(text: str) -> str:
    """The version in what ``--version`` prints: ``1.18.3`` in OpenCode 1, ``opencode2 v2.0.0`` in OpenCode 2."""
    return (text.split() or [""])[-1].removeprefix("v")


def tag_of(version: Version) -> str:
    """The tag of a version."""
    return f"v{'.'.join(map(str, version))}"
