"""The command line of ``check``, ``patches edit|rebase|refresh`` and ``ci init``, as a user sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Protocol
from xml.etree import ElementTree

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.base import git
from opencode_patcher.base.errors import PatchError, SourceError, UsageError
from opencode_patcher.base.line import OPENCODE_2
from opencode_patcher.base.version import Release
from opencode_patcher.upkeep import rebase_state
from opencode_patcher.upkeep.rebase_state import RebaseState
from tests.upkeep.mend_samples import KITCHEN, KITCHEN_TEXT, Upstream

CommandLine = Callable[..., int]
BROKEN = KITCHEN_TEXT.replace("plate, guest", "guest<&, plate")


class Project(Protocol):
    patches: Path

    def text(self, name: str) -> str: ...

    def rewrite(self, name: str, old: str, new: str) -> None: ...

    def expect(self, name: str, path: str, within: str, pattern: str) -> None: ...


@pytest.fixture
def three(upstream: Upstream) -> Upstream:
    """Releases v1.20.0 and v1.20.1, which fit, and v1.21.0, which does not."""
    upstream.release("v1.20.1", {})
    upstream.release("v1.21.0", {KITCHEN: BROKEN})
    return upstream


def test_check_is_a_matrix_and_the_exit_code_a_verdict(
    three: Upstream, command_line: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line("check", "v1.20.0", "v1.20.1") == 0
    out = capsys.readouterr().out
    assert "v1.20.0 … v1.20.1 (2)" in out
    assert "1 taste  2 label" in out
    assert "2 of 2 releases fit in text, names and meaning" in out
    assert command_line("check", "--all") == 1
    out = capsys.readouterr().out
    assert "2 of 3 releases fit in text, names and meaning" in out
    assert "return carry(guest<&, plate)" in out
    assert command_line("check", "--since", "v1.21.0") == 1
    assert "v1.20.0" not in capsys.readouterr().out


def test_a_quiet_check_shows_what_fails_and_nothing_else(
    three: Upstream, command_line: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line("check", "v1.20.0", "-q") == 0
    assert capsys.readouterr() == ("", "")
    assert command_line("check", "--all", "-q") == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "v1.21.0 fails" in shown.err
    assert "v1.20.0" not in shown.err


def test_without_a_release_the_newest_and_the_locked_one_are_checked(
    three: Upstream, command_line: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line("check", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert [(item["tag"], item["verdict"]) for item in found["releases"]] == [("v1.20.0", "fits"), ("v1.21.0", "fails")]
    (hunk, _) = found["releases"][0]["patches"][0]["files"][0]["hunks"]
    assert (hunk["line"], hunk["function"]) == (11, "serve")
    misfits = found["releases"][1]["patches"][0]["files"][0]["misfits"]
    assert misfits[0]["reason"] == "its lines are not in the file"


@pytest.mark.parametrize("ending", [".html", ".md", ".svg"])
def test_reports_are_well_formed_and_say_the_same(
    three: Upstream, command_line: CommandLine, tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / f"report{ending}"
    assert command_line("check", "--all", "-q", "--report", str(report)) == 1
    text = report.read_text(encoding="utf-8")
    assert "v1.21.0" in text
    assert "2 of 3 releases fit in text, names and meaning" in text
    if ending == ".svg":
        assert ElementTree.fromstring(text).tag.endswith("svg")
    elif ending == ".html":
        HTMLParser().feed(text)
        assert "guest&lt;&amp;, plate" in text
        assert "src/kitchen.ts:11 in serve" in text
    else:
        assert "guest<&, plate" in text


@pytest.fixture
def relied_on(three: Upstream, project: Project) -> Upstream:
    """The patches rely on the heat of the oven, and v1.20.2 has another; v1.21.0 does not fit."""
    project.expect("heat", KITCHEN, "prepare", r"heat\(180\)")
    three.release("v1.20.2", {KITCHEN: KITCHEN_TEXT.replace("180", "200")})
    return three


def test_meaning_has_its_own_mark_and_says_what_to_look_at(
    relied_on: Upstream, command_line: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line("check", "v1.20.1") == 0
    assert command_line("check", "v1.20.1", "v1.20.2", "v1.21.0") == 1
    out = capsys.readouterr().out
    marks = {line.split()[0]: line.split()[3:6] for line in out.splitlines() if line.startswith("v1.2") and "✓" in line}
    assert marks["v1.20.1"] == ["✓", "✓", "✓"]
    assert marks["v1.20.2"] == ["✓", "✓", "!"]
    assert "has to be looked at" in out
    assert f"heat ({KITCHEN}, prepare): it has no heat" in out
    assert "Guests count on it." in out
    assert "Look at: taste.ts" in out
    assert "1 of 3 releases fit in text, names and meaning. 1 differ in code that the feature relies on." in out


def test_what_to_look_at_for_machines(
    relied_on: Upstream, command_line: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line("check", "v1.20.2", "--json") == 1
    (found,) = json.loads(capsys.readouterr().out)["releases"]
    assert found["verdict"] == "differs"
    assert found["marks"] == {"text": "✓", "names": "✓", "meaning": "!"}
    assert [(item["name"], item["look"]) for item in found["differences"]] == [("heat", "taste.ts")]


@pytest.mark.parametrize("ending", [".html", ".md", ".svg"])
def test_reports_have_the_mark(
    relied_on: Upstream, command_line: CommandLine, tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / f"report{ending}"
    assert command_line("check", "v1.20.2", "-q", "--report", str(report)) == 1
    text = report.read_text(encoding="utf-8")
    assert "meaning" in text
    assert "has to be looked at" in text
    assert ("Look at: taste.ts" in text) == (ending != ".svg")


def test_a_report_of_an_unknown_format_is_refused_before_any_work(
    three: Upstream, command_line: CommandLine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line("check", "--report", str(tmp_path / "report.pdf")) == UsageError.exit_code
    assert "report.html" in capsys.readouterr().err
    assert list(tmp_path.glob("report*")) == []


@pytest.mark.parametrize("words", [("v1.20.9",), ("--since", "nightly"), ("main",)])
def test_a_tag_that_is_no_release(
    three: Upstream, command_line: CommandLine, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line("check", *words) == SourceError.exit_code
    assert "is not a release of OpenCode" in capsys.readouterr().err


def test_releases_can_be_named_in_only_one_way(command_line: CommandLine, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line("check", "v1.20.0", "--all") == UsageError.exit_code


def test_a_release_that_is_older_than_the_window_is_not_judged(
    three: Upstream, command_line: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    three.release("v1.2.0", {KITCHEN: BROKEN})
    assert command_line("check", "v1.2.0") == 0
    assert "older than the support window" in capsys.readouterr().out
    assert command_line("build", "v1.2.0", "-q") == SourceError.exit_code
    assert "too old to build" in capsys.readouterr().err


def test_a_malformed_patch_is_named(
    three: Upstream, project: Project, command_line: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    project.rewrite("taste", "@@ -14,1 +15,2 @@", "@@ -14,3 +15,2 @@")
    assert command_line("check", "v1.20.0", "-q") == PatchError.exit_code
    assert "patch 'taste'" in capsys.readouterr().err


def test_refresh_changes_nothing_and_says_so(
    project: Project, command_line: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    before = project.text("taste"), project.text("label")
    assert command_line("patches", "refresh", "--check", "-q") == 0
    assert command_line("patches", "refresh") == 0
    assert "up to date" in capsys.readouterr().out
    assert (project.text("taste"), project.text("label")) == before


def test_from_a_conflict_to_a_refreshed_patch(
    three: Upstream, project: Project, command_line: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line("patches", "rebase", "v1.21.0", "-q") == PatchError.exit_code
    said = capsys.readouterr().err
    assert "patches rebase --continue" in said
    tree = Path(said.split("The conflict is in ")[1].split(";")[0])
    text = BROKEN.replace("  return carry", "  CombinedTaste.taste(plate)\n  return carry")
    (tree / KITCHEN).write_text(
        text.replace("export * as", 'import { CombinedTaste } from "./combined/taste"\nexport * as')
    )
    git.run("add", "--", KITCHEN, cwd=tree)
    assert command_line("patches", "rebase", "--continue", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["work_tree"], found["release"], found["patch"]) == (str(tree), "v1.21.0", None)
    assert found["next_step"].endswith("opencode-patcher patches refresh")
    assert command_line("patches", "refresh", "--dry-run", "-q") == 1
    assert command_line("patches", "refresh") == 0
    assert "Updated: taste" in capsys.readouterr().out
    assert command_line("check", "v1.21.0", "-q") == 0
    assert command_line("patches", "rebase", "--abort", "-q") == UsageError.exit_code


def test_edit_of_an_unknown_patch_names_the_nearest(
    command_line: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line("patches", "edit", "tastes") == PatchError.exit_code
    assert "taste" in capsys.readouterr().err


def test_rebase_needs_a_release(command_line: CommandLine, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line("patches", "rebase") == UsageError.exit_code
    assert command_line("patches", "rebase", "v1.20.0", "--abort") == UsageError.exit_code


def test_an_installed_package_is_not_edited(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from opencode_patcher.base import resources

    monkeypatch.setattr(resources, "is_checkout", lambda: False)
    assert command_line("patches", "refresh") == UsageError.exit_code
    assert "checkout of the project" in capsys.readouterr().err


def test_patches_of_opencode_2_are_named_by_their_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["patches", "list", "--line", "2", "--json"]) == 0
    names = {patch["name"] for patch in json.loads(capsys.readouterr().out)["patches"]}
    assert {"step", "catalogue"} <= names
    assert run(["patches", "show", "step"]) == PatchError.exit_code
    said = capsys.readouterr().err
    assert "It is a patch of OpenCode 2." in said
    assert "Add: --line 2" in said


def test_a_work_tree_of_a_pre_release_is_one_of_its_line(tmp_path: Path) -> None:
    release = Release(version=(2, 0, 0), tag="v2.0.0-pre.20260720", commit="0" * 40)
    rebase_state.write(tmp_path, RebaseState(release=release, base=release, queue=("step",)))
    found = rebase_state.read(tmp_path)
    assert found is not None
    assert found.release == release
    assert found.line is OPENCODE_2
