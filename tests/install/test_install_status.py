"""``status``: every state, made the way a user's machine gets into it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.install import activate
from opencode_patcher.install.activate import Installed
from opencode_patcher.install.builds import Build
from opencode_patcher.install.status import Status, status
from opencode_patcher.install.systems.posix import Posix
from opencode_patcher.upstream.lock import read_lock
from tests.install.install_samples import make_build, program, release

LOCKED = "1.18.3"


@pytest.fixture
def environment(isolated: Path) -> dict[str, str]:
    return {"HOME": str(isolated), "PATH": str(isolated / ".local" / "bin")}


def install(store: Store, build: Build, environment: dict[str, str]) -> Installed:
    return activate.install(store, Posix(), build, environment, SilentReporter(), replace_other=True)


def look(store: Store, environment: dict[str, str]) -> Status:
    return status(store, Posix(), environment, release(LOCKED))


def test_none(store: Store, environment: dict[str, str]) -> None:
    found = look(store, environment)
    assert (found.name, found.ready) == ("none", False)
    assert found.next_step == "To install: opencode-patcher build, then opencode-patcher install"
    make_build(store, "first")
    assert look(store, environment).next_step == "To install: opencode-patcher install"


def test_none_without_a_home(store: Store) -> None:
    found = look(store, {})
    assert (found.name, found.facts.place, found.facts.path) == ("none", None, None)


def test_current(store: Store, environment: dict[str, str]) -> None:
    install(store, make_build(store, "first"), environment)
    found = look(store, environment)
    assert (found.name, found.ready, found.next_step) == ("current", True, "")
    assert found.facts.record is not None
    assert found.facts.record.version == LOCKED


def test_current_but_a_newer_build_is_available(store: Store, environment: dict[str, str]) -> None:
    install(store, make_build(store, "first", at=1), environment)
    newer = make_build(store, "second", at=2)
    found = look(store, environment)
    assert found.name == "current"
    assert newer.directory.name in found.next_step


def test_an_older_build_in_the_store_is_not_reported(store: Store, environment: dict[str, str]) -> None:
    make_build(store, "first", at=1)
    install(store, make_build(store, "second", at=2), environment)
    assert look(store, environment).next_step == ""


def test_a_later_build_of_an_older_release_is_not_reported(store: Store, environment: dict[str, str]) -> None:
    active = make_build(store, "first", at=1)
    install(store, active, environment)
    make_build(store, "second", "1.18.2", at=2)
    assert look(store, environment).next_step == ""


def test_the_locked_release_is_newer_than_an_older_one_that_was_built_later(
    store: Store, environment: dict[str, str]
) -> None:
    locked = make_build(store, "first", at=1)
    install(store, make_build(store, "second", "1.18.2", at=2), environment)
    assert look(store, environment).next_step == f"To update: opencode-patcher install {locked.directory.name}"


def test_current_but_another_program_is_started(store: Store, environment: dict[str, str], tmp_path: Path) -> None:
    install(store, make_build(store, "first"), environment)
    other = program(tmp_path / "other" / "opencode", "theirs")
    found = look(store, environment | {"PATH": f"{other.parent}{os.pathsep}{environment['PATH']}"})
    assert (found.name, found.ready) == ("current", False)
    assert found.facts.path is not None
    assert [one.path for one in found.facts.path.before] == [other]


def test_older_than_the_lock(store: Store, environment: dict[str, str]) -> None:
    install(store, make_build(store, "first", "1.9.10"), environment)
    found = look(store, environment)
    assert (found.name, found.ready) == ("older", True)
    assert found.next_step == "To update: opencode-patcher build, then opencode-patcher install"


def test_newer_than_the_lock_is_current(store: Store, environment: dict[str, str]) -> None:
    install(store, make_build(store, "first", "1.18.10"), environment)
    assert look(store, environment).name == "current"


def test_replaced_at_the_place(store: Store, environment: dict[str, str]) -> None:
    done = install(store, make_build(store, "first"), environment)
    done.place.unlink()
    program(done.place, "stock")
    found = look(store, environment)
    assert (found.name, found.ready) == ("replaced", False)
    assert "install --replace" in found.next_step


def test_replaced_through_the_link(store: Store, environment: dict[str, str]) -> None:
    done = install(store, make_build(store, "first"), environment)
    program(done.place, "stock", "1.18.9")
    assert look(store, environment).name == "replaced"


def test_foreign(store: Store, environment: dict[str, str], isolated: Path) -> None:
    program(isolated / ".local" / "bin" / "opencode", "theirs")
    found = look(store, environment)
    assert (found.name, found.ready) == ("foreign", False)
    assert "is a file that is not from opencode-patcher" in found.why


def _link_gone(done: Installed) -> None:
    done.place.unlink()


def _file_gone(done: Installed) -> None:
    done.record.file.unlink()


def _record_gone(done: Installed) -> None:
    shutil.rmtree(done.record.directory)


def _damaged(done: Installed) -> None:
    done.record.file.write_text("#!/bin/sh\nexit 1\n")


def _not_executable(done: Installed) -> None:
    done.record.file.chmod(0o644)


@pytest.mark.parametrize("harm", [_link_gone, _file_gone, _record_gone, _damaged, _not_executable])
def test_broken_and_repaired(store: Store, environment: dict[str, str], harm: object) -> None:
    assert callable(harm)
    build = make_build(store, "first")
    harm(install(store, build, environment))
    found = look(store, environment)
    assert (found.name, found.ready) == ("broken", False)
    assert found.next_step == "To repair it: opencode-patcher install"
    if harm is _damaged:
        build = make_build(store, "first")
    install(store, build, environment)
    assert look(store, environment).name == "current"


def test_the_command_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, isolated: Path) -> None:
    monkeypatch.setenv("PATH", f"{isolated / '.local' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert run(["status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["state"] == "none"
    build = make_build(open_store(), "first", read_lock().release.number)
    assert run(["install", "--json"]) == 0
    installed = json.loads(capsys.readouterr().out)
    assert installed["build"] == build.directory.name
    assert installed["path"]["status"] == "first"
    assert run(["status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["state"], found["ready"], found["build"]) == ("current", True, build.directory.name)
    assert found["lock"]["commit"] == read_lock().release.commit
    assert run(["status"]) == 0
    assert "the command `opencode` starts it" in capsys.readouterr().out


def test_the_command_line_says_what_the_official_binary_has_more(
    capsys: pytest.CaptureFixture[str], isolated: Path
) -> None:
    store = open_store()
    lack = "The web UI is not embedded. It needs x, which is not available from example.invalid."
    install(store, make_build(store, "A", lacks=(lack,)), {"HOME": str(isolated), "PATH": "/usr/bin"})

    run(["status"])
    assert lack in capsys.readouterr().out
    run(["status", "--json"])
    assert json.loads(capsys.readouterr().out)["lacks"] == [lack]


def test_the_command_line_says_what_to_do_about_path(capsys: pytest.CaptureFixture[str], isolated: Path) -> None:
    make_build(open_store(), "first")
    assert run(["install"]) == 0
    text = capsys.readouterr().out
    assert f"{isolated / '.local' / 'bin'} is not on PATH." in text
    assert "export PATH=" in text
