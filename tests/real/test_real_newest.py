"""Level 3: the newest release that the source has is built and drilled.

``make test-upstream`` has the first test; the whole drill takes minutes: ``make test-newest``. The lock's release is
built and drilled in test_real_build.py.
"""

from __future__ import annotations

import pytest

from opencode_patcher import pipeline
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.install import builds
from opencode_patcher.upstream import DEFAULT_SOURCE, releases
from tests.isolation import Isolation

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def newest_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Apart from the others: while something is built in a store, nobody else can build there."""
    return open_store(tmp_path_factory.mktemp("newest") / "store")


def drilled(store: Store, *, whole: bool) -> builds.DrillResult:
    release = releases.latest(releases.list_releases(DEFAULT_SOURCE))
    proof = pipeline.whole_drill if whole else pipeline.drill
    built = pipeline.build(Request(ref=release.tag), store, SilentReporter(), proof=proof)
    assert built.build.release == release
    assert built.build.drill
    return built.build.drill


def test_it_passes_the_drill_of_every_build(newest_store: Store, bun_on_path: None, isolation: Isolation) -> None:
    with isolation.network():
        verdict = drilled(newest_store, whole=False)
    assert verdict.failed == ()
    assert len(verdict.passed) >= 18


@pytest.mark.newest
def test_it_passes_the_whole_drill(newest_store: Store, bun_on_path: None, isolation: Isolation) -> None:
    with isolation.network():
        verdict = drilled(newest_store, whole=True)
    assert verdict.failed == ()
    assert verdict.whole
    assert len(verdict.passed) > 70
