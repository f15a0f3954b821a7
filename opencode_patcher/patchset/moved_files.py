"""Finds files that upstream moved away from every place the patches name, using upstream's history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from opencode_patcher.base.errors import PatchError, SourceError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.version import Release
from opencode_patcher.patchset import hints
from opencode_patcher.patchset.series import Series
from opencode_patcher.upstream import history
from opencode_patcher.upstream.history import Departure
from opencode_patcher.upstream.repository import Repository

Has = Callable[[str], bool]
"""Whether a release has a file at a path."""


def gone(patches: Series, release: Release, has: Has) -> tuple[str, ...]:
    """The targets (``TouchedFile.path``) that a release should have but does not."""
    targets = [target for patch in patches.patches for target in patch.header.touches]
    return tuple(
        target.path
        for target in targets
        if not target.may_lack(release.version) and not any(has(path) for path in target.places)
    )


def departures(
    patches: Series,
    targets: Sequence[str],
    repository: Repository,
    known: Release,
    release: Release,
    reporter: Reporter,
) -> dict[str, tuple[Departure, ...]]:
    """What happened since ``known``, which has ``targets``, to those that ``release`` lacks; by target, oldest first.

    The caller holds the build mutex. If the source cannot give the history between the two, there is a warning and no
    answer: to the user, the missing file is the error that matters.
    """
    if not targets:
        return {}
    places = {target.path: target.places for patch in patches.patches for target in patch.header.touches}
    try:
        repository.fetch((known, release), reporter)
        had = repository.snapshot(known)
        was = {path: target for target in targets for path in places[target] if had.has(path)}
        found = history.departures(repository, known, release, was, reporter)
    except SourceError as error:
        reporter.warn(f"Upstream's history cannot be read. {error.what}")
        return {}
    return {was[path]: steps for path, steps in found.items()}


def final_places(steps: Mapping[str, Sequence[Departure]], has: Has) -> dict[str, str]:
    """The new places of files that were only moved, by target."""
    return {target: place for target, walked in steps.items() if (place := walked[-1].moved_to) and has(place)}


def follow(
    patches: Series,
    repository: Repository,
    known: Release,
    release: Release,
    reporter: Reporter,
) -> Series:
    """The series for ``release``, with the new places of files that were moved since ``known``.

    Reports which commit moved a file. The caller holds the build mutex. Raises PatchError for a missing file, naming
    the commit that removed it if known.
    """
    has = repository.snapshot(release).has
    missing = gone(patches, release, has)
    steps = departures(patches, missing, repository, known, release, reporter)
    found = final_places(steps, has)
    for target in missing:
        said = "\n".join(f"{step}." for step in steps.get(target, ()))
        if target not in found:
            patch = next(patch for patch in patches.patches if target in [item.path for item in patch.header.touches])
            raise PatchError(
                f"The patch '{patch.name}' does not fit: {target} is not in {release.tag}.",
                why=said
                or f"It is at none of its known places, and the history since {known.tag} does not explain it.",
                next_step=hints.rebase(release.tag),
            )
        reporter.note(f"{said} The patches follow it.")
    return patches.following(found)
