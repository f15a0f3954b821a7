"""``release`` on the command line: what it refuses, before anything is fetched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.base.version import Release
from opencode_patcher.cli import release as command
from opencode_patcher.cli import reproduce
from opencode_patcher.drill import Report
from opencode_patcher.release import Made, Reproduction
from opencode_patcher.release.comparison import FileDifference
from opencode_patcher.release.manifest import Artifact, File, Manifest


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--out", "DIR"], 2, "Missing option '--target'"),
        (["--target", "all"], 2, "Missing option '--out'"),
        (["--verify", "DIR"], 2, "opencode-patcher reproduce DIR"),
        (["--target", "linux-amd64", "--out", "DIR"], 2, "linux-arm64"),
        (["--target", "all", "--out", "DIR", "--repository", "owner"], 2, "'owner' is not a valid repository"),
        (["--target", "all", "--out", "DIR", "--repository", "o/n'; rm -r ~; '"], 2, "is not a valid repository"),
        (["--target", "all", "--out", "DIR", "--release", "$(id)"], 2, "'$(id)' is not a valid tag"),
        (["--target", "all", "--out", "DIR", "--repository", "o/n"], 2, "--release is missing"),
        (["--target", "all", "--out", "DIR", "--release", "v1"], 2, "--repository is missing"),
        (["--target", "linux-x64", "--out", "FULL"], 12, "thesis.doc"),
    ],
)
def test_mistakes_are_reported_with_their_exit_codes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FULL").mkdir()
    (tmp_path / "FULL" / "thesis.doc").write_text("years of work")
    assert run(["release", *words]) == code
    assert said in capsys.readouterr().err
    assert run(["release", *words, "--json"]) == code
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["exit_code"] == code
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("home", "FULL")] == []


def test_only_a_release_can_be_reproduced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reproduce", str(tmp_path / "DIR")]) == 12
    assert "is not a release" in capsys.readouterr().err


def made() -> Made:
    file = File(name="opencode-linux-x64.tar.gz", sha256="1" * 64, size=50_196_310)
    binary = File(name="opencode", sha256="2" * 64, size=146_684_032)
    return Made(
        directory=Path("/releases/one"),
        manifest=Manifest(
            tool_version="1.2.3",
            release=Release(tag="v1.18.3", version=(1, 18, 3), commit="c" * 40),
            source="https://github.com/anomalyco/opencode",
            patchset="a" * 64,
            bun="1.3.14",
            catalogue="b" * 64,
            web_ui=False,
            channel="latest",
            place="/tree",
            zlib="1.3",
            artifacts=(Artifact(target="linux-x64", archive=file, binary=binary, runtime="3" * 64),),
        ),
        report=Report(binary=Path("opencode"), version="1.18.3", patched=True, verdicts=(), seconds=1.0),
    )


def test_a_finished_release_is_shown_with_sizes_and_the_next_command(capsys: pytest.CaptureFixture[str]) -> None:
    command.show(made())
    said = capsys.readouterr().out
    for text in ("opencode-linux-x64.tar.gz", "50.2", "146.7", "OpenCode 1.18.3", "reproduce /releases/one"):
        assert text in said


def test_a_finished_release_as_data_has_manifest_and_drill() -> None:
    data = json.loads(json.dumps(command.as_data(made())))
    assert data["directory"] == "/releases/one"
    assert data["manifest"]["targets"][0]["archive"]["size"] == 50_196_310
    assert data["drill"]["version"] == "1.18.3"


def test_a_reproduction_as_data_says_whether_the_program_differs() -> None:
    one = FileDifference(name="a.zip", released="1", rebuilt="2", binary=False)
    found = Reproduction(
        manifest=made().manifest, identical=("LICENSE",), differences=(one,), uncompared=("The notes' drill.",)
    )
    assert reproduce.as_data(Path("/releases/one"), found) == {
        "directory": "/releases/one",
        "identical": ["LICENSE"],
        "differences": [{"name": "a.zip", "released": "1", "rebuilt": "2", "program_differs": False, "entries": []}],
        "not_compared": ["The notes' drill."],
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"binary": True}, "a.zip: the program differs"),
        ({"binary": False}, "a.zip: the program is the same, but another version of zlib packed it differently"),
        ({"entries": ("bun", "upstream.source")}, "a.zip: bun, upstream.source"),
        ({}, "a.zip"),
    ],
)
def test_the_differences_in_a_file_are_explained(changes: dict[str, Any], said: str) -> None:
    assert reproduce.explained(FileDifference(name="a.zip", released="1", rebuilt="2", **changes)) == said
