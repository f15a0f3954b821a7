"""Which releases a source has."""

from __future__ import annotations

import bisect
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from opencode_patcher.base.errors import SourceError
from opencode_patcher.base.line import LINES, OPENCODE_1, Line, of_version
from opencode_patcher.base.text import brief, without_credentials
from opencode_patcher.base.version import Release, named_tag, parse_pre_release, parse_tag, version_of
from opencode_patcher.upstream import remote

TIMEOUT_SECONDS = 120.0
"""How long a server may take to list its tags."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a source has: the ``releases`` of one line, oldest first, and ``later``, the newest tag of a later line
    ("" when there is none; a pre-release counts while nothing else is there).
    """

    releases: tuple[Release, ...]
    later: str = ""

    def note(self) -> str:
        """That a later line exists, and how to build it, if it can be; "" when there is none."""
        if not self.later:
            return ""
        major = self.later.removeprefix("v").partition(".")[0]
        known = of_version(version_of(self.later))
        if known:
            return f"There is also OpenCode {major} ({self.later}). To build it: opencode-patcher build --line {major}"
        return (
            f"There is also OpenCode {major} ({self.later}). This version of opencode-patcher cannot build it: "
            f"the newest that it builds is {LINES[-1].name}."
        )


def parse_listing(text: str, line: Line = OPENCODE_1) -> Listing:
    """What the output of ``git ls-remote --tags`` says, in the order of semantic versions.

    An annotated tag is listed twice, the second time with ``^{}`` and the commit; that one counts.
    """
    commits: dict[str, str] = {}
    for row in text.splitlines():
        commit, _, name = row.partition("\t")
        tag = name.removeprefix("refs/tags/")
        if tag.endswith("^{}"):
            commits[tag.removesuffix("^{}")] = commit
        else:
            commits.setdefault(tag, commit)
    found = sorted(
        Release(tag=tag, version=version, commit=commit)
        for tag, commit in commits.items()
        if (version := parse_tag(tag)) is not None
    )
    finished = {release.version for release in found}
    before = sorted(
        Release(tag=tag, version=version, commit=commit)
        for tag, commit in commits.items()
        if line.pre_releases and (version := parse_pre_release(tag)) is not None and version not in finished
    )
    own = tuple(release for release in sorted([*before, *found]) if line.has(release.version))
    later = [release.tag for release in found if release.version[0] > line.major]
    awaited = [(version, tag) for tag in commits if (version := parse_pre_release(tag)) and version[0] > line.major]
    return Listing(releases=own, later=later[-1] if later else max(awaited, default=(None, ""))[1])


def survey(source: str, line: Line = OPENCODE_1, *, timeout: float = TIMEOUT_SECONDS) -> Listing:
    """What the repository at ``source`` (URL or path) has of a line, and of later ones.

    ``timeout`` is in seconds. Raises SourceError when the source cannot be reached or is not a git repository.
    """
    listing = remote.run(
        "ls-remote",
        "--tags",
        "--",
        remote.address(source),
        line.tags,
        source=source,
        what=f"The releases of {without_credentials(source)} cannot be listed.",
        timeout=timeout,
    )
    return parse_listing(listing.stdout, line)


def list_releases(source: str, line: Line = OPENCODE_1, *, timeout: float = TIMEOUT_SECONDS) -> tuple[Release, ...]:
    """The releases of a line in the repository at ``source``, oldest first. Arguments and errors as in ``survey``."""
    return survey(source, line, timeout=timeout).releases


def latest(releases: Iterable[Release], line: Line = OPENCODE_1) -> Release:
    """The newest of a line's releases. Raises SourceError when there is none."""
    newest = max(releases, default=None)
    if newest is None:
        raise SourceError(
            f"The source has no release of {line.name}.",
            why=f"None of its tags has the form v{line.major}.2.3.",
            next_step=f"Name OpenCode's repository or a copy with its tags with --source. {remote.DEMO_HINT}",
        )
    return newest


def find(releases: Iterable[Release], ref: str, line: Line = OPENCODE_1) -> Release:
    """The release of a line that ``ref`` names (``v1.18.3`` or ``1.18.3``).

    Raises SourceError that names the nearest one.
    """
    known = {release.tag: release for release in releases}
    tag = named_tag(ref)
    if tag in known:
        return known[tag]
    version = version_of(tag)
    if version and not line.has(version):
        other = of_version(version)
        newest = f"The newest release of {line.name} is {latest(known.values(), line).tag}."
        if other:
            raise SourceError(
                f"{brief(ref)} is not a release of {line.name}.",
                why=f"It is one of {other.name}. {newest}",
                next_step=f"To build it: opencode-patcher build --line {other.major} {brief(ref)}",
            )
        raise SourceError(
            f"{brief(ref)} is not a release of {line.name}.",
            why=f"This version of opencode-patcher cannot build OpenCode {version[0]}. {newest}",
            next_step="Without REF, the release of the lock is built.",
        )
    nearest = _nearest(known, tag)
    raise SourceError(
        f"{brief(ref)} is not a release of OpenCode.",
        why=f"The nearest is {nearest.tag}; the newest is {latest(known.values(), line).tag}.",
        next_step=f"Try: opencode-patcher build {nearest.tag}",
    )


def _nearest(known: dict[str, Release], tag: str) -> Release:
    """The release closest to the version that ``tag`` starts with: the next lower or the next higher one."""
    numbers = [int(number) for number in re.findall(r"\d{1,9}", tag)[:3]]
    if not (tag.startswith("v") and numbers):
        alike = difflib.get_close_matches(tag, known, n=1)
        return known[alike[0]] if alike else latest(known.values())
    wanted = (*numbers, 0, 0)[:3]
    ordered = sorted(known.values())
    place = bisect.bisect_left(ordered, wanted, key=lambda release: release.version)
    neighbours = ordered[max(place - 1, 0) : place + 1]
    return min(
        neighbours,
        key=lambda release: [abs(have - want) for have, want in zip(release.version, wanted, strict=True)],
        default=None,
    ) or latest(())
