"""Kills a real install, rollback or uninstall with SIGKILL before each of its steps that changes something.

    python kill_points.py DIRECTORY SCENARIO [SYSTEM]

A step is a call to the operating system that makes, renames, links, deletes or writes a file, or starts a program;
Python's audit events announce each. Point N works in DIRECTORY/N. Prints one step's name a line; the last line is
``done``, from the run that was not killed.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.install import builds
from opencode_patcher.install.activate import install
from opencode_patcher.install.rollback import rollback
from opencode_patcher.install.systems.macos import MacOS
from opencode_patcher.install.systems.posix import Posix
from opencode_patcher.install.systems.protocol import System
from opencode_patcher.install.systems.windows import Windows
from opencode_patcher.install.uninstall import uninstall
from tests.install.install_samples import make_build, program

STEPS = {"os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir", "os.chmod", "subprocess.Popen"}
SYSTEMS: dict[str, System] = {"posix": Posix(), "macos": MacOS(), "windows": Windows()}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def activate(store: Store, system: System, bin_dir: Path, name: str) -> None:
    build = next(build for build in builds.list_builds(store) if build.ingredients.patchset == name)
    install(store, system, build, {}, SilentReporter(), bin_dir=bin_dir, replace_other=True)


def prepare(root: Path, scenario: str, system: System) -> Store:
    """The situation before the call that is killed."""
    store = open_store(root / "store")
    bin_dir = root / "bin"
    for name in ("first", "second"):
        make_build(store, name)
    if scenario in ("over theirs", "uninstall"):
        program(bin_dir / system.program, "theirs")
    if scenario in ("over ours", "rollback", "uninstall", "repair"):
        activate(store, system, bin_dir, "first")
    if scenario == "repair":
        file = (bin_dir / "opencode").resolve()
        file.unlink()
        program(file, "changed")
    if scenario == "rollback":
        activate(store, system, bin_dir, "second")
    return store


def act(root: Path, store: Store, scenario: str, system: System) -> None:
    if scenario == "rollback":
        rollback(store, system, SilentReporter())
    elif scenario == "uninstall":
        uninstall(store, system, SilentReporter())
    else:
        activate(store, system, root / "bin", "first" if scenario == "repair" else "second")


def killed_at(point: int, root: Path, store: Store, scenario: str, system: System) -> str:
    """Run the call in a child that dies before its step number ``point``; the step's name, or ``done``."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        seen = itertools.count(1)

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            flags = arguments[2] if event == "open" else 0
            changes = event in STEPS or (isinstance(flags, int) and bool(flags & WRITING))
            if changes and next(seen) == point:
                os.write(writing, event.encode())
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        act(root, store, scenario, system)
        os.write(writing, b"done")
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        return pipe.read()


def main() -> None:
    root, scenario = Path(sys.argv[1]), sys.argv[2]
    system = SYSTEMS[sys.argv[3] if len(sys.argv) > 3 else "posix"]
    for point in itertools.count(1):
        here = root / str(point)
        here.mkdir(parents=True)
        step = killed_at(point, here, prepare(here, scenario, system), scenario, system)
        print(step, flush=True)
        if step in ("done", ""):
            return


if __name__ == "__main__":
    main()
