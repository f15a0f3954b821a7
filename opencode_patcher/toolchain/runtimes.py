"""bun's runtimes for other platforms, which its compiler puts the program into.

bun would fetch them itself, without checking them. It looks in its package cache first, so they are fetched and checked
here like bun itself, and bun is pointed to a cache that has nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.toolchain import bun_package
from opencode_patcher.toolchain.bun import Bun
from opencode_patcher.toolchain.targets import Target
from opencode_patcher.upstream.lock import BunPins

SCOPE = "@oven"
"""The npm scope of bun's packages."""


@dataclass(frozen=True, kw_only=True)
class Runtimes:
    """A directory that bun can use as its package cache, for one version of bun."""

    directory: Path
    version: str

    def path(self, target: Target) -> Path:
        """The path of a target's runtime, under the name that bun looks for."""
        return self.directory / f"{target.runtime}-v{self.version}"


def never_fetched(store: Store, targets: Iterable[Target]) -> int:
    """How many of ``targets`` have no runtime in the store, for any version of bun."""
    return sum(not any(store.toolchains.glob(f"runtimes-*/{target.runtime}-v*")) for target in targets)


def ensure(store: Store, bun: Bun, targets: Iterable[Target], pins: BunPins, reporter: Reporter) -> Runtimes:
    """The runtimes of ``targets`` in the version of ``bun``; missing or changed ones are fetched.

    The caller holds the build mutex. Raises ToolchainError when one cannot be fetched, arrives damaged or does not
    match ``pins``.
    """
    runtimes = Runtimes(directory=store.toolchains / f"runtimes-{bun.version}", version=bun.version)
    wanted = {runtimes.path(target): f"{SCOPE}/{target.runtime}" for target in targets}
    absent = [path for path in wanted if not bun_package.is_whole(path, wanted[path], bun.version, pins)]
    if not absent:
        return runtimes
    with reporter.phase(f"Fetching {len(absent)} of bun's runtimes") as phase:
        size = 0
        for path in absent:
            size += bun_package.fetch(path, wanted[path], bun.version, pins)
            phase.detail(f"{size / 1e6:.0f} MB")
    return runtimes
