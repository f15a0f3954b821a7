"""Programs under names of the user's choice: two lines of OpenCode side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.base.version import printed
from opencode_patcher.install import prune
from opencode_patcher.install.systems.posix import Posix
from tests.configuration.config_samples import REPORT
from tests.install.install_samples import make_build, started


def test_both_lines_are_installed_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, bin_dir = open_store(), tmp_path / "bin"
    first = make_build(store, "first", at=1)
    second = make_build(store, "second", "2.0.26", at=2)
    newest = make_build(store, "newest", "2.0.27", at=3)
    for build in (first, second, newest):
        assert run(["install", build.directory.name, "--bin-dir", str(bin_dir), "--quiet"]) == 0
    assert (started(bin_dir / "opencode"), started(bin_dir / "opencode2")) == ("first", "newest")

    assert run(["rollback", "--name", "opencode2", "--quiet"]) == 0
    assert (started(bin_dir / "opencode"), started(bin_dir / "opencode2")) == ("first", "second")

    capsys.readouterr()
    run(["status"])
    shown = capsys.readouterr().out
    assert f"Program: {bin_dir / 'opencode'} ->" in shown
    assert "Also installed as opencode2: opencode-patcher status --name opencode2" in shown

    run(["list", "--json"])
    listed = json.loads(capsys.readouterr().out)["builds"]
    assert [(one["version"], one["installed"]) for one in listed] == [
        ("2.0.27", False),
        ("2.0.26", True),
        ("1.18.3", True),
    ]

    assert run(["uninstall", "--name", "opencode2", "--quiet"]) == 0
    assert started(bin_dir / "opencode") == "first"
    assert not (bin_dir / "opencode2").exists()


def test_a_name_is_the_users_choice(tmp_path: Path) -> None:
    build = make_build(open_store(), "second", "2.0.26")
    arguments = ["--bin-dir", str(tmp_path / "bin"), "--quiet"]
    assert run(["install", build.directory.name, "--name", "code-next", *arguments]) == 0
    assert started(tmp_path / "bin" / "code-next") == "second"


@pytest.mark.parametrize("name", ["", "../opencode", "-x", "a b"])
def test_a_name_that_is_no_file_name_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--name", name]) == 2
    assert "cannot be the name of a command" in capsys.readouterr().err


def test_prune_keeps_what_is_active_under_another_name(store: Store, tmp_path: Path) -> None:
    other = make_build(open_store(), "second", "2.0.26", at=1)
    assert run(["install", other.directory.name, "--bin-dir", str(tmp_path / "bin"), "--quiet"]) == 0
    for number in (2, 3, 4):
        make_build(open_store(), f"build-{number}", at=number)
    prune.prune(open_store(), Posix(), SilentReporter(), keep=0)
    assert other.binary.exists()


@pytest.mark.parametrize(
    ("text", "version"), [("1.18.3\n", "1.18.3"), ("opencode2 v2.0.0-pre.20260720", "2.0.0-pre.20260720"), ("", "")]
)
def test_each_line_says_its_version_in_its_own_way(text: str, version: str) -> None:
    assert printed(text) == version


def test_what_is_installed_under_one_other_name_only_needs_no_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, bin_dir = open_store(), tmp_path / "bin"
    for at, name in enumerate(("older", "newer")):
        build = make_build(store, name, f"2.0.{26 + at}", at=at)
        assert run(["install", build.directory.name, "--bin-dir", str(bin_dir), "--quiet"]) == 0
    run(["status"])
    assert f"Program: {bin_dir / 'opencode2'} ->" in capsys.readouterr().out
    assert run(["rollback", "--quiet"]) == 0
    assert started(bin_dir / "opencode2") == "older"
    assert run(["uninstall", "--quiet"]) == 0
    assert not (bin_dir / "opencode2").exists()


def test_a_build_of_opencode_2_is_asked_what_it_combines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = f'[ "$1" = combined ] && {{ echo "$*" > {tmp_path / "asked"}; cat {tmp_path / "report.json"}; exit; }}'
    (tmp_path / "report.json").write_text(json.dumps(REPORT))
    build = make_build(open_store(), "second", "2.0.26", body=body)
    assert run(["config", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["asked"] == str(build.binary)
    assert (tmp_path / "asked").read_text() == "combined list --json --standalone\n"
    assert run(["install", build.directory.name, "--bin-dir", str(tmp_path / "bin"), "--quiet"]) == 0
    assert run(["config", "--check"]) == 0
    assert run(["models", "groups"]) == 0
    assert "combined/" in capsys.readouterr().out
