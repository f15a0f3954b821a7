"""Shows what a real install, rollback or uninstall leaves when it is killed before any of its steps.

    python kill_points.py DIRECTORY SCENARIO [SYSTEM]

A step is a call to the operating system that makes, renames, links, deletes or writes a file, or starts a program;
Python's audit events announce each. SIGKILL leaves the files as they are at that moment, so one run is enough: before
each step the files are copied, to DIRECTORY/1, DIRECTORY/2 and so on, unless an earlier copy is the same. To see that
this is so, the run is also really killed at a few of the steps. The last copy is of the run that was not killed. Prints
the number of steps.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
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
REALLY_KILLED = (4, 8, 30)


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


def fingerprint(root: Path) -> str:
    """Everything that a run finds below ``root``: names (but for a random part), kinds, rights, contents, links."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        name = re.sub(r"\.[A-Za-z0-9_]{8}(?=(\.tmp)?(/|$))", ".random", str(path.relative_to(root)))
        digest.update(f"{name} {path.lstat().st_mode} {path.lstat().st_nlink}\n".encode())
        if path.is_symlink():
            digest.update(os.fsencode(path.readlink()))
        elif path.is_file():
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def copy(source: Path, target: Path) -> None:
    # Unlike shutil, it keeps hard links.
    subprocess.run(["cp", "-a", source, target], check=True)


def on_each_step(handle: Callable[[int], None]) -> None:
    """From now on, call ``handle`` with the number of each step of this process before it is done."""
    steps = itertools.count(1)
    handling = False

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal handling
        flags = arguments[2] if event == "open" else 0
        if handling or not (event in STEPS or (isinstance(flags, int) and bool(flags & WRITING))):
            return
        handling = True
        handle(next(steps))
        handling = False

    sys.addaudithook(hook)


def killed_at(point: int, work: Callable[[], None]) -> bool:
    """Do the work in a process that is killed before its step number ``point``; whether it came so far."""
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    on_each_step(lambda number: os.kill(os.getpid(), signal.SIGKILL) if number == point else None)
    work()
    os._exit(0)


def main() -> None:
    root, scenario = Path(sys.argv[1]), sys.argv[2]
    system = SYSTEMS[sys.argv[3] if len(sys.argv) > 3 else "posix"]
    now, before = root / "now", root / "before"
    now.mkdir(parents=True)
    store = prepare(now, scenario, system)
    copy(now, before)

    def work() -> None:
        act(now, store, scenario, system)

    really: dict[int, str] = {}
    for point in REALLY_KILLED:
        if killed_at(point, work):
            really[point] = fingerprint(now)
        shutil.rmtree(now)
        copy(before, now)

    left: dict[int, str] = {}

    def keep(number: int) -> None:
        found = fingerprint(now)
        if found not in left.values():
            copy(now, root / str(len(set(left.values())) + 1))
        left[number] = found

    on_each_step(keep)
    work()
    keep(0)
    assert really, "no run was killed"
    assert {point: left[point] for point in really} == really, "a killed run leaves something else"
    print(len(left))


if __name__ == "__main__":
    main()
