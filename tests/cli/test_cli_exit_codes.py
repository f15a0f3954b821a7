"""The exit codes: documented, each with one meaning, and the ones that a dry run promises."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.base import errors
from opencode_patcher.base.store import open_store
from opencode_patcher.cli.help import exit_codes
from tests.install.install_samples import make_build

PAGE = Path(__file__).parents[2] / "docs" / "exit-codes.md"


def kinds(root: type[errors.PatcherError]) -> list[type[errors.PatcherError]]:
    return [kind for child in root.__subclasses__() for kind in (child, *kinds(child))]


def test_the_page_lists_the_exit_codes_of_the_program() -> None:
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == exit_codes()


def test_every_kind_of_error_has_a_code_of_its_own() -> None:
    own = [kind for kind in kinds(errors.PatcherError) if "exit_code" in vars(kind)]
    codes = [kind.exit_code for kind in own]
    assert len(set(codes)) == len(codes)
    assert {*codes, errors.UNEXPECTED, errors.INTERRUPTED, errors.OUTPUT_CLOSED, 0, 1} == set(exit_codes())


def test_help_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "exit-codes"]) == 0
    assert "failed the drill" in capsys.readouterr().out
    assert run(["help", "exit-codes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["exit_codes"]["7"] == exit_codes()[7]


def test_a_dry_run_of_prune_ends_with_1_while_there_is_something_to_delete(
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = open_store()
    assert run(["prune", "--dry-run"]) == 0
    oldest, *_ = (make_build(store, text, at=at) for at, text in enumerate(("first", "second", "third"), 1))
    assert run(["prune", "--dry-run"]) == 1
    assert f"Would delete {oldest.directory.name}" in capsys.readouterr().out
    assert oldest.binary.is_file()
    assert run(["prune", "--dry-run", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["deleted"] == [oldest.directory.name]
    assert run(["prune", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert not oldest.directory.exists()
    assert run(["prune", "--dry-run"]) == 0


def test_a_dry_run_of_install_ends_with_1_until_it_is_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_build(open_store(), "1.18.3")
    words = ["install", "--bin-dir", str(tmp_path / "bin")]
    assert run([*words, "--dry-run", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["changes"] is True
    assert not (tmp_path / "bin").exists()
    assert run([*words, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert run([*words, "--dry-run"]) == 0
    assert "already installed" in capsys.readouterr().out


def test_a_dry_run_of_install_fails_like_the_install(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_build(open_store(), "1.18.3")
    other = tmp_path / "bin" / "opencode"
    other.parent.mkdir()
    other.write_text("mine")
    words = ["install", "--bin-dir", str(tmp_path / "bin"), "--dry-run"]
    assert run(words) == errors.InstallError.exit_code
    assert "--replace" in capsys.readouterr().err
    assert run([*words, "--replace"]) == 1
    assert "would be kept under another name" in capsys.readouterr().out
    assert other.read_text() == "mine"
    assert [path.name for path in other.parent.iterdir()] == ["opencode"]
