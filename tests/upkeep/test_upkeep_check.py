"""``check``: each release's state, straight from git's objects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from opencode_patcher.base import git
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store
from opencode_patcher.patchset.check import FileCheck, PatchStatus, ReleaseCheck
from opencode_patcher.patchset.place import Reason
from opencode_patcher.upkeep import release_check
from opencode_patcher.upkeep.release_check import Fit, judge
from opencode_patcher.upstream import releases
from opencode_patcher.upstream.support import Support
from tests.upkeep.mend_samples import KITCHEN, KITCHEN_TEXT, MENU, MENU_TEXT, OURS, Upstream

Check = Callable[..., Any]
MOVED = "packages/opencode/src/cooking/kitchen.ts"
WINDOW = Support(oldest="v1.0.0", oldest_built="v1.20.0", oldest_tested="v1.20.0")
OVEN = "packages/opencode/src/oven.ts"
BELOW = KITCHEN_TEXT.replace("./oven", "../oven")


class Project(Protocol):
    patches: Path
    templates: Path

    def rewrite(self, name: str, old: str, new: str) -> None: ...

    def expect(self, name: str, path: str, within: str, pattern: str) -> None: ...


def only(check: Check, upstream: Upstream, tag: str, files: dict[str, str | None]) -> ReleaseCheck:
    found: ReleaseCheck
    (found,) = check(upstream.release(tag, files)).checks
    return found


def state(found: ReleaseCheck, patch: str) -> PatchStatus:
    return next(item.state for item in found.patches if item.patch == patch)


def file(found: ReleaseCheck, patch: str) -> FileCheck:
    return next(item for item in found.patches if item.patch == patch).files[0]


def test_the_release_that_it_was_written_for(check: Check, upstream: Upstream) -> None:
    found = only(check, upstream, "v1.20.1", {})
    assert found.fits
    assert {item.state for item in found.patches} == {PatchStatus.APPLIES}
    landed = [(at.line, at.function) for at in file(found, "taste").placements]
    assert landed == [(11, "serve"), (14, "")]


def test_lines_above_move_a_hunk(check: Check, upstream: Upstream) -> None:
    found = only(check, upstream, "v1.20.1", {KITCHEN: "// a note\n\n" + KITCHEN_TEXT})
    assert found.fits
    assert state(found, "taste") is PatchStatus.NEW_PLACE
    assert [at.offset for at in file(found, "taste").placements] == [2, 2]
    assert state(found, "label") is PatchStatus.APPLIES


def test_a_hunk_that_upstream_already_has(check: Check, upstream: Upstream) -> None:
    name = 'const text = name + "v1.20.1"'
    found = only(check, upstream, "v1.20.1", {MENU: MENU_TEXT.replace("const text = name", name)})
    assert state(found, "label") is PatchStatus.ALREADY
    assert found.fits


def test_a_conflict_says_what_was_expected_and_where_the_function_is(check: Check, upstream: Upstream) -> None:
    changed = KITCHEN_TEXT.replace("return carry(plate, guest)", "return carry(plate, guest, true)")
    found = only(check, upstream, "v1.20.1", {KITCHEN: changed})
    assert state(found, "taste") is PatchStatus.CONFLICT
    assert not found.applies
    assert [misfit.reason for misfit in file(found, "taste").misfits] == [Reason.NOT_FOUND]
    assert "return carry(plate, guest)" in file(found, "taste").explanation
    assert "return carry(plate, guest, true)" in file(found, "taste").explanation
    assert "serve begins on line 9" in file(found, "taste").explanation


def test_a_moved_file_is_followed_through_history_and_the_commit_is_named(check: Check, upstream: Upstream) -> None:
    upstream.commit("work", {"packages/opencode/src/other.ts": "export {}\n"})
    commit = upstream.commit("Tidy the kitchen", {KITCHEN: None, MOVED: BELOW})
    found = only(check, upstream, "v1.21.0", {"packages/opencode/src/more.ts": "export {}\n"})
    assert state(found, "taste") is PatchStatus.MOVED
    assert file(found, "taste").path == MOVED
    assert commit[:12] in file(found, "taste").explanation
    assert "Tidy the kitchen" in file(found, "taste").explanation
    assert found.applies
    assert [name.what for name in found.missing] == ["the module ../kitchen", "the module ./combined/taste"]


def test_a_file_that_moves_twice_is_followed(check: Check, upstream: Upstream) -> None:
    upstream.commit("Once", {KITCHEN: None, "packages/opencode/src/a/kitchen.ts": BELOW})
    upstream.commit("Twice", {"packages/opencode/src/a/kitchen.ts": None, MOVED: BELOW})
    found = only(check, upstream, "v1.21.0", {})
    assert file(found, "taste").path == MOVED


def test_a_deleted_file_names_the_commit(check: Check, upstream: Upstream) -> None:
    commit = upstream.commit("Close the kitchen", {KITCHEN: None})
    found = only(check, upstream, "v1.21.0", {})
    assert state(found, "taste") is PatchStatus.GONE
    assert f"deleted by {commit[:12]}" in file(found, "taste").explanation
    assert not found.applies


def test_the_deletion_may_be_the_first_commit_after_the_release(check: Check, upstream: Upstream) -> None:
    commit = upstream.commit("First of all", {KITCHEN: None})
    upstream.git("switch", "--quiet", "--detach")
    upstream.git("tag", "v1.21.0")
    upstream.git("switch", "--quiet", "dev")
    (found,) = check(releases.latest(releases.list_releases(upstream.source))).checks
    assert commit[:12] in file(found, "taste").explanation


def test_a_missing_file_without_history_gets_a_hint_but_is_not_followed(check: Check, upstream: Upstream) -> None:
    upstream.commit("New kitchen", {MOVED: BELOW})
    upstream.commit("Old kitchen away", {KITCHEN: None})
    found = only(check, upstream, "v1.21.0", {})
    assert state(found, "taste") is PatchStatus.GONE
    assert f"Touches: {MOVED} <- {KITCHEN}" in file(found, "taste").explanation


def test_a_stated_older_place_is_used(check: Check, upstream: Upstream, project: Project) -> None:
    project.rewrite("label", f"Touches: {MENU}", f"Touches: {MENU} <- packages/opencode/src/card.ts")
    found = only(check, upstream, "v1.20.1", {MENU: None, "packages/opencode/src/card.ts": MENU_TEXT})
    assert state(found, "label") is PatchStatus.NEW_PLACE
    assert file(found, "label").path == "packages/opencode/src/card.ts"


@pytest.mark.parametrize(
    ("marker", "tag", "expected"),
    [
        ("since v1.21.0", "v1.20.1", PatchStatus.NOT_NEEDED),
        ("since v1.21.0", "v1.21.0", PatchStatus.GONE),
        ("until v1.20.0", "v1.20.1", PatchStatus.NOT_NEEDED),
        ("until v1.21.0", "v1.21.0", PatchStatus.GONE),
    ],
)
def test_a_file_that_only_some_releases_have(
    check: Check, upstream: Upstream, project: Project, marker: str, tag: str, expected: PatchStatus
) -> None:
    project.rewrite("label", f"Touches: {MENU}", f"Touches: {MENU} {marker}")
    assert state(only(check, upstream, tag, {MENU: None}), "label") is expected


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ({KITCHEN: KITCHEN_TEXT.replace("function prepare", "function cook")}, "Kitchen.prepare"),
        ({KITCHEN: KITCHEN_TEXT.replace("as Kitchen", "as Cookery")}, "Kitchen in"),
        ({KITCHEN: KITCHEN_TEXT.replace("const plate", "const dishes")}, "plate in serve"),
    ],
)
def test_names_that_no_longer_exist(
    check: Check, upstream: Upstream, project: Project, files: dict[str, str | None], missing: str
) -> None:
    if "Cookery" in str(files):
        project.rewrite("taste", "as Kitchen", "as Cookery")
    found = only(check, upstream, "v1.20.1", files)
    assert found.applies
    assert not found.fits
    assert [name.what for name in found.missing if missing in name.what]


def test_the_place_of_an_insert_that_cannot_work_is_reported(check: Check, upstream: Upstream) -> None:
    early = KITCHEN_TEXT.replace("  return carry(plate, guest)", "  return plate\n  return carry(plate, guest)")
    found = only(check, upstream, "v1.20.1", {KITCHEN: early})
    assert found.applies
    assert not found.works
    assert [(flaw.file, flaw.line, flaw.function) for flaw in found.flaws] == [(KITCHEN, 12, "serve")]
    assert "never reached after line 11" in found.flaws[0].what
    assert judge(found, WINDOW) is Fit.FAILS


def test_changed_code_that_the_feature_relies_on(check: Check, upstream: Upstream, project: Project) -> None:
    project.expect("heat", KITCHEN, "prepare", r"heat\(180\)")
    same = only(check, upstream, "v1.20.1", {})
    assert (same.fits, same.differences) == (True, ())
    found = only(check, upstream, "v1.20.2", {KITCHEN: KITCHEN_TEXT.replace("180", "200")})
    assert found.works
    assert not found.fits
    assert [(item.expectation.name, item.place) for item in found.differences] == [("heat", f"{KITCHEN}, prepare")]
    assert judge(found, WINDOW) is Fit.DIFFERS


def test_a_file_that_only_an_expectation_is_about_is_fetched(
    check: Check, upstream: Upstream, project: Project
) -> None:
    project.expect("oven", OVEN, "", "class Oven")
    assert only(check, upstream, "v1.20.1", {}).fits
    assert [item.found for item in only(check, upstream, "v1.20.2", {OVEN: "export {}\n"}).differences] == [
        "it has no class Oven"
    ]


def test_a_new_file_that_upstream_has_too(check: Check, upstream: Upstream) -> None:
    found = only(check, upstream, "v1.20.1", {OURS: "export {}\n"})
    assert not found.applies
    assert OURS in found.problems[0]


def test_many_releases_at_once(check: Check, upstream: Upstream) -> None:
    wanted = [upstream.release(f"v1.20.{number}", {KITCHEN: "\n" * number + KITCHEN_TEXT}) for number in range(1, 6)]
    found = check(*wanted).checks
    assert [item.tag for item in found] == [item.tag for item in wanted]
    assert [file(item, "taste").placements[0].line for item in found] == [12, 13, 14, 15, 16]


def test_verdicts_follow_the_support_window(check: Check, upstream: Upstream) -> None:
    changed = KITCHEN_TEXT.replace("const plate", "const dishes")
    found = only(check, upstream, "v1.20.1", {KITCHEN: changed})
    assert judge(found, WINDOW) is Fit.FAILS
    assert judge(found, Support(oldest="v1.0.0", oldest_built="v1.21.0", oldest_tested="v1.21.0")) is Fit.APPLIES
    assert judge(found, Support(oldest="v1.21.0", oldest_built="v1.21.0", oldest_tested="v1.21.0")) is Fit.TOO_OLD


def test_no_work_tree_is_made(check: Check, upstream: Upstream, tmp_path: Path) -> None:
    only(check, upstream, "v1.20.1", {})
    assert not (tmp_path / "store" / "trees").exists()


def test_a_source_without_history_still_says_what_is_missing(
    upstream: Upstream, project: Project, tmp_path: Path, store: Store
) -> None:
    upstream.commit("Close the kitchen", {KITCHEN: None})
    upstream.release("v1.21.0", {})
    shallow = tmp_path / "shallow"
    git.run("clone", "--quiet", "--depth=1", "--branch=v1.21.0", f"file://{upstream.path}", shallow)
    (release,) = releases.list_releases(str(shallow))
    known = releases.list_releases(upstream.source)[0]
    warned: list[str] = []

    class Warned(SilentReporter):
        def warn(self, text: str) -> None:
            warned.append(text)

    ours = release_check.Ours(patches=project.patches, templates=project.templates)
    (found,) = release_check.check_releases(str(shallow), [release], known, store, Warned(), ours).checks
    assert state(found, "taste") is PatchStatus.GONE
    assert "history cannot be read" in warned[0]
