"""Level 4: what the feature relies on in upstream, release by release, as it was known at v1.18.3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from opencode_patcher.base import resources
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Version
from opencode_patcher.patchset import expectations
from opencode_patcher.patchset.expectations import Expectation
from opencode_patcher.upstream import DEFAULT_SOURCE, releases
from opencode_patcher.upstream.repository import opened

pytestmark = pytest.mark.upstream

KNOWN = (1, 18, 3)
MOVED = {
    (1, 18, 14): {"first-handler-of-acp-events", "retryable-errors"},
    (1, 18, 15): {"order-of-messages", "answer-of-the-newest-message"},
    (1, 18, 20): {"failed-subagents", "stream-errors"},
    (1, 18, 21): {"unfinished-answers"},
}
"""What broke or moved something after v1.18.3, by the release that brought it."""

Differing = Mapping[Version, frozenset[str]]


def differing(expected: tuple[Expectation, ...], store: Store) -> Differing:
    """The names of what differs, for every release of the source from v1.15.0 on."""
    wanted = [item for item in releases.list_releases(DEFAULT_SOURCE) if (1, 15, 0) <= item.version < (2, 0, 0)]
    found: dict[Version, frozenset[str]] = {}
    with opened(store, DEFAULT_SOURCE) as repository:
        repository.fetch(wanted, SilentReporter())
        for release in wanted:
            snapshot = repository.snapshot(release)
            snapshot.prefetch(expectations.places(expected))
            there = expectations.differences(expected, release.version, snapshot.read)
            found[release.version] = frozenset(item.expectation.name for item in there)
    return found


@pytest.fixture(scope="module")
def from_the_state_of_v1_18_3(real_store: Store) -> Differing:
    return differing(expectations.known_at(expectations.load(resources.patches()), KNOWN), real_store)


def test_no_false_alarm_up_to_the_release_that_was_known(from_the_state_of_v1_18_3: Differing) -> None:
    before = {version: names for version, names in from_the_state_of_v1_18_3.items() if version <= KNOWN}
    assert len(before) == 40
    assert {version for version, names in before.items() if names} == set()


@pytest.mark.parametrize("release", sorted(MOVED), ids=lambda version: f"v{'.'.join(map(str, version))}")
def test_what_moved_later_is_found_in_the_release_that_brought_it(
    from_the_state_of_v1_18_3: Differing, release: Version
) -> None:
    if release not in from_the_state_of_v1_18_3:
        pytest.skip(f"NOT TESTED: the source has no v{'.'.join(map(str, release))}")
    versions = sorted(from_the_state_of_v1_18_3)
    before = versions[versions.index(release) - 1]
    new = from_the_state_of_v1_18_3[release] - from_the_state_of_v1_18_3[before]
    assert new >= MOVED[release]


def test_what_is_known_today_covers_every_release_of_the_source(real_store: Store) -> None:
    """Whether the drill has passed with them as well is stated in the forms themselves (``unproven``)."""
    known = [
        replace(item, forms=tuple(replace(form, unproven=False) for form in item.forms))
        for item in expectations.load(resources.patches())
    ]
    found = differing(tuple(known), real_store)
    assert {version: names for version, names in found.items() if names} == {}
