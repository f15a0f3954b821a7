"""Which releases a source has."""

from __future__ import annotations

import bisect
import difflib
import re
from collections.abc import Iterable

from opencode_patcher.base.errors import SourceError
from opencode_patcher.base.line import OPENCODE_1, Line
from opencode_patcher.base.text import without_credentials
from opencode_patcher.base.version import Release, parse_tag
from opencode_patcher.upstream import remote

TIMEOUT_SECONDS = 120.0
"""How long a server may take to list its tags."""


def parse_listing(text: str) -> tuple[Release, ...]:
    """The releases in the output of ``git ls-remote --tags``, oldest first (by semantic version).

    An annotated tag is listed twice, the second time with ``^{}`` and the commit; that one counts.
    """
    commits: dict[str, str] = {}
    for line in text.splitlines():
        commit, _, name = line.partition("\t")
        tag = name.removeprefix("refs/tags/")
        if tag.endswith("^{}"):
            commits[tag.removesuffix("^{}")] = commit
        else:
            commits.setdefault(tag, commit)
    found = [
        Release(tag=tag, version=version, commit=commit)
        for tag, commit in commits.items()
        if (version := parse_tag(tag)) is not None
    ]
    return tuple(sorted(found))


def list_releases(source: str, line: Line = OPENCODE_1, *, timeout: float = TIMEOUT_SECONDS) -> tuple[Release, ...]:
    """The releases of a line in the repository at ``source`` (URL or path), oldest first.

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
    return parse_listing(listing.stdout)


def latest(releases: Iterable[Release]) -> Release:
    """The newest release. Raises SourceError when there is none."""
    newest = max(releases, default=None)
    if newest is None:
        raise SourceError(
            "The source has no release.",
            why="None of its tags has the form v1.2.3.",
            next_step=f"Name OpenCode's repository or a copy with its tags with --source. {remote.DEMO_HINT}",
        )
    return newest


def find(releases: Iterable[Release], ref: str) -> Release:
    """The release that ``ref`` names (``v1.18.3`` or ``1.18.3``).

    Raises SourceError that names the nearest one.
    """
    known = {release.tag: release for release in releases}
    tag = f"v{ref}" if ref[:1].isdigit() else ref
    if tag in known:
        return known[tag]
    nearest = _nearest(known, tag)
    raise SourceError(
        f"{ref} is not a release of OpenCode.",
        why=f"The nearest is {nearest.tag}; the newest is {latest(known.values()).tag}.",
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
