"""install.sh ended at any step, and several at once: what worked before starts, and the next run succeeds."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import open_store
from opencode_patcher.base.version import Release
from opencode_patcher.install import builds, state
from opencode_patcher.install.status import status
from opencode_patcher.install.systems.posix import Posix
from opencode_patcher.install.uninstall import uninstall
from tests.release_scripts.script_samples import PROGRAMS, Machine, make_machine, make_release, started

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the machines of these tests are Linux")

LOCKED = Release(tag="v1.18.3", version=(1, 18, 3), commit="c" * 40)

COUNTING = """#!/bin/sh
# Ends the whole script with SIGKILL before its program number POINT.
read -r number < "$COUNTER"
number=$((number + 1))
echo "$number" > "$COUNTER"
echo {name} >> "$COUNTER.programs"
[ "$number" = "$POINT" ] && kill -KILL 0
exec "{real}" "$@"
"""
"""A program before which the process group of the script is killed. The script changes nothing but through programs,
and through redirections into the directory that is its own."""

CHANGING = ("awk", "cat", "chmod", "cp", "ln", "mkdir", "mktemp", "mv", "rm", "tar")


def counting(machine: Machine) -> None:
    for name in CHANGING:
        real = shutil.which(name)
        file = machine.programs / name
        file.unlink()
        file.write_text(COUNTING.format(name=name, real=real))
        file.chmod(0o755)


def run_to(machine: Machine, release: Path, point: int) -> tuple[int, list[str]]:
    """Runs the script until its program number ``point`` (0: to its end); returns its exit code and its programs."""
    counting(machine)
    counter = machine.root / "counter"
    counter.write_text("0\n")
    done = subprocess.run(
        [*machine.shell, machine.script],
        env={
            **machine.environment(),
            "OPENCODE_RELEASE_URL": str(release),
            "COUNTER": str(counter),
            "POINT": str(point),
        },
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode, counter.with_name("counter.programs").read_text().split()


def killed(root: Path, first: Path | None, second: Path) -> Iterator[Machine]:
    """A machine for each point, after the kill; at last one that was not killed.

    Each program is a point when it runs for the first time, for the last time, and half-way between.
    """

    def again(name: str) -> Machine:
        machine = make_machine(root / name)
        if first:
            assert machine.install(OPENCODE_RELEASE_URL=first).returncode == 0
        return machine

    whole = again("whole")
    code, programs = run_to(whole, second, 0)
    assert code == 0
    assert set(programs) >= set(CHANGING) - {"mktemp"}, "mktemp is for what no build is in the store yet"
    for name in sorted(set(programs)):
        at = [number for number, program in enumerate(programs, 1) if program == name]
        for point in sorted({at[0], at[len(at) // 2], at[-1]}):
            machine = again(str(point))
            code, reached = run_to(machine, second, point)
            assert code == -signal.SIGKILL
            assert reached[-1] == name
            yield machine
    yield whole


def state_of(machine: Machine) -> str:
    environment = {"HOME": str(machine.home), "PATH": str(machine.place.parent)}
    return status(open_store(machine.store), Posix(), environment, LOCKED).name


def install_again(machine: Machine, release: Path) -> None:
    fresh = make_machine(machine.root / "again")
    done = fresh.install(OPENCODE_RELEASE_URL=release, HOME=machine.home)
    assert done.returncode == 0, done.stderr
    assert started(machine.place) == release.name
    assert state_of(machine) == "current"
    assert not (machine.store / "incoming").exists()
    assert [path.name for path in machine.place.parent.iterdir()] == ["opencode"]


def test_the_first_install(tmp_path: Path, first: Path) -> None:
    for machine in killed(tmp_path, None, first):
        if os.path.lexists(machine.place):
            assert started(machine.place) == "first"
            assert state_of(machine) == "current"
        install_again(machine, first)


def test_over_another_build(tmp_path: Path, first: Path, second: Path) -> None:
    seen = set()
    for machine in killed(tmp_path, first, second):
        seen.add(started(machine.place))
        assert state_of(machine) == "current"
        store = open_store(machine.store)
        assert len(builds.list_builds(store)) in (1, 2)
        install_again(machine, second)
        assert [entry.build for entry in state.read(store).history] == [
            next(build.directory.name for build in builds.list_builds(store) if started(build.binary) == name)
            for name in ("first", "second")
        ]
        uninstall(store, Posix(), SilentReporter())
        assert list(machine.place.parent.iterdir()) == []
    assert seen == {"first", "second"}


def test_several_at_once(machine: Machine, tmp_path: Path) -> None:
    releases = [make_release(tmp_path / f"at-once-{number}", f"at-once-{number}") for number in range(4)]
    running = [
        subprocess.Popen(
            [*machine.shell, machine.script],
            env={**machine.environment(), "OPENCODE_RELEASE_URL": str(release)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for release in releases
    ]
    for process in running:
        said = process.communicate()[1]
        assert process.returncode == 0, said

    assert started(machine.place).startswith("at-once-")
    assert state_of(machine) == "current"
    store = open_store(machine.store)
    assert len(builds.list_builds(store)) == 4
    assert len(state.read(store).history) == 4


@pytest.mark.parametrize("locker", ["flock", "perl"])
def test_it_waits_for_opencode_patcher_and_vice_versa(tmp_path: Path, first: Path, locker: str) -> None:
    if not shutil.which(locker):
        pytest.skip(f"needs {locker}")
    programs = (*(name for name in PROGRAMS if name != "flock"), locker)
    machine = make_machine(tmp_path / "machine", programs=programs)
    store = open_store(machine.store)
    with store.mutex(state.LOCK):
        process = subprocess.Popen(
            [*machine.shell, machine.script],
            env={**machine.environment(), "OPENCODE_RELEASE_URL": str(first)},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        if locker == "flock":
            assert process.stderr.readline() == "Another install is running; waiting for it to finish.\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        assert not machine.place.exists()
    said = process.communicate()[1]
    assert process.returncode == 0, said
    assert started(machine.place) == "first"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_during_the_download(machine: Machine, first: Path, tmp_path: Path, sent: signal.Signals) -> None:
    machine.install(OPENCODE_RELEASE_URL=first)
    reached = tmp_path / "reached"
    os.mkfifo(reached)
    machine.add("curl", f'echo now > "{reached}"; exec sleep 100')
    machine.add("sleep", f'exec "{shutil.which("sleep")}" "$@"')
    process = subprocess.Popen(
        [*machine.shell, machine.script],
        env={**machine.environment(), "OPENCODE_RELEASE_URL": "http://127.0.0.1:9"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    reached.read_text()
    os.killpg(process.pid, sent)
    said = process.communicate()[1]
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 143}[sent]
    assert "What was installed before is still in place." in said
    assert not (machine.store / "incoming").exists()
    assert started(machine.place) == "first"
    assert state_of(machine) == "current"
