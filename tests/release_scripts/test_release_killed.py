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

from opencode_patcher.base.guard import guarding
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import open_store
from opencode_patcher.base.version import Release
from opencode_patcher.install import builds, state
from opencode_patcher.install.status import status
from opencode_patcher.install.systems.posix import Posix
from opencode_patcher.install.uninstall import uninstall
from tests.install import kill_points
from tests.release_scripts.script_samples import PROGRAMS, Machine, make_machine, make_release, started

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the machines of these tests are Linux")

LOCKED = Release(tag="v1.18.3", version=(1, 18, 3), commit="c" * 40)

COUNTING = """#!/bin/sh
# Keeps the files as they are before this program, and ends the whole script with SIGKILL if its number is POINT.
read -r number < "$COUNTER"
number=$((number + 1))
echo "$number" > "$COUNTER"
echo {name} >> "$COUNTER.programs"
{copy} -a "$HOME" "$LEFT/$number"
[ "$number" = "$POINT" ] && kill -KILL 0
exec "{real}" "$@"
"""
"""The script changes nothing but through programs, and through redirections into the directory that is its own."""

CHANGING = ("awk", "cat", "chmod", "cp", "ln", "mkdir", "mktemp", "mv", "rm", "tar")


def counting(machine: Machine) -> None:
    for name in CHANGING:
        real = shutil.which(name)
        file = machine.programs / name
        file.unlink()
        file.write_text(COUNTING.format(name=name, real=real, copy=shutil.which("cp")))
        file.chmod(0o755)


def run_to(machine: Machine, release: Path, point: int, left: Path) -> tuple[int, list[str]]:
    """Runs the script until its program number ``point`` (0: to its end); returns its exit code and its programs.

    Below ``left`` are the files of the home before each program.
    """
    left.mkdir()
    counter = left / "counter"
    counter.write_text("0\n")
    done = subprocess.run(
        [*machine.shell, machine.script],
        env={
            **machine.environment(),
            "OPENCODE_RELEASE_URL": str(release),
            "COUNTER": str(counter),
            "LEFT": str(left),
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
    """A machine as a kill leaves it at each point, and as the end of the script leaves it.

    Each program is a point when it runs for the first time, for the last time, and half-way between. SIGKILL leaves the
    files as they are at that moment, so they are copied during one run. To see that this is so, the script is really
    killed once. A state that was there before is left out.
    """
    machine = make_machine(root / "machine")
    if first:
        assert machine.install(OPENCODE_RELEASE_URL=first).returncode == 0
    counting(machine)
    before = root / "before"
    kill_points.copy(machine.home, before)

    def home(saved: Path) -> None:
        shutil.rmtree(machine.home)
        saved.rename(machine.home)

    code, programs = run_to(machine, second, 0, root / "whole")
    assert code == 0
    assert set(programs) >= set(CHANGING) - {"mktemp"}, "mktemp is for what no build is in the store yet"
    kill_points.copy(machine.home, root / "whole" / str(len(programs) + 1))

    home(before)
    point = programs.index("mv") + 1
    code, reached = run_to(machine, second, point, root / "killed")
    assert (code, reached) == (-signal.SIGKILL, programs[:point])
    assert kill_points.fingerprint(machine.home) == kill_points.fingerprint(root / "whole" / str(point))

    points = {len(programs) + 1}
    for name in set(programs):
        at = [number for number, program in enumerate(programs, 1) if program == name]
        points |= {at[0], at[len(at) // 2], at[-1]}
    seen = set()
    with guarding():
        for number in sorted(points):
            left = root / "whole" / str(number)
            state = kill_points.fingerprint(left)
            if state not in seen:
                seen.add(state)
                home(left)
                yield machine
    assert len(seen) > 10


def state_of(machine: Machine) -> str:
    environment = {"HOME": str(machine.home), "PATH": str(machine.place.parent)}
    return status(open_store(machine.store), Posix(), environment, LOCKED).name


def install_again(machine: Machine, release: Path) -> None:
    fresh = make_machine(machine.root / f"again-{len(list(machine.root.glob('again-*')))}")
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
    # Under nohup, SIGHUP is ignored, and a shell cannot trap a signal that is ignored when the shell starts.
    before = signal.signal(sent, signal.SIG_DFL)
    process = subprocess.Popen(
        [*machine.shell, machine.script],
        env={**machine.environment(), "OPENCODE_RELEASE_URL": "http://127.0.0.1:9"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    signal.signal(sent, before)
    reached.read_text()
    os.killpg(process.pid, sent)
    said = process.communicate()[1]
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 143}[sent]
    assert "What was installed before is still in place." in said
    assert not (machine.store / "incoming").exists()
    assert started(machine.place) == "first"
    assert state_of(machine) == "current"
