"""Killed with SIGKILL before any step: something that worked before still starts, and the next run succeeds."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opencode_patcher.base.errors import InstallError
from opencode_patcher.base.guard import guarding
from opencode_patcher.base.store import open_store
from opencode_patcher.install.status import status
from opencode_patcher.install.systems.posix import Posix
from tests.install import kill_points
from tests.install.install_samples import release, started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

ROOT = Path(__file__).parents[2]


def killed(root: Path, scenario: str, system: str = "posix") -> Iterator[Path]:
    """The directory as a kill leaves it, before each step of a run and after its last."""
    command = [sys.executable, "-m", kill_points.__name__, str(root), scenario, system]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5
    now = root / "now"
    with guarding():
        for number in itertools.count(1):
            left = root / str(number)
            if not left.exists():
                break
            shutil.rmtree(now)
            left.rename(now)
            yield now
    assert number > 5


def state_of(root: Path) -> str:
    environment = {"HOME": str(root), "PATH": str(root / "bin")}
    return status(open_store(root / "store"), Posix(), environment, release("1.18.3")).name


def again(root: Path, scenario: str, system: str = "posix") -> None:
    kill_points.act(root, open_store(root / "store"), scenario, kill_points.SYSTEMS[system])


def test_the_first_install(tmp_path: Path) -> None:
    for root in killed(tmp_path / "points", "fresh"):
        place = root / "bin" / "opencode"
        if place.is_symlink():
            assert started(place) == "second"
            assert state_of(root) == "current"
        again(root, "fresh")
        assert started(place) == "second"
        assert state_of(root) == "current"


def test_over_another_build(tmp_path: Path) -> None:
    seen = set()
    for root in killed(tmp_path / "points", "over ours"):
        place = root / "bin" / "opencode"
        seen.add(started(place))
        assert state_of(root) == "current"
        if started(place) == "first":
            again(root, "over ours")
        assert started(place) == "second"
        again(root, "rollback")
        assert started(place) == "first"
    assert seen == {"first", "second"}


def test_over_something_of_the_users(tmp_path: Path) -> None:
    seen = set()
    for root in killed(tmp_path / "points", "over theirs"):
        place = root / "bin" / "opencode"
        seen.add(started(place))
        again(root, "over theirs")
        assert started(place) == "second"
        again(root, "uninstall")
        assert started(place) == "theirs"
        assert [path.name for path in place.parent.iterdir()] == ["opencode"]
    assert seen == {"theirs", "second"}


def test_over_a_changed_file(tmp_path: Path) -> None:
    seen = set()
    for root in killed(tmp_path / "points", "repair"):
        place = root / "bin" / "opencode"
        seen.add(started(place))
        again(root, "repair")
        assert started(place) == "first"
        assert state_of(root) == "current"
    assert seen == {"changed", "first"}


def test_rollback(tmp_path: Path) -> None:
    seen = set()
    for root in killed(tmp_path / "points", "rollback"):
        place = root / "bin" / "opencode"
        seen.add(started(place))
        assert state_of(root) == "current"
    assert seen == {"first", "second"}


def test_uninstall(tmp_path: Path) -> None:
    seen = set()
    for root in killed(tmp_path / "points", "uninstall"):
        place = root / "bin" / "opencode"
        seen.add(started(place))
        with contextlib.suppress(InstallError):
            again(root, "uninstall")
        assert started(place) == "theirs"
        assert [path.name for path in place.parent.iterdir()] == ["opencode"]
    assert seen == {"theirs", "first"}


@pytest.mark.parametrize("system", ["macos", "windows"])
@pytest.mark.parametrize("scenario", ["over ours", "over theirs", "rollback"])
def test_the_other_systems(tmp_path: Path, system: str, scenario: str) -> None:
    """On real files here; nothing runs from the place, so that Windows, too, needs one step only."""
    before, after = {"over ours": ("first", "second"), "over theirs": ("theirs", "second")}.get(
        scenario, ("second", "first")
    )

    def said(place: Path) -> str:
        # A copy on Windows needs no right to be executed.
        return subprocess.run(["sh", place], check=True, capture_output=True, text=True).stdout.strip()

    seen = set()
    for root in killed(tmp_path / "points", scenario, system):
        place = root / "bin" / kill_points.SYSTEMS[system].program
        seen.add(said(place))
        if scenario != "rollback":
            again(root, scenario, system)
            assert said(place) == after
        again(root, "uninstall", system)
        assert [path.name for path in place.parent.iterdir()] == ([place.name] if before == "theirs" else [])
    assert seen == {before, after}
