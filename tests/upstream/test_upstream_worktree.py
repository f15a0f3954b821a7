"""The work tree of a release: what is in it, and what a second run does to it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from opencode_patcher.base import git
from opencode_patcher.base.errors import SourceError, StoreError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release
from opencode_patcher.upstream import releases, workspace, worktree
from opencode_patcher.upstream.repository import opened
from opencode_patcher.upstream.worktree import Worktree
from tests.upstream.fake_upstream import Upstream

REPORTER = SilentReporter()
NEVER = "packages/opencode/test/tool/fixtures/models-api.json"


@dataclass(frozen=True)
class Fetched:
    store: Store
    upstream: Upstream

    def release(self) -> Release:
        return releases.latest(releases.list_releases(self.upstream.source))

    def checkout(self, *, web_ui: bool = False, with_tests: bool = False) -> Worktree:
        release = self.release()
        with opened(self.store, self.upstream.source) as repository:
            repository.fetch([release], REPORTER)
            wanted = workspace.closure(repository.snapshot(release).package_texts(), web_ui=web_ui)
            return worktree.checkout(self.store, repository, release, wanted, REPORTER, with_tests=with_tests)


@pytest.fixture
def fetched(store: Store, upstream: Upstream) -> Fetched:
    return Fetched(store, upstream)


def files(made: Worktree) -> set[str]:
    return {
        path.relative_to(made.path).as_posix()
        for path in made.path.rglob("*")
        if path.is_file() and path.name != ".git"
    }


def status(made: Worktree) -> str:
    return git.run("-C", made.path, "status", "--porcelain").stdout


SLIM = {
    ".github/TEAM_MEMBERS",
    "README.md",
    "bun.lock",
    "package.json",
    "packages/core/package.json",
    "packages/core/src/core.ts",
    "packages/opencode/package.json",
    "packages/opencode/src/index.ts",
    "packages/schema/package.json",
    "packages/schema/src/schema.ts",
    "packages/sdk/js/package.json",
    "packages/sdk/js/src/sdk.ts",
    "packages/slack/package.json",
    "patches/left-pad@1.0.0.patch",
}
TESTS = {"packages/core/test/core.test.ts", "packages/opencode/test/index.test.ts"}
WEB_UI = {
    "packages/app/package.json",
    "packages/app/src/app.ts",
    "packages/ui/package.json",
    "packages/ui/src/ui.ts",
}


def test_it_has_exactly_the_closure(fetched: Fetched) -> None:
    made = fetched.checkout()
    assert files(made) == SLIM
    assert status(made) == ""
    assert made.git_dir.is_relative_to(fetched.store.sources)
    assert git.run("-C", made.path, "rev-parse", "HEAD").stdout.strip() == made.release.commit


def test_with_tests_but_without_the_recorded_catalogue(fetched: Fetched) -> None:
    assert files(fetched.checkout(with_tests=True)) == SLIM | TESTS


def test_a_file_that_the_source_lacks_is_not_asked_for(fetched: Fetched) -> None:
    blob = fetched.upstream.git("rev-parse", f"HEAD:{NEVER}")
    (fetched.upstream.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert files(fetched.checkout(with_tests=True)) == SLIM | TESTS


def test_a_second_run_touches_nothing(fetched: Fetched) -> None:
    made = fetched.checkout()
    patched = made.path / "packages/opencode/src/index.ts"
    patched.write_text("patched\n")
    (made.path / "packages/opencode/src/new.ts").write_text("new\n")
    os.utime(patched, ns=(1, 1))
    assert fetched.checkout() == made
    assert patched.read_text() == "patched\n"
    assert patched.stat().st_mtime_ns == 1
    assert files(made) == SLIM | {"packages/opencode/src/new.ts"}


def test_packages_are_added_and_removed_and_changes_stay(fetched: Fetched) -> None:
    made = fetched.checkout()
    (made.path / "packages/opencode/src/index.ts").write_text("patched\n")
    assert files(fetched.checkout(web_ui=True)) == SLIM | WEB_UI
    assert files(fetched.checkout(with_tests=True)) == SLIM | TESTS
    assert files(fetched.checkout()) == SLIM
    assert status(made) == " M packages/opencode/src/index.ts\n"


def test_each_release_has_a_tree_of_its_own_at_a_stable_path(fetched: Fetched) -> None:
    first = fetched.checkout()
    fetched.upstream.release("v1.0.1", {"packages/core/src/core.ts": "export const core = 2\n"})
    second = fetched.checkout()
    assert first.path.parent == second.path.parent
    assert (first.path.name, second.path.name) == ("v1.0.0", "v1.0.1")
    assert (first.path / "packages/core/src/core.ts").read_text() == "export const core = 1\n"
    assert (second.path / "packages/core/src/core.ts").read_text() == "export const core = 2\n"


def test_a_deleted_tree_is_made_again_at_the_same_path(fetched: Fetched) -> None:
    made = fetched.checkout()
    shutil.rmtree(made.path)
    assert fetched.checkout() == made
    assert files(made) == SLIM


def test_a_tree_that_a_killed_run_left_unfinished_is_made_again(fetched: Fetched) -> None:
    made = fetched.checkout()
    (made.git_dir / "opencode-patcher.json").unlink()
    (made.git_dir / "index.lock").touch()
    (made.git_dir / "locked").write_text("initializing")
    (made.path / "package.json").unlink()
    (made.path / "half").write_text("written")
    assert fetched.checkout() == made
    assert files(made) == SLIM


def test_a_record_left_locked_by_a_killed_git_does_not_matter(fetched: Fetched) -> None:
    made = fetched.checkout()
    shutil.rmtree(made.path)
    (made.git_dir / "locked").write_text("initializing")
    assert files(fetched.checkout()) == SLIM


def test_an_empty_directory_does_not_matter(fetched: Fetched) -> None:
    made = fetched.checkout()
    shutil.rmtree(made.path)
    made.path.mkdir()
    assert files(fetched.checkout()) == SLIM


@pytest.mark.parametrize("linked", [True, False])
def test_a_directory_that_is_not_ours_is_refused_and_kept(fetched: Fetched, linked: bool) -> None:
    path = fetched.checkout().path
    shutil.rmtree(path)
    path.mkdir()
    (path / "thesis.txt").write_text("my only copy")
    if linked:
        (path / ".git").write_text("gitdir: /nowhere/worktrees/x\n")
    with pytest.raises(StoreError) as caught:
        fetched.checkout()
    assert str(path) in caught.value.what
    assert (path / "thesis.txt").read_text() == "my only copy"


def test_a_tree_of_another_commit_is_refused_and_kept(fetched: Fetched) -> None:
    made = fetched.checkout()
    (made.path / "README.md").write_text("edited")
    fetched.upstream.commit({"README.md": "tampered"})
    fetched.upstream.tag("v1.0.0", force=True)
    with pytest.raises(StoreError) as caught:
        fetched.checkout()
    assert made.release.commit in caught.value.why
    assert (made.path / "README.md").read_text() == "edited"


def test_an_unreachable_source_leaves_no_tree_that_looks_finished(fetched: Fetched) -> None:
    release = fetched.release()
    away = fetched.upstream.path.with_name("away")
    with opened(fetched.store, fetched.upstream.source) as repository:
        repository.fetch([release], REPORTER)
        wanted = workspace.closure(repository.snapshot(release).package_texts())
        fetched.upstream.path.rename(away)
        with pytest.raises(SourceError) as caught:
            worktree.checkout(fetched.store, repository, release, wanted, REPORTER)
    assert "opencode-patcher demo" in caught.value.next_step
    away.rename(fetched.upstream.path)
    assert files(fetched.checkout()) == SLIM


def test_the_users_git_settings_change_nothing(
    fetched: Fetched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    hook = hooks / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hook-ran\n")
    hook.chmod(0o755)
    settings = tmp_path / "gitconfig"
    settings.write_text(f"[core]\n\tautocrlf = true\n\teol = crlf\n\thooksPath = {hooks}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    made = fetched.checkout()
    assert (made.path / "README.md").read_bytes() == b"The program.\n"
    assert not (tmp_path / "hook-ran").exists()


def test_the_marker_names_what_is_checked_out(fetched: Fetched) -> None:
    made = fetched.checkout()
    marker = json.loads((made.git_dir / "opencode-patcher.json").read_text())
    assert marker["commit"] == made.release.commit
    assert "/packages/core/" in marker["patterns"]
