"""Level 3: the command of the README makes a binary that fails over, and the drill can tell it from a stock one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from opencode_patcher.base import process
from opencode_patcher.base.store import HOME_VARIABLE
from tests.real.conftest import Built

pytestmark = pytest.mark.upstream


def test_build_makes_a_verified_binary_and_says_how_to_install_it(built: Built) -> None:
    assert "Verified" in built.text
    assert "opencode-patcher install" in built.text
    assert built.data["reused"] is True
    assert built.data["drill"]["failed"] == []
    version = process.run([built.data["binary"], "--version"]).stdout.strip()
    assert version == built.data["release"]["tag"].removeprefix("v")


def test_the_drill_fails_a_binary_without_the_patches(stock: Path, place: Path) -> None:
    command = [sys.executable, "-m", "opencode_patcher", "verify", "--binary", str(stock), "--only", "cut-in-text"]
    done = process.run([*command, "--json"], env={HOME_VARIABLE: str(place)}, check=False)
    assert done.code != 0
    report = json.loads(done.stdout)
    assert report["patched"] is False
    assert report["passed"] is False
