"""Checks the series against releases, directly in git's objects: no work tree is made and nothing is built."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

from opencode_patcher.base import resources
from opencode_patcher.base.line import OPENCODE_1, Line
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release
from opencode_patcher.patchset import check, expectations, moved_files, newfiles, series
from opencode_patcher.patchset.check import Checker, Content, Read, ReleaseCheck
from opencode_patcher.patchset.values import values_for, values_of
from opencode_patcher.upstream import releases
from opencode_patcher.upstream.history import Departure
from opencode_patcher.upstream.repository import Repository, opened
from opencode_patcher.upstream.snapshot import Snapshot
from opencode_patcher.upstream.support import Support


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The results, in the order in which the releases were named. ``seconds`` is the time for checking them all, once
    their objects were fetched.
    """

    checks: tuple[ReleaseCheck, ...]
    seconds: float


class Fit(StrEnum):
    """The verdict on a release."""

    FITS = "fits"
    DIFFERS = "has to be looked at"
    APPLIES = "applies, is too old to build"
    FAILS = "fails"
    TOO_OLD = "older than the support window"


def judge(found: ReleaseCheck, window: Support) -> Fit:
    """The verdict on a check. FAILS is a failure. DIFFERS needs a person: code that the feature relies on has changed
    since the feature was last proven. Releases older than the window are not judged.
    """
    release = Release(version=found.version, tag=found.tag, commit="")
    if not window.patches(release):
        return Fit.TOO_OLD
    if not window.builds(release):
        return Fit.APPLIES if found.applies and not found.flaws else Fit.FAILS
    if not found.works:
        return Fit.FAILS
    return Fit.FITS if found.fits else Fit.DIFFERS


@dataclass(frozen=True, kw_only=True)
class Ours:
    """Where our patches and templates are."""

    patches: Path = field(default_factory=resources.patches)
    templates: Path = field(default_factory=resources.templates)
    line: Line = OPENCODE_1

    @classmethod
    def of(cls, line: Line) -> Ours:
        """The patches and templates of a line."""
        return cls(patches=resources.patches(line), line=line)


def check_releases(
    address: str, wanted: Sequence[Release], known: Release, store: Store, reporter: Reporter, ours: Ours | None = None
) -> Checked:
    """Check the series against each of ``wanted``, and find out where missing files went.

    ``known`` is a release that has all files: the locked one. The caller holds the build mutex. Raises SourceError when
    objects cannot be fetched, PatchError when a patch is malformed.
    """
    ours = ours or Ours()
    patches = series.load(ours.patches)
    new_files = newfiles.load(ours.templates, ours.line)
    values = values_for(ours.line, known)

    expected = expectations.load(ours.patches)
    used = Checker(patches, new_files, lambda tag: {**values, **values_of(ours.line, tag)}, expected)
    with opened(store, address) as repository:
        repository.fetch(wanted, reporter)
        started = time.perf_counter()
        checks, waited = _check(used, wanted, repository, reporter)
        seconds = time.perf_counter() - started - waited
        for index, found in enumerate(checks):
            if found.gone:
                walked = moved_files.departures(patches, found.gone, repository, known, wanted[index], reporter)
                one = wanted[index]
                checks[index] = _with_history(used, patches, found, walked, one, repository, reporter, ours.line)
    return Checked(checks=tuple(checks), seconds=seconds)


def _check(
    used: Checker, wanted: Sequence[Release], repository: Repository, reporter: Reporter
) -> tuple[list[ReleaseCheck], float]:
    """The checks, and how many seconds fetching took.

    Which contents a check needs only shows when it reads them. Missing ones are treated as empty files with unique
    names, then fetched in one request, and the check is repeated, reusing earlier results.
    """
    waited = 0.0
    while True:
        checks = [used.check(item.tag, item.version, contents(repository.snapshot(item))) for item in wanted]
        if not repository.objects.absent:
            return checks, waited
        started = time.perf_counter()
        with reporter.phase("Fetching the files that the patches touch") as phase:
            phase.detail(f"{repository.objects.fetch_absent()} files")
        waited += time.perf_counter() - started


def contents(snapshot: Snapshot) -> Read:
    """Reads the files of one release, with the blob's id as the content's name."""

    def read(path: str) -> Content | None:
        entry = snapshot.entry(path)
        if entry is None:
            return None
        data = snapshot.objects.blob(entry.name)
        return Content(name=f"absent {entry.name}", data=b"") if data is None else Content(name=entry.name, data=data)

    return read


def _with_history(
    used: Checker,
    patches: series.Series,
    found: ReleaseCheck,
    steps: Mapping[str, Sequence[Departure]],
    release: Release,
    repository: Repository,
    reporter: Reporter,
    line: Line,
) -> ReleaseCheck:
    """The check of a release that lacks files, repeated with the places found in upstream's history."""
    snapshot = repository.snapshot(release)
    if moved := moved_files.final_places(steps, snapshot.has):
        follower = used.with_series(patches.following(moved))
        (found,), _ = _check(follower, [release], repository, reporter)
    said = {target: "\n".join(map(str, walked)) for target, walked in steps.items()}
    for target in found.gone:
        if hint := _hint(patches, target, release, snapshot, line):
            said[target] = "\n".join(part for part in (said.get(target, ""), hint) if part)
    return check.explained(found, said)


def _hint(patches: series.Series, target: str, release: Release, snapshot: Snapshot, line: Line) -> str:
    """Where the hunks for a missing file would fit, among the files of the same name."""
    name = PurePosixPath(target).name
    paths = [path for path in snapshot.files("packages") if PurePosixPath(path).name == name]
    snapshot.prefetch(paths)
    candidates = {path: content for path in paths if (content := snapshot.read(path)) is not None}
    for patch in patches.patches:
        if any(item.path == target for item in patch.header.touches):
            place = check.elsewhere(patch, target, values_for(line, release), candidates)
            if place:
                return f"Its hunks would fit {place}. If that is the same file, write: Touches: {place} <- {target}"
    return ""


def choose(
    listed: Sequence[Release],
    *,
    refs: Sequence[str] = (),
    since: str | None = None,
    everything: bool = False,
    window: Support,
    locked: Release,
    line: Line = OPENCODE_1,
) -> list[Release]:
    """The releases to check, oldest first: those that ``refs`` name, or all from ``since`` on, or ``everything`` in the
    support window; else the newest and the locked one. Raises SourceError for a tag that is not a release.
    """
    if refs:
        return sorted({releases.find(listed, ref, line) for ref in refs})
    if since:
        first = releases.find(listed, since, line)
        return [release for release in listed if release >= first]
    if everything:
        return [release for release in listed if window.patches(release)]
    return sorted({releases.latest(listed, line), *(release for release in listed if release.tag == locked.tag)})
