"""bun's runtimes for other platforms, which its compiler puts the program into.

bun would fetch them itself, without checking what arrives. It looks into its package cache first, so they are fetched
here like any other package, with the registry's SHA-512, and bun is pointed to a cache that holds nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.toolchain import npm_registry, npm_settings
from opencode_patcher.toolchain.bun import Bun, member
from opencode_patcher.toolchain.targets import Target

SCOPE = "@oven"
"""The npm scope of bun's packages."""


@dataclass(frozen=True, kw_only=True)
class Runtimes:
    """A directory that bun can use as its package cache, for one version of bun."""

    directory: Path
    version: str

    def path(self, target: Target) -> Path:
        """Where the runtime of a target lies, under the name that bun looks for."""
        return self.directory / f"{target.runtime}-v{self.version}"


def never_fetched(store: Store, targets: Iterable[Target]) -> int:
    """How many of ``targets`` have no runtime in the store, of whatever version of bun."""
    return sum(not any(store.toolchains.glob(f"runtimes-*/{target.runtime}-v*")) for target in targets)


def ensure(store: Store, bun: Bun, targets: Iterable[Target], reporter: Reporter) -> Runtimes:
    """The runtimes of ``targets`` in the version of ``bun``; those that are not there are fetched.

    The caller holds the store's lock. Raises ToolchainError when one cannot be fetched or arrives damaged.
    """
    runtimes = Runtimes(directory=store.toolchains / f"runtimes-{bun.version}", version=bun.version)
    absent = [target for target in targets if not runtimes.path(target).is_file()]
    if not absent:
        return runtimes
    with reporter.phase(f"Fetching {len(absent)} of bun's runtimes") as phase:
        settings = npm_settings.read_settings(project=Path.cwd())
        size = 0
        for target in absent:
            package = f"{SCOPE}/{target.runtime}"
            archive = npm_registry.download(settings, npm_registry.find(settings, package, bun.version))
            name = "bun.exe" if target.system == "windows" else "bun"
            program = member(archive, f"package/bin/{name}", package)
            files.write_bytes(runtimes.path(target), program, mode=0o755)
            size += len(archive)
            phase.detail(f"{size / 1e6:.0f} MB")
    return runtimes
