"""Level 3: the command of the README makes a binary that fails over, and the drill can tell it from a stock one."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Protocol

import pytest

from opencode_patcher import process
from opencode_patcher.store import HOME_VARIABLE, Store

pytestmark = pytest.mark.upstream


class Workshop(Protocol):
    path: Path
    bun: Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of its own for the command line, kept for all tests of this file."""
    return tmp_path_factory.mktemp("command-line") / "store"


def run(place: Path, *words: str, check: bool = True) -> process.Completed:
    return process.run([sys.executable, "-m", "opencode_patcher", *words], env={HOME_VARIABLE: str(place)}, check=check)


def test_build_makes_a_verified_binary_and_says_how_to_install_it(place: Path, with_bun: Workshop) -> None:
    said = run(place, "build").stdout
    assert "Verified" in said
    assert "opencode-patcher install" in said
    about = json.loads(run(place, "build", "--json").stdout)
    assert about["reused"] is True
    assert about["drill"]["failed"] == []
    binary = Path(about["binary"])
    assert process.run([binary, "--version"]).stdout.strip() == about["release"]["tag"].removeprefix("v")


def test_the_same_input_gives_the_same_bytes(place: Path, with_bun: Workshop) -> None:
    first = json.loads(run(place, "build", "--json").stdout)
    manifest = Path(first["binary"]).parent / "manifest.json"
    verdict = json.loads(manifest.read_text())["drill"]
    assert verdict["passed"]
    manifest.unlink()
    again = json.loads(run(place, "build", "--json").stdout)
    assert again["reused"] is False
    assert again["sha256"] == first["sha256"]


def test_the_drill_fails_a_binary_without_the_patches(real_store: Store, with_bun: Workshop, place: Path) -> None:
    process.run(
        [with_bun.bun, "install", "--no-save", "--ignore-scripts", f"opencode-linux-x64@{stock_version(with_bun)}"],
        cwd=_fresh(real_store.root / "stock"),
    )
    stock = real_store.root / "stock" / "node_modules" / "opencode-linux-x64" / "bin" / "opencode"
    done = run(place, "verify", "--binary", str(stock), "--scenario", "503", "--json", check=False)
    assert done.code != 0
    report = json.loads(done.stdout)
    assert report["patched"] is False
    assert report["passed"] is False


def stock_version(workshop: Workshop) -> str:
    """The version of upstream's own binary in the npm registry: the same as ours."""
    about = json.loads((workshop.path / "packages" / "opencode" / "package.json").read_text())
    return str(about["version"])


def _fresh(directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "package.json").write_text(json.dumps({"name": "stock", "private": True}))
    return directory


if not sys.platform.startswith("linux") or os.uname().machine != "x86_64":
    pytestmark = [pytest.mark.upstream, pytest.mark.skip(reason="the stock binary is fetched for Linux on x64 only")]
