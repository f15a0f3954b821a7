"""What is fetched from a source, and what is not."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_patcher.base import git
from opencode_patcher.base.errors import SourceError, StoreError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.base.version import Release
from opencode_patcher.upstream import releases, remote
from opencode_patcher.upstream.repository import opened, opened_at
from tests.upstream.fake_upstream import WORKSPACE, Upstream, contents, fetch, files

REPORTER = SilentReporter()


def newest(upstream: Upstream) -> Release:
    return releases.latest(releases.list_releases(upstream.source))


def held(repository: Path) -> set[str]:
    """The objects that a repository has, without fetching any."""
    listed = git.run(f"--git-dir={repository}", "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").stdout
    return set(listed.split())


def tags(repository: Path) -> dict[str, str]:
    """The commit of each tag in the store's repository."""
    with opened_at(repository) as reading:
        return reading.objects.tags()


def blobs(upstream: Upstream, commit: str) -> dict[str, str]:
    lines = upstream.git("ls-tree", "-r", commit).splitlines()
    return {line.split("\t")[1]: line.split()[2] for line in lines}


def test_a_fetch_brings_the_commit_and_its_trees_but_no_file(store: Store, upstream: Upstream) -> None:
    release = newest(upstream)
    repository = fetch(store, upstream.source, release)
    assert repository.is_relative_to(store.sources)
    assert release.commit in held(repository)
    assert not held(repository) & set(blobs(upstream, release.commit).values())
    assert files(repository, release.commit) == set(WORKSPACE)


def test_package_files_come_without_the_other_files(store: Store, upstream: Upstream) -> None:
    release = newest(upstream)
    repository = fetch(store, upstream.source, release)
    with opened_at(repository) as reading:
        texts = reading.snapshot(release).package_texts()
    assert texts == {path: text for path, text in WORKSPACE.items() if path.endswith("package.json")}
    wanted = {blob for path, blob in blobs(upstream, release.commit).items() if path.endswith("package.json")}
    assert held(repository) & set(blobs(upstream, release.commit).values()) == wanted


def test_history_is_left_out(store: Store, upstream: Upstream) -> None:
    first = newest(upstream)
    upstream.release("v1.0.1", {"README.md": "new"})
    repository = fetch(store, upstream.source, newest(upstream))
    assert first.commit not in held(repository)


def test_a_neighbour_release_transfers_only_the_difference(store: Store, upstream: Upstream) -> None:
    fetch(store, upstream.source, newest(upstream))
    commit = upstream.release("v1.0.1", {"packages/core/src/core.ts": "export const core = 2\n"})
    repository = remote.path_of(store, upstream.source)
    before = held(repository)
    fetch(store, upstream.source, newest(upstream))
    # the tag, the commit, and the trees on the way to the changed file: root, packages, core, src
    assert len(held(repository) - before) == 6
    assert contents(repository, commit, ["packages/core/src/core.ts"]) == {
        "packages/core/src/core.ts": b"export const core = 2\n"
    }


def test_a_fetched_release_needs_no_source(store: Store, upstream: Upstream) -> None:
    release = newest(upstream)
    repository = fetch(store, upstream.source, release)
    for entry in upstream.path.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    assert fetch(store, upstream.source, release) == repository


def test_a_server_without_filters_still_works(store: Store, make_upstream: Callable[[], Upstream]) -> None:
    plain = make_upstream()
    commit = plain.release("v1.0.0")
    repository = fetch(store, plain.source, newest(plain))
    assert contents(repository, commit, ["README.md"]) == {"README.md": b"The program.\n"}


def test_a_partial_copy_that_cannot_filter_says_what_helps(store: Store, make_upstream: Callable[[], Upstream]) -> None:
    plain = make_upstream()
    blob = blobs(plain, plain.release("v1.0.0"))["README.md"]
    (plain.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SourceError) as caught:
        fetch(store, plain.source, newest(plain))
    assert "lacks some files" in caught.value.why
    assert "uploadpack.allowFilter" in caught.value.next_step


def test_sources_do_not_mix(store: Store, upstream: Upstream, make_upstream: Callable[[], Upstream]) -> None:
    other = make_upstream()
    other.release("v1.0.0", {**WORKSPACE, "README.md": "Another program.\n"})
    for made, text in ((upstream, b"The program.\n"), (other, b"Another program.\n")):
        release = newest(made)
        repository = fetch(store, made.source, release)
        assert contents(repository, release.commit, ["README.md"]) == {"README.md": text}


def test_a_tag_that_moved_is_refused(store: Store, upstream: Upstream) -> None:
    release = newest(upstream)
    moved_to = upstream.commit({"README.md": "tampered"})
    upstream.tag("v1.0.0", force=True)
    with pytest.raises(SourceError) as caught:
        fetch(store, upstream.source, release)
    assert "has moved" in caught.value.what
    assert release.commit in caught.value.why
    assert moved_to in caught.value.why


def test_a_tag_that_the_source_lacks(store: Store, upstream: Upstream) -> None:
    release = Release(tag="v7.0.0", version=(7, 0, 0), commit="1" * 40)
    with pytest.raises(SourceError) as caught:
        fetch(store, upstream.source, release)
    assert "does not have that tag" in caught.value.why


@pytest.mark.parametrize("part", ["HEAD", "config", "opencode-patcher.json", "objects"])
def test_a_half_made_repository_is_made_again(store: Store, upstream: Upstream, part: str) -> None:
    release = newest(upstream)
    repository = fetch(store, upstream.source, release)
    damaged = repository / part
    shutil.rmtree(damaged) if damaged.is_dir() else damaged.unlink()
    assert fetch(store, upstream.source, release) == repository
    assert files(repository, release.commit) == set(WORKSPACE)


