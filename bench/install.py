"""``install`` and ``rollback`` beside what a person would type for the same binary.

By hand an install is ``cp`` into a directory and ``ln -sf``; a careful hand starts the copy (``--version``) before it
makes the link, as the tool does. A rollback by hand is ``ln -sf``, the careful one again with ``--version`` before it.
The tool also checks the hash of the binary, and keeps what it needs to go back. Each command is a process of its own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from opencode_patcher.base import process
from opencode_patcher.base.store import HOME_VARIABLE, Store, open_store
from opencode_patcher.install import builds


def main() -> None:
    """Measure with the build that ``--binary`` belongs to, in a temporary directory on the disk of ``--scratch``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, required=True, help="the program of a build in the store")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--scratch", type=Path, default=None, help="a directory for the temporary store")
    given = parser.parse_args()
    build = next((found for found in builds.list_builds(open_store()) if found.binary == given.binary), None)
    if build is None:
        sys.exit(f"{given.binary} is not a build in the store. See: opencode-patcher list --json")
    with tempfile.TemporaryDirectory(prefix="bench-install-", dir=given.scratch) as root:
        measure(build, Path(root), given.runs)


def measure(build: builds.Build, root: Path, runs: int) -> None:
    """Print the medians of ``runs`` runs and their ratios; ``root`` is an empty directory."""
    names = two_builds(open_store(root / "store"), build)
    bin_dir, hand = root / "bin", root / "hand"
    for directory in (bin_dir, hand / "bin"):
        directory.mkdir(parents=True)

    def tool(*words: str) -> None:
        environment = {HOME_VARIABLE: str(root / "store"), "HOME": str(root)}
        process.run([sys.executable, "-m", "opencode_patcher", *words, "--quiet"], env=environment)

    def copy(*, careful: bool) -> None:
        target = hand / "opencode"
        target.unlink(missing_ok=True)
        process.run(["cp", build.binary, target])
        link(careful=careful)

    def link(*, careful: bool) -> None:
        if careful:
            process.run([hand / "opencode", "--version"], env={"HOME": str(root)})
        process.run(["ln", "-sf", hand / "opencode", hand / "bin" / "opencode"])

    def fresh() -> None:
        tool("uninstall")

    copy(careful=True)
    tool("install", names[0], f"--bin-dir={bin_dir}")
    first = timed(lambda: tool("install", names[0], f"--bin-dir={bin_dir}"), runs, before=fresh)
    tool("install", names[1])
    rollback = timed(lambda: tool("rollback"), runs, before=lambda: tool("install", names[1]))
    for what, seconds, by_hand in (
        ("install", first, copy),
        ("rollback", rollback, link),
    ):
        plain = timed(lambda by_hand=by_hand: by_hand(careful=False), runs)  # type: ignore[misc]
        careful = timed(lambda by_hand=by_hand: by_hand(careful=True), runs)  # type: ignore[misc]
        print(
            f"{what:9} {seconds:6.2f} s   by hand {plain:6.3f} s  ratio {seconds / plain:6.1f}"
            f"   by hand with --version {careful:5.2f} s  ratio {seconds / careful:5.2f}"
        )


def two_builds(store: Store, build: builds.Build) -> tuple[str, str]:
    """Two builds with the same program under two names."""
    names = []
    for number in range(2):
        copy = store.root / "copy" / build.name
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(build.binary, copy)
        ingredients = replace(build.ingredients, patchset=f"{number}")
        made = builds.keep(store, ingredients, copy, build.tool_version)
        builds.record_drill(made, builds.DrillResult(passed=("not run",), failed=(), failover_ms=None))
        names.append(made.directory.name)
    return names[0], names[1]


def timed(action: Callable[[], None], runs: int, *, before: Callable[[], None] | None = None) -> float:
    """The median seconds of an action. ``before`` is called before each run and is not timed."""
    found = []
    for _ in range(runs):
        if before:
            before()
        os.sync()
        started = time.monotonic()
        action()
        found.append(time.monotonic() - started)
    return statistics.median(found)


if __name__ == "__main__":
    main()
