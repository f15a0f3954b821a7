"""Releases of two lines in the same repository: `--latest` and `update` stay on theirs, and say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opencode_patcher import pipeline
from opencode_patcher.base.errors import SourceError
from opencode_patcher.base.line import LINES, OPENCODE_1, OPENCODE_2, Line
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release, version_of
from opencode_patcher.cli.options import line_of
from opencode_patcher.upkeep import update
from opencode_patcher.upstream import releases, support
from opencode_patcher.upstream.lock import Lock, packed_file, read_lock
from tests.upstream.fake_upstream import Upstream

EXISTS = "There is also OpenCode 2 (v2.10.1). To build it: opencode-patcher build --line 2"


class Told(SilentReporter):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def lock(upstream: Upstream) -> Lock:
    """The lock's release is the newest of OpenCode 1."""
    for tag in ("v1.1.0", "v2.0.0-pre.20260720", "v2.9.0", "v2.10.1", "v3.0.0-beta.1"):
        upstream.tag(tag)
    return replace(read_lock(), release=releases.list_releases(upstream.source)[-1])


def test_the_newest_release_is_of_the_line(upstream: Upstream, lock: Lock) -> None:
    told = Told()
    assert pipeline.select(Request(source=upstream.source, latest=True), lock, told).tag == "v1.1.0"
    assert told.notes == [EXISTS]


def test_update_stays_on_the_line_and_says_what_else_exists(upstream: Upstream, lock: Lock, store: Store) -> None:
    request = Request(source=upstream.source)
    prospect = update.look(request, store, SilentReporter(), lock=lock, window=support.read_support())
    assert (prospect.newest.tag, prospect.newer) == ("v1.1.0", False)
    assert prospect.note == EXISTS


def test_a_pre_release_counts_while_the_later_line_has_nothing_else(upstream: Upstream) -> None:
    upstream.tag("v2.0.0-pre.20260719")
    upstream.tag("v2.0.0-pre.20260720")
    assert releases.survey(upstream.source).later == "v2.0.0-pre.20260720"


def test_a_source_without_a_later_line_needs_no_words(upstream: Upstream) -> None:
    upstream.tag("v1.2.0-beta.1")
    assert releases.survey(upstream.source).note() == ""


@pytest.mark.parametrize("ref", ["v2.10.1", "2.9.0", "v2.0.0-pre.20260720", "v2.77.0"])
def test_a_release_of_the_later_line_is_refused(upstream: Upstream, lock: Lock, ref: str) -> None:
    with pytest.raises(SourceError, match="is not a release of OpenCode 1") as caught:
        pipeline.select(Request(source=upstream.source, ref=ref), lock)
    assert caught.value.why == "It is one of OpenCode 2. The newest release of OpenCode 1 is v1.1.0."
    assert caught.value.next_step == f"To build it: opencode-patcher build --line 2 {ref}"


def test_a_line_that_nobody_knows_yet_cannot_be_built(upstream: Upstream, lock: Lock) -> None:
    with pytest.raises(SourceError, match="is not a release of OpenCode 1") as caught:
        pipeline.select(Request(source=upstream.source, ref="v3.0.0-beta.1"), lock)
    assert "cannot build OpenCode 3" in caught.value.why


def test_the_second_line_has_its_own_releases(upstream: Upstream, lock: Lock) -> None:
    found = releases.survey(upstream.source, OPENCODE_2)
    assert [release.tag for release in found.releases] == ["v2.0.0-pre.20260720", "v2.9.0", "v2.10.1"]
    assert found.releases[0].number == "2.0.0-pre.20260720"
    assert releases.latest(found.releases, OPENCODE_2).tag == "v2.10.1"
    assert found.note().endswith("the newest that it builds is OpenCode 2.")


def test_pre_releases_are_over_once_their_release_is_there(upstream: Upstream, lock: Lock) -> None:
    upstream.tag("v2.0.0")
    assert releases.list_releases(upstream.source, OPENCODE_2)[0].tag == "v2.0.0"


def test_a_release_of_the_first_line_is_refused_for_the_second(upstream: Upstream, lock: Lock) -> None:
    request = Request(source=upstream.source, ref="v1.1.0", line=OPENCODE_2)
    lock = replace(lock, release=releases.list_releases(upstream.source, OPENCODE_2)[-1])
    with pytest.raises(SourceError, match=r"v1\.1\.0 is not a release of OpenCode 2") as caught:
        pipeline.select(request, lock)
    assert caught.value.next_step == "To build it: opencode-patcher build --line 1 v1.1.0"


@pytest.mark.parametrize(
    ("major", "refs", "line"),
    [
        (None, [None], OPENCODE_1),
        (None, ["v2.0.0-pre.20260720"], OPENCODE_2),
        (None, ["2.0.26"], OPENCODE_2),
        (None, ["v1.18.3"], OPENCODE_1),
        ("2", [None], OPENCODE_2),
        ("1", ["v2.0.26"], OPENCODE_1),
        (None, ["latest"], OPENCODE_1),
    ],
)
def test_the_line_is_that_of_the_release(major: str | None, refs: list[str | None], line: Line) -> None:
    assert line_of(major, refs) is line


def test_each_line_has_a_lock_and_a_window() -> None:
    for line in LINES:
        assert line.has(read_lock(packed_file(line)).release.version)
        assert support.of_line(line).tests(read_lock(packed_file(line)).release)


def test_a_release_is_newer_than_the_pre_releases_that_lead_to_it() -> None:
    def release(tag: str) -> Release:
        return Release(version=version_of(tag) or (0, 0, 0), tag=tag, commit="c" * 40)

    ordered = ["v1.18.15", "v2.0.0-pre.20260720", "v2.0.0", "v2.0.26"]
    assert [one.tag for one in sorted(map(release, reversed(ordered)))] == ordered
    assert release("v2.0.0") > release("v2.0.0-pre.20260720")
