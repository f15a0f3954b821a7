"""Windows and macOS on real files; only what the operating system itself does is put in by hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.errors import InstallError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store
from opencode_patcher.install import activate, path_search
from opencode_patcher.install.activate import Installed
from opencode_patcher.install.rollback import rollback
from opencode_patcher.install.status import status
from opencode_patcher.install.systems.macos import MacOS
from opencode_patcher.install.systems.protocol import System
from opencode_patcher.install.systems.windows import Windows
from opencode_patcher.install.uninstall import uninstall
from tests.install.install_samples import entries, make_build, program, started

QUIET = SilentReporter()
BUILDS = ("first", "second")


class Running:
    """Windows' rule: while a program runs, its file can be renamed, but not overwritten or deleted."""

    def __init__(self) -> None:
        self.files: set[int] = set()

    def start(self, path: Path) -> None:
        self.files.add(path.stat().st_ino)

    def replace(self, source: Path, target: Path) -> None:
        if target.exists():
            self._refuse(target)
        source.replace(target)

    def unlink(self, path: Path) -> None:
        self._refuse(path)
        path.unlink()

    def _refuse(self, path: Path) -> None:
        if path.stat().st_ino in self.files:
            raise PermissionError(13, "The process cannot access the file because it is being used", str(path))


@pytest.fixture
def running() -> Running:
    return Running()


@pytest.fixture
def windows(running: Running) -> Windows:
    return Windows(replace=running.replace, unlink=running.unlink)


@pytest.fixture
def bin_dir(tmp_path: Path) -> Path:
    return tmp_path / "bin"


def install(store: Store, system: System, name: str, bin_dir: Path) -> Installed:
    build = make_build(store, name)
    return activate.install(store, system, build, {}, QUIET, bin_dir=bin_dir, replace_other=True)


def test_windows_installs_a_copy(store: Store, windows: Windows, bin_dir: Path) -> None:
    for name in BUILDS:
        done = install(store, windows, name, bin_dir)
        assert done.place == bin_dir / "opencode.exe"
        assert not done.place.is_symlink()
        assert done.place.read_bytes() == done.record.file.read_bytes()
    assert entries(bin_dir) == ["opencode.exe"]
    assert activate.look(store, windows).active == done.record


def test_windows_renames_a_running_program_and_deletes_it_later(
    store: Store, windows: Windows, running: Running, bin_dir: Path
) -> None:
    place = install(store, windows, "first", bin_dir).place
    running.start(place)
    second = install(store, windows, "second", bin_dir)
    assert place.read_bytes() == second.record.file.read_bytes()
    assert entries(bin_dir) == ["opencode.exe", "opencode.exe.old-1"]
    running.files.clear()
    rollback(store, windows, QUIET)
    install(store, windows, "second", bin_dir)
    assert entries(bin_dir) == ["opencode.exe"]


def test_windows_brings_the_old_program_back_when_the_new_one_cannot_take_its_place(
    store: Store, running: Running, bin_dir: Path
) -> None:
    windows = Windows(replace=running.replace, unlink=running.unlink)
    place = install(store, windows, "first", bin_dir).place
    before = place.read_bytes()
    running.start(place)

    def no_space(source: Path, target: Path) -> None:
        if source.name.endswith("-new") and not target.exists():
            raise OSError(28, "There is not enough space on the disk")
        running.replace(source, target)

    with pytest.raises(InstallError, match="not enough space"):
        install(store, Windows(replace=no_space, unlink=running.unlink), "second", bin_dir)
    assert place.read_bytes() == before
    install(store, windows, "second", bin_dir)
    assert place.read_bytes() != before


def test_windows_repairs_a_run_that_died_between_its_two_renames(store: Store, windows: Windows, bin_dir: Path) -> None:
    place = install(store, windows, "first", bin_dir).place
    place.replace(bin_dir / "opencode.exe.old-1")
    windows.tidy(place)
    assert entries(bin_dir) == ["opencode.exe"]
    assert activate.look(store, windows).occupant.kind == "ours"


def test_windows_recognises_a_replaced_program_by_its_content(store: Store, windows: Windows, bin_dir: Path) -> None:
    done = install(store, windows, "first", bin_dir)
    program(done.place, "stock")
    locked = make_build(store, "first").release
    assert status(store, windows, {"PATH": ""}, locked).name == "replaced"
    install(store, windows, "first", bin_dir)
    assert status(store, windows, {"PATH": ""}, locked).name == "current"


def test_windows_uninstalls_a_running_program(store: Store, windows: Windows, running: Running, bin_dir: Path) -> None:
    theirs = program(bin_dir / "opencode.exe", "theirs").read_bytes()
    place = install(store, windows, "first", bin_dir).place
    running.start(place)
    uninstall(store, windows, QUIET)
    assert place.read_bytes() == theirs


def test_windows_has_a_line_for_powershell() -> None:
    line = Windows().path_line(Path("C:\\Users\\O'Neill\\bin"), {})
    assert "'C:\\Users\\O''Neill\\bin;' + " in line.line


def test_windows_keeps_variables_in_path_and_promises_no_more_than_it_can_do(bin_dir: Path) -> None:
    theirs = program(bin_dir.parent / "machine" / "opencode.exe", "theirs")
    place = program(bin_dir / "opencode.exe", "ours")
    path = os.pathsep.join([str(theirs.parent), str(bin_dir)])
    text = path_search.advice(path_search.find(Windows(), place, {"PATH": path}))
    assert "first on your own PATH, which comes after the machine's, add this" in text
    assert "'DoNotExpandEnvironmentNames'" in text
    assert "'ExpandString'" in text
    assert "GetEnvironmentVariable" not in text


def test_macos_installs_the_very_file_that_was_built(store: Store, bin_dir: Path) -> None:
    """It was signed when it was built; signing it once more would make another program of it."""
    build = make_build(store, "first")
    done = install(store, MacOS(), "first", bin_dir)
    assert started(done.place) == "first"
    assert done.record.file.read_bytes() == build.binary.read_bytes()
    assert done.record.sha256 == build.sha256 == file_sha256(done.record.file)
    assert status(store, MacOS(), {"PATH": str(bin_dir)}, build.release).name == "current"


def test_macos_names_the_profiles_of_its_shells() -> None:
    assert MacOS().path_line(Path("/opt/bin"), {"SHELL": "/bin/bash"}).where == "~/.bash_profile"
