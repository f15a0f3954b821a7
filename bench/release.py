"""A release of all targets beside upstream's own build of them, in time and in the size of the archives.

Upstream's side is its release by hand: the unpatched tree, one ``bun run build``, then ``tar -czf`` and ``zip -r`` as
at the end of its build script. Both sides have the same tree, dependencies, runtimes and targets; neither runs a drill.
Targets whose native packages the registry lacks are left out, and named.
"""

from __future__ import annotations

import argparse
import dataclasses
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from opencode_patcher import pipeline
from opencode_patcher.base.errors import ToolchainError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.patchset import series
from opencode_patcher.release import make
from opencode_patcher.release.inputs import Inputs, Order
from opencode_patcher.toolchain import build as toolchain
from opencode_patcher.toolchain import targets
from opencode_patcher.toolchain.targets import Target
from opencode_patcher.upstream import lock

REPORTER = SilentReporter()
SELECTING = "build-targets"
"""The patch that only selects targets. Without it upstream's build stops at the first one that lacks a package."""


def main() -> None:
    """Measure in a temporary store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", action="append", help="a target; can be repeated (default: all)")
    chosen = targets.select(parser.parse_args().target or [targets.ALL])
    with tempfile.TemporaryDirectory(prefix="bench-release-") as root:
        measure(Path(root), chosen)


def measure(root: Path, chosen: Sequence[Target]) -> None:
    """Print the figures; ``root`` is an empty directory."""
    store = open_store(root / "store")
    locked = lock.read_lock()
    chosen = _buildable(chosen, store, locked)
    plain = _only_selecting(root / "plain")
    theirs = Order(request=plain, targets=tuple(chosen), allow_missing=True)
    ours = Order(request=Request(), targets=tuple(chosen), allow_missing=True)

    gathered = pipeline.gathered(theirs, locked.release, locked, store, REPORTER)
    _by_hand(gathered, chosen[:1], root / "warm-up")
    hand = _measured(lambda: _by_hand(gathered, chosen, root / "hand"))
    stock = {path.name: path.stat().st_size for path in (root / "hand").iterdir()}

    gathered = pipeline.gathered(ours, locked.release, locked, store, REPORTER)
    (root / "ours").mkdir()
    tool = _measured(lambda: make.build(ours, gathered, root / "ours", store, REPORTER))

    print(f"{len(chosen)} targets: {', '.join(target.name for target in chosen)}")
    print(f"opencode-patcher  {tool[0]:6.1f} s wall  {tool[1]:6.1f} s processor")
    print(f"upstream by hand  {hand[0]:6.1f} s wall  {hand[1]:6.1f} s processor")
    print(f"ratio             {tool[0] / hand[0]:6.2f}         {tool[1] / hand[1]:6.2f}")
    for target in chosen:
        size = (root / "ours" / target.archive).stat().st_size
        beside = stock[target.archive]
        print(f"{target.archive:42} {size / 1e6:6.1f} MB   unpatched {beside / 1e6:6.1f} MB   {size / beside:.3f}")


def _buildable(chosen: Sequence[Target], store: Store, locked: lock.Lock) -> list[Target]:
    """The targets that can be built with what the registry has."""
    left = []
    for target in chosen:
        order = Order(request=Request(), targets=(target,), allow_missing=True)
        try:
            pipeline.gathered(order, locked.release, locked, store, REPORTER)
        except ToolchainError as error:
            print(f"{target.name} is left out: {error.why.splitlines()[0]}")
        else:
            left.append(target)
    return left


def _only_selecting(place: Path) -> Request:
    """A request whose series is nothing but the selection of targets, without new files."""
    full = Request()
    patch = series.load(full.patches).find(SELECTING)
    (place / "patches").mkdir(parents=True)
    (place / "templates" / "opencode-1").mkdir(parents=True)
    (place / "patches" / series.SERIES_FILE).write_text(f"{SELECTING}\n")
    (place / "patches" / patch.file_name).write_text(patch.text)
    return dataclasses.replace(full, patches=place / "patches", templates=place / "templates")


def _by_hand(gathered: Inputs, chosen: Sequence[Target], out: Path) -> None:
    """Upstream's build, and the packing at its end."""
    out.mkdir()
    tree = gathered.tree
    options = toolchain.BuildOptions(version=gathered.tree.release.number, models_json=gathered.models.path)
    toolchain.build_targets(
        gathered.bun, tree, options, chosen, gathered.runtimes, REPORTER, out.parent / "by-hand.log", lambda *_: None
    )
    for target in chosen:
        place = tree.path / tree.line.package / "dist" / target.package / "bin"
        packer = ["tar", "-czf"] if target.system == "linux" else ["zip", "-q", "-r"]
        subprocess.run([*packer, out / target.archive, target.binary], cwd=place, check=True)


def _measured(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall time, and of processor time of this process and its children."""
    started, before = time.perf_counter(), _processor()
    action()
    return time.perf_counter() - started, _processor() - before


def _processor() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
