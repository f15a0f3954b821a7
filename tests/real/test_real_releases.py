"""Level 4: every release of the support window takes every hunk, at the place that it is meant for."""

from __future__ import annotations

import pytest

from opencode_patcher.base import resources
from opencode_patcher.base.line import OPENCODE_1
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store
from opencode_patcher.patchset import newfiles, series
from opencode_patcher.patchset.compose import compose
from opencode_patcher.patchset.values import values_for
from opencode_patcher.upstream import DEFAULT_SOURCE, lock, releases
from opencode_patcher.upstream.repository import opened

pytestmark = pytest.mark.upstream

OLDEST = (1, 17, 0)
NEWEST = (1, 18, 3)


def test_every_hunk_lands_in_its_function_in_every_release(real_store: Store) -> None:
    patches = series.load(resources.patches())
    files = newfiles.load(resources.templates())
    window = [item for item in releases.list_releases(DEFAULT_SOURCE) if OLDEST <= item.version <= NEWEST]
    landed: dict[tuple[str, str, int], set[str]] = {}
    with opened(real_store, DEFAULT_SOURCE) as repository:
        repository.fetch(window, SilentReporter())
        for release in window:
            snapshot = repository.snapshot(release)
            snapshot.prefetch(patches.places())
            values = values_for(OPENCODE_1, release)
            change = compose(patches, files, values, snapshot.read, version=release.version)
            for place in change.placements:
                landed.setdefault((place.patch, place.path, place.hunk), set()).add(place.function)
    assert len(window) >= 25
    assert {patch for patch, _, _ in landed} == {patch.name for patch in patches.patches}
    assert {hunk: functions for hunk, functions in landed.items() if len(functions) > 1} == {}


def test_the_lock_names_a_release_of_the_source() -> None:
    locked = lock.read_lock()
    listed = releases.list_releases(DEFAULT_SOURCE)
    assert releases.find(listed, locked.release.tag) == locked.release
