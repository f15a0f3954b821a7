"""Files of many releases from git's objects, and how the support window is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opencode_patcher.base.errors import SourceError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release, tag_of, version_of
from opencode_patcher.upstream import history, releases, support
from opencode_patcher.upstream.repository import Repository, opened
from tests.upstream.fake_upstream import WORKSPACE, Upstream, fetch

INDEX = "packages/opencode/src/index.ts"


@contextmanager
def fetched(upstream: Upstream, store: Store) -> Iterator[tuple[Repository, tuple[Release, ...]]]:
    listed = releases.list_releases(upstream.source)
    with opened(store, upstream.source) as repository:
        repository.fetch(listed, SilentReporter())
        yield repository, listed


def test_contents_are_available_once_fetched_and_equal_ones_have_one_name(upstream: Upstream, store: Store) -> None:
    upstream.release("v1.0.1", {"README.md": "Another.\n"})
    with fetched(upstream, store) as (repository, listed):
        first, second = map(repository.snapshot, listed)
        entry = first.entry(INDEX)
        assert entry is not None
        assert entry == second.entry(INDEX)
        assert first.entry("README.md") != second.entry("README.md")
        assert repository.objects.blob(entry.name) is None
        assert repository.objects.fetch_absent() == 1
        assert repository.objects.blob(entry.name) == WORKSPACE[INDEX].encode()
        assert repository.objects.fetch_absent() == 0


def test_files_that_were_not_prefetched_are_fetched_when_they_are_read(upstream: Upstream, store: Store) -> None:
    with fetched(upstream, store) as (repository, (release,)):
        snapshot = repository.snapshot(release)
        assert snapshot.prefetch([INDEX, "none"]) == 1
        assert snapshot.prefetch([INDEX]) == 0
        assert snapshot.read(INDEX) == WORKSPACE[INDEX].encode()
        assert snapshot.read("README.md") == WORKSPACE["README.md"].encode()


def test_directories_and_submodules_have_no_content(upstream: Upstream, store: Store) -> None:
    with fetched(upstream, store) as (repository, (release,)):
        snapshot = repository.snapshot(release)
        for path in ("packages", "packages/opencode/src", "none", "README.md/none", "packages/none/x.ts"):
            assert not snapshot.has(path)
            assert snapshot.read(path) is None


def test_the_files_of_a_commit(upstream: Upstream, store: Store) -> None:
    with fetched(upstream, store) as (repository, (release,)):
        snapshot = repository.snapshot(release)
        assert set(snapshot.files()) == set(snapshot.entries()) == set(WORKSPACE)
        assert list(snapshot.files("packages/web/src")) == ["packages/web/src/large.txt"]
        assert list(snapshot.files("none")) == []


def test_many_releases_come_in_one_request_and_only_once(upstream: Upstream, store: Store) -> None:
    for number in range(1, 4):
        upstream.release(f"v1.0.{number}", {"README.md": f"{number}\n"})
    phases: list[str] = []

    class Phases(SilentReporter):
        def phase(self, name: str):  # type: ignore[no-untyped-def]
            phases.append(name)
            return super().phase(name)

    listed = releases.list_releases(upstream.source)
    for _ in range(2):
        fetch(store, upstream.source, *listed, reporter=Phases())
    assert phases == ["Fetching 4 releases"]


def test_a_tag_that_moved_among_many_is_named(upstream: Upstream, store: Store) -> None:
    upstream.release("v1.0.1", {"README.md": "Another.\n"})
    listed = releases.list_releases(upstream.source)
    upstream.commit({"README.md": "Rewritten.\n"})
    upstream.tag("v1.0.1", force=True)
    with pytest.raises(SourceError, match=r"v1\.0\.1 has moved"):
        fetch(store, upstream.source, *listed)


def test_history_has_no_answer_for_an_existing_file_or_an_older_release(upstream: Upstream, store: Store) -> None:
    upstream.release("v1.0.1", {"README.md": "Another.\n"})
    with fetched(upstream, store) as (repository, (first, second)):
        assert history.departures(repository, first, second, [INDEX], SilentReporter()) == {}
        assert history.departures(repository, second, first, [INDEX], SilentReporter()) == {}
        assert history.departures(repository, first, second, [], SilentReporter()) == {}


def test_the_support_window_is_data(tmp_path: Path) -> None:
    window = support.read_support()
    inside = Release(tag="v99.0.0", version=(99, 0, 0), commit="a" * 40)
    assert window.patches(inside)
    assert window.builds(inside)
    support.require_buildable(inside, window)


def test_a_window_can_begin_with_a_pre_release() -> None:
    first = "v2.0.0-pre.2"
    window = support.Support(oldest=first, oldest_built=first, oldest_tested=first)
    tags = ["v2.0.0-pre.1", first, "v2.0.0-pre.3", "v2.0.0", "v2.0.1"]
    releases = [Release(tag=tag, version=version_of(tag) or (0, 0, 0), commit="a" * 40) for tag in tags]
    assert [release.tag for release in releases if window.patches(release)] == tags[1:]


@pytest.mark.parametrize("version", [(0, 1, 0), (1, 15, 0)])
def test_a_release_that_is_too_old_to_build_is_refused(version: tuple[int, int, int]) -> None:
    window = support.Support(oldest="v1.15.0", oldest_built="v1.17.0", oldest_tested="v1.17.0")
    old = Release(tag=tag_of(version), version=version, commit="a" * 40)
    with pytest.raises(SourceError, match="too old") as caught:
        support.require_buildable(old, window)
    assert caught.value.why.startswith("Releases from v1.17.0 on can be built. The patches fit from v1.15.0 on")
    assert "Build v1.17.0 or newer" in caught.value.next_step


@pytest.mark.parametrize("text", ["", "{}", '{"oldest": "1.15", "oldest_built": "v1.17.0"}', '{"oldest": 1}'])
def test_a_damaged_support_window(tmp_path: Path, text: str) -> None:
    file = tmp_path / "support.json"
    file.write_text(text)
    with pytest.raises(SourceError, match="support window"):
        support.read_support(file)
