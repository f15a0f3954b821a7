"""Releases of OpenCode 2 in the same repository: `--latest` and `update` stay on OpenCode 1, and say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opencode_patcher import pipeline
from opencode_patcher.base.errors import SourceError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store
from opencode_patcher.upkeep import update
from opencode_patcher.upstream import releases, support
from opencode_patcher.upstream.lock import Lock, read_lock
from tests.upstream.fake_upstream import Upstream

CANNOT = "OpenCode 2 exists too (v2.10.1). This version of opencode-patcher cannot build it: it builds OpenCode 1 only."


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
    assert told.notes == [CANNOT]


def test_update_stays_on_the_line_and_says_what_else_exists(upstream: Upstream, lock: Lock, store: Store) -> None:
    request = Request(source=upstream.source)
    prospect = update.look(request, store, SilentReporter(), lock=lock, window=support.read_support())
    assert (prospect.newest.tag, prospect.newer) == ("v1.1.0", False)
    assert prospect.note == CANNOT


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
    assert "builds OpenCode 1 only, not OpenCode 2" in caught.value.why
    assert "newest release is v1.1.0" in caught.value.why
