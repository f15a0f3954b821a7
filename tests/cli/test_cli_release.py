"""``release`` on the command line: what it refuses, before anything is fetched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opencode_patcher.__main__ import run


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--out", "DIR"], 2, "--target is missing"),
        (["--target", "all"], 2, "--out is missing"),
        (["--verify", "DIR", "--target", "all"], 2, "takes no release"),
        (["v1.18.3", "--verify", "DIR"], 2, "takes no release"),
        (["--target", "linux-amd64", "--out", "DIR"], 2, "linux-arm64"),
        (["--target", "all", "--out", "DIR", "--repository", "owner"], 2, "'owner' is no repository"),
        (["--target", "all", "--out", "DIR", "--repository", "o/n'; rm -r ~; '"], 2, "is no repository"),
        (["--target", "all", "--out", "DIR", "--release", "$(id)"], 2, "'$(id)' is no tag"),
        (["--verify", "DIR"], 12, "is no release"),
        (["--target", "linux-x64", "--out", "FULL"], 12, "thesis.doc"),
    ],
)
def test_what_is_wrong_is_said_with_its_exit_code(
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
