"""Level 3: the command of the README makes a binary that fails over, and the drill can tell it from a stock one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from opencode_patcher.base import process
from opencode_patcher.base.store import HOME_VARIABLE

pytestmark = pytest.mark.upstream

OFF = ("--web-ui", "off")
"""The web UI has tests of its own: test_real_web_ui.py."""


def run(place: Path, *words: str, check: bool = True) -> process.Completed:
    return process.run([sys.executable, "-m", "opencode_patcher", *words], env={HOME_VARIABLE: str(place)}, check=check)


def test_build_makes_a_verified_binary_and_says_how_to_install_it(place: Path, bun_on_path: None) -> None:
    said = run(place, "build", *OFF).stdout
    assert "Verified" in said
    assert "opencode-patcher install" in said
    about = json.loads(run(place, "build", *OFF, "--json").stdout)
    assert about["reused"] is True
    assert about["drill"]["failed"] == []
    binary = Path(about["binary"])
    assert process.run([binary, "--version"]).stdout.strip() == about["release"]["tag"].removeprefix("v")


def test_the_drill_fails_a_binary_without_the_patches(stock: Path, place: Path) -> None:
    done = run(place, "verify", "--binary", str(stock), "--only", "cut-in-text", "--json", check=False)
    assert done.code != 0
    report = json.loads(done.stdout)
    assert report["patched"] is False
    assert report["passed"] is False
