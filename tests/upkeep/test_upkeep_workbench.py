"""``patches edit``, ``rebase`` and ``refresh``: one commit a patch, conflicts of git, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from opencode_patcher.base import git
from opencode_patcher.base.errors import PatchError, UsageError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store
from opencode_patcher.patchset.series import Series
from opencode_patcher.upkeep import workbench, writeback
from opencode_patcher.upkeep.workbench import Workbench
from opencode_patcher.upstream import releases
from tests.upkeep.mend_samples import KITCHEN, KITCHEN_TEXT, MENU, Upstream

CHANGED = KITCHEN_TEXT.replace("return carry(plate, guest)", "return carry(plate, guest, true)")


class Project(Protocol):
    patches: Path

    @property
    def series(self) -> Series: ...

    def text(self, name: str) -> str: ...

    def rewrite(self, name: str, old: str, new: str) -> None: ...


def start(store: Store, upstream: Upstream, project: Project, tag: str, stop_at: str = "") -> Workbench:
    listed = releases.list_releases(upstream.source)
    base, release = releases.find(listed, "v1.20.0"), releases.find(listed, tag)
    return workbench.start(store, upstream.source, base, release, project.series, SilentReporter(), stop_at=stop_at)


def resume(store: Store, project: Project) -> Workbench:
    return workbench.resume(workbench.require(store), project.series, SilentReporter())


def said(bench: Workbench, *arguments: str) -> str:
    return git.run("-C", bench.path, *arguments).stdout


def write_back(store: Store, project: Project) -> tuple[str, ...]:
    texts = writeback.from_commits(workbench.require(store), project.series)
    return writeback.write(project.patches, project.series, texts)


def test_one_commit_per_patch(store: Store, upstream: Upstream, project: Project) -> None:
    bench = start(store, upstream, project, "v1.20.0")
    assert said(bench, "log", "--reverse", "--format=%s", "v1.20.0..HEAD").splitlines() == [
        "taste: Taste before serving",
        "label: Name the release on the menu",
    ]
    assert said(bench, "status", "--porcelain") == ""
    assert said(bench, "show", "--name-only", "--format=", "HEAD").split() == [MENU]
    assert write_back(store, project) == ()


def test_an_edited_patch_is_amended_and_the_others_follow(store: Store, upstream: Upstream, project: Project) -> None:
    before = project.text("label")
    bench = start(store, upstream, project, "v1.20.0", stop_at="taste")
    assert said(bench, "log", "-1", "--format=%s").startswith("taste: ")
    path = bench.path / KITCHEN
    path.write_text(path.read_text().replace("taste(plate)", "taste(plate, guest)"))
    with pytest.raises(UsageError, match="not finished"):
        writeback.from_commits(workbench.require(store), project.series)
    resume(store, project)
    assert write_back(store, project) == ("taste",)
    assert "+  CombinedTaste.taste(plate, guest)\n" in project.text("taste")
    assert project.text("label") == before


def test_a_conflict_has_three_stages_and_can_be_resolved(store: Store, upstream: Upstream, project: Project) -> None:
    upstream.release("v1.21.0", {KITCHEN: CHANGED})
    before = project.text("taste")
    with pytest.raises(PatchError, match=r"does not fit v1\.21\.0") as caught:
        start(store, upstream, project, "v1.21.0")
    assert "--continue" in caught.value.next_step
    bench = workbench.require(store)
    stages = [line.split()[2] for line in said(bench, "ls-files", "--unmerged").splitlines()]
    assert stages == ["1", "2", "3"]
    assert said(bench, "show", f":1:{KITCHEN}") == KITCHEN_TEXT
    assert said(bench, "show", f":2:{KITCHEN}") == CHANGED
    assert "CombinedTaste.taste(plate)" in said(bench, "show", f":3:{KITCHEN}")
    assert project.text("taste") == before

    with pytest.raises(UsageError, match="not resolved"):
        resume(store, project)
    path = bench.path / KITCHEN
    path.write_text(
        CHANGED.replace("  return carry", "  CombinedTaste.taste(plate)\n  return carry").replace(
            "export * as", 'import { CombinedTaste } from "./combined/taste"\nexport * as'
        )
    )
    resume(store, project)
    assert write_back(store, project) == ("taste",)
    assert "   return carry(plate, guest, true)\n" in project.text("taste")
    assert project.text("taste").split("diff --git")[0] == before.split("diff --git")[0]


def test_aborting_leaves_everything_unchanged(store: Store, upstream: Upstream, project: Project) -> None:
    upstream.release("v1.21.0", {KITCHEN: CHANGED})
    before = project.text("taste")
    with pytest.raises(PatchError):
        start(store, upstream, project, "v1.21.0")
    workbench.abort(store, workbench.require(store))
    assert project.text("taste") == before
    with pytest.raises(UsageError, match="No work tree"):
        workbench.require(store)
    start(store, upstream, project, "v1.20.0")


def test_only_one_work_tree_at_a_time(store: Store, upstream: Upstream, project: Project) -> None:
    start(store, upstream, project, "v1.20.0")
    with pytest.raises(UsageError, match=r"already open, for v1\.20\.0"):
        start(store, upstream, project, "v1.20.0")


def test_a_deleted_file_is_a_conflict_that_names_the_commit(store: Store, upstream: Upstream, project: Project) -> None:
    upstream.commit("Close the kitchen", {KITCHEN: None})
    upstream.release("v1.21.0", {})
    notes: list[str] = []

    class Notes(SilentReporter):
        def note(self, text: str) -> None:
            notes.append(text)

    listed = releases.list_releases(upstream.source)
    with pytest.raises(PatchError, match=f"{KITCHEN} is not in v1.21.0"):
        workbench.start(store, upstream.source, listed[0], listed[1], project.series, Notes())
    assert any("Close the kitchen" in note for note in notes)
    stages = [line.split()[2] for line in said(workbench.require(store), "ls-files", "--unmerged").splitlines()]
    assert stages == ["1", "3"]


def test_a_moved_file_is_followed_and_recorded(store: Store, upstream: Upstream, project: Project) -> None:
    new = "packages/opencode/src/cooking/kitchen.ts"
    upstream.release("v1.21.0", {KITCHEN: None, new: KITCHEN_TEXT})
    start(store, upstream, project, "v1.21.0")
    assert write_back(store, project) == ("taste",)
    assert f"Touches: {new} <- {KITCHEN}" in project.text("taste")


def test_uncommitted_changes_are_not_lost(store: Store, upstream: Upstream, project: Project) -> None:
    bench = start(store, upstream, project, "v1.20.0")
    (bench.path / MENU).write_text("export {}\n")
    with pytest.raises(UsageError, match="not committed"):
        write_back(store, project)


def test_a_commit_without_a_patch_is_refused(store: Store, upstream: Upstream, project: Project) -> None:
    bench = start(store, upstream, project, "v1.20.0")
    (bench.path / MENU).write_text("export {}\n")
    said(bench, "commit", "--quiet", "--all", "--message=Something else")
    with pytest.raises(PatchError, match="Something else"):
        write_back(store, project)


def amend(bench: Workbench, path: str, text: str | None) -> None:
    place = bench.path / path
    if text is None:
        place.unlink()
    else:
        place.write_text(text)
    said(bench, "add", "--all")
    said(bench, "commit", "--quiet", "--amend", "--no-edit")


def test_a_commit_outside_the_declared_files_is_refused(store: Store, upstream: Upstream, project: Project) -> None:
    amend(start(store, upstream, project, "v1.20.0"), "packages/opencode/src/oven.ts", "export class Oven { }\n")
    with pytest.raises(PatchError, match=r"oven\.ts, which is not allowed"):
        write_back(store, project)


def test_a_commit_that_adds_a_file_is_refused(store: Store, upstream: Upstream, project: Project) -> None:
    amend(start(store, upstream, project, "v1.20.0"), "packages/opencode/src/new.ts", "export {}\n")
    with pytest.raises(PatchError, match=r"new\.ts, which is not allowed"):
        write_back(store, project)


def test_a_link_in_the_place_of_a_file_is_refused(store: Store, upstream: Upstream, project: Project) -> None:
    bench = start(store, upstream, project, "v1.20.0")
    (bench.path / MENU).unlink()
    (bench.path / MENU).symlink_to("oven.ts")
    said(bench, "commit", "--quiet", "--all", "--amend", "--no-edit")
    with pytest.raises(PatchError, match=r"menu\.ts, which is not allowed"):
        write_back(store, project)
    assert not (project.patches / "label.patch").is_symlink()


def test_a_release_that_fits_needs_no_work_tree(store: Store, upstream: Upstream, project: Project) -> None:
    from opencode_patcher.upstream.repository import opened

    release = upstream.release("v1.20.1", {KITCHEN: "// a note\n" + KITCHEN_TEXT})
    with opened(store, upstream.source) as repository:
        repository.fetch([release], SilentReporter())
        texts = writeback.from_release(repository.snapshot(release), release, project.series)
    assert writeback.changed(project.series, texts) == ()
