"""The bun that upstream's build is run with.

Upstream names a version and refuses any bun outside ``^version`` (packages/script/src/index.ts). If the bun on PATH
satisfies this, it is used as it is. Otherwise exactly the named version is fetched from the npm registry into the
store, and has to match the lock's pin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from opencode_patcher.base import environment, files, process
from opencode_patcher.base.errors import ProcessError, ToolchainError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.toolchain import bun_package, platforms
from opencode_patcher.upstream.lock import BunPins

VERSION_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Bun:
    """A bun that runs here. ``origin`` says whether it is the user's own or one from the store."""

    path: Path
    version: str
    origin: Literal["PATH", "store"]


def ensure(store: Store, required: str, pins: BunPins, reporter: Reporter) -> Bun:
    """A bun that satisfies ``^required`` (``1.3.14``); the caller holds the build mutex.

    The one in the store is used as long as it is unchanged and matches ``pins``; otherwise it is fetched again. Raises
    ToolchainError when bun does not exist for this machine, cannot be fetched, arrives damaged, does not match its pin
    or does not run. Nothing is left behind then.
    """
    on_path = environment.find_program("bun")
    found = version_of(on_path) if on_path else None
    if on_path and found and satisfies(found, required):
        return Bun(path=on_path, version=found, origin="PATH")
    package = platforms.bun_package(platforms.detect())
    path = kept(store, required, package)
    if not bun_package.is_whole(path, package, required, pins):
        if on_path:
            reporter.note(f"{on_path} (bun {found or 'that does not run'}) is not used: {required} or newer is needed.")
        if required not in pins:
            reporter.note(f"bun {required} is not pinned in the lock, so whatever the npm registry provides is used.")
        _fetch(package, required, pins, path.parent, path.name, reporter)
    return Bun(path=path, version=required, origin="store")


def kept(store: Store, version: str, package: str) -> Path:
    """Where the store keeps the bun of ``package``, whether it exists or not."""
    directory = store.toolchains / f"bun-{version}-{package.removeprefix('@oven/bun-')}"
    return directory / ("bun.exe" if "windows" in package else "bun")


def version_of(path: Path) -> str | None:
    """The output of ``bun --version``; None when it does not run."""
    try:
        return process.run([path, "--version"], timeout=VERSION_TIMEOUT_SECONDS).stdout.strip()
    except ProcessError:
        return None


def satisfies(version: str, required: str) -> bool:
    """Whether ``version`` is in the range ``^required`` of semantic versions; pre-releases are not."""
    have, want = _numbers(version), _numbers(required)
    if have is None or want is None or have < want:
        return False
    fixed = next((index for index, number in enumerate(want) if number), len(want) - 1) + 1
    return have[:fixed] == want[:fixed]


def _numbers(version: str) -> tuple[int, ...] | None:
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else None


def _fetch(package: str, version: str, pins: BunPins, directory: Path, name: str, reporter: Reporter) -> None:
    with reporter.phase(f"Fetching bun {version}") as phase, files.staged_directory(directory) as staging:
        size = bun_package.fetch(staging / name, package, version, pins)
        if version_of(staging / name) != version:
            raise ToolchainError(
                f"bun {version} does not run on this machine.",
                why=f"The program in {package} does not answer to --version.",
                next_step="Put a bun that works here on your PATH.",
            )
        phase.detail(f"{size / 1e6:.1f} MB")