def test_leftovers_of_a_killed_git_do_not_matter(store: Store, upstream: Upstream) -> None:
    repository = fetch(store, upstream.source, newest(upstream))
    leftovers = [
        repository / "shallow.lock",
        repository / "refs" / "tags" / "v1.0.1.lock",
        repository / "objects" / "pack" / "tmp_pack_123",
    ]
    for leftover in leftovers:
        leftover.touch()
    upstream.release("v1.0.1", {"README.md": "new"})
    release = newest(upstream)
    fetch(store, upstream.source, release)
    assert tags(repository)["v1.0.1"] == release.commit
    assert not any(leftover.exists() for leftover in leftovers)


def test_the_users_git_settings_change_nothing(
    store: Store, upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text(
        "[core]\n\tautocrlf = true\n[fetch]\n\tprune = true\n\tpruneTags = true\n[safe]\n\tbareRepository = explicit\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    first = newest(upstream)
    repository = fetch(store, upstream.source, first)
    upstream.release("v1.0.1", {"README.md": "new"})
    fetch(store, upstream.source, newest(upstream))
    assert tags(repository)["v1.0.0"] == first.commit


def test_files_that_the_source_does_not_have(store: Store, upstream: Upstream) -> None:
    release = newest(upstream)
    repository = fetch(store, upstream.source, release)
    blob = blobs(upstream, release.commit)["README.md"]
    (upstream.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SourceError, match="cannot be fetched"):
        contents(repository, release.commit, ["README.md"])
    with opened_at(repository) as reading, pytest.raises(SourceError, match="cannot be fetched"):
        reading.snapshot(release).read("README.md")


def test_files_are_read_exactly_as_they_are(store: Store, upstream: Upstream) -> None:
    content = {
        "a.bin": bytes(range(256)),
        "crlf.txt": b"a\r\nb\r\n",
        "empty": b"",
        'name with \u00e4 ".txt': b"x",
    }
    commit = upstream.release("v1.0.1", content)
    repository = fetch(store, upstream.source, newest(upstream))
    wanted = [*content, "packages/none.ts", "packages"]
    assert contents(repository, commit, wanted) == {
        **content,
        "packages/none.ts": None,
        "packages": None,
    }


def test_a_commit_that_was_not_fetched_is_named(store: Store, upstream: Upstream) -> None:
    repository = fetch(store, upstream.source, newest(upstream))
    with pytest.raises(SourceError, match="cannot be read"):
        files(repository, "1" * 40)


def test_git_variables_of_a_caller_change_nothing(
    store: Store, upstream: Upstream, make_upstream: Callable[[], Upstream], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the tool is started from a git hook, or with such variables in the shell, they point to another
    repository."""
    release = newest(upstream)
    other = make_upstream()
    other.release("v1.0.0", {"README.md": "Another program.\n"})
    elsewhere = str(other.path / ".git")
    foreign = {
        "GIT_DIR": elsewhere,
        "GIT_WORK_TREE": str(other.path),
        "GIT_COMMON_DIR": elsewhere,
        "GIT_OBJECT_DIRECTORY": f"{elsewhere}/objects",
        "GIT_INDEX_FILE": f"{elsewhere}/index",
        "GIT_CONFIG_PARAMETERS": "'core.worktree=/elsewhere'",
    }
    for name, value in foreign.items():
        monkeypatch.setenv(name, value)
    repository = fetch(store, upstream.source, release)
    assert contents(repository, release.commit, ["README.md"]) == {"README.md": b"The program.\n"}
    assert tags(repository) == {"v1.0.0": release.commit}
    assert {name: os.environ[name] for name in foreign} == foreign, "the caller's environment is left alone"


def test_a_dollar_in_the_path_of_the_store_is_not_a_variable(
    tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSE", "elsewhere")
    release = newest(upstream)
    repository = fetch(open_store(tmp_path / "$HOUSE"), upstream.source, release)
    assert contents(repository, release.commit, ["README.md"]) == {"README.md": b"The program.\n"}


def test_one_git_process_reads_all_files(
    store: Store, upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = newest(upstream)
    upstream.release("v1.0.1", {"README.md": "new"})
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))
    with opened(store, upstream.source) as repository:
        repository.fetch([release, newest(upstream)], REPORTER)
        for wanted in (release, newest(upstream)):
            snapshot = repository.snapshot(wanted)
            snapshot.prefetch(WORKSPACE)
            assert all(snapshot.read(path) is not None for path in WORKSPACE)
    started = re.findall(r"trace: built-in: git ([\w-]+ --?[\w-]+)", trace.read_text())
    assert started.count("cat-file --batch-all-objects") == 1, "what is there is looked up once after the fetch"
    assert started.count("cat-file --batch") == 1, "one process serves both releases"
    assert "ls-tree" not in trace.read_text()


def test_a_store_that_cannot_be_written(store: Store, upstream: Upstream) -> None:
    store.sources.write_text("in the way")
    with pytest.raises(StoreError):
        fetch(store, upstream.source, newest(upstream))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://example.invalid/a/b", "https://example.invalid/a/b.git/", True),
        ("https://me:secret@example.invalid/a/b", "https://example.invalid/a/b", True),
        ("https://example.invalid/a/b", "https://example.invalid/a-b", False),
        ("git@example.invalid:a/b", "https://example.invalid/a/b", False),
    ],
)
def test_the_directory_of_a_source(one: str, other: str, same: bool) -> None:
    assert (remote.slug(one) == remote.slug(other)) is same
    assert "secret" not in remote.slug(one)
    assert set(remote.slug(one)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
