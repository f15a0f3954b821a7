"""The bun that upstream's build is run with.

Upstream names a version and refuses any bun outside ``^version`` (packages/script/src/index.ts). One on
PATH that satisfies this is used as it is; else exactly the named version is fetched from the npm registry
into the store.
"""

from __future__ import annotations

import io
import re
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from opencode_patcher.base import files, process
from opencode_patcher.base.errors import ProcessError, ToolchainError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.store import Store
from opencode_patcher.toolchain import npm_settings, platforms

VERSION_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Bun:
    """A bun that runs here. ``origin`` says whether it is the user's own or one from the store."""

    path: Path
    version: str
    origin: Literal["PATH", "store"]


def ensure(store: Store, required: str, reporter: Reporter) -> Bun:
    """A bun that satisfies ``^required`` (``1.3.14``); the caller holds the store's lock.

    Raises ToolchainError when bun does not exist for this machine, cannot be fetched, arrives damaged or
    does not run. Nothing is left behind then.
    """
    on_path = shutil.which("bun")
    found = version_of(Path(on_path)) if on_path else None
    if on_path and found and satisfies(found, required):
        return Bun(path=Path(on_path), version=found, origin="PATH")
    package = platforms.bun_package(platforms.detect())
    path = kept(store, required, package)
    if not path.is_file():
        if on_path:
            reporter.note(f"{on_path} (bun {found or 'that does not run'}) is not used: {required} or newer is needed.")
        _fetch(package, required, path.parent, path.name, reporter)
    return Bun(path=path, version=required, origin="store")


def kept(store: Store, version: str, package: str) -> Path:
    """Where the store keeps a bun that came in ``package``, whether it is there or not."""
    directory = store.toolchains / f"bun-{version}-{package.removeprefix('@oven/bun-')}"
    return directory / ("bun.exe" if "windows" in package else "bun")


def version_of(path: Path) -> str | None:
    """What ``bun --version`` says; None when it does not run."""
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


def _fetch(package: str, version: str, directory: Path, name: str, reporter: Reporter) -> None:
    from opencode_patcher.toolchain import npm_registry

    with reporter.phase(f"Fetching bun {version}") as phase, files.staged_directory(directory) as staging:
        settings = npm_settings.read_settings(project=Path.cwd())
        archive = npm_registry.download(settings, npm_registry.find(settings, package, version))
        files.write_bytes(staging / name, member(archive, f"package/bin/{name}", package), mode=0o755)
        if version_of(staging / name) != version:
            raise ToolchainError(
                f"bun {version} does not run on this machine.",
                why=f"The program in {package} does not answer to --version.",
                next_step="Put a bun that works here on your PATH.",
            )
        phase.detail(f"{len(archive) / 1e6:.1f} MB")


def member(archive: bytes, name: str, package: str) -> bytes:
    """One file of an archive. The rest is not unpacked, so no name in it can reach outside."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            file = opened.extractfile(name)
            if file is None:
                raise KeyError(f"{name} is not a regular file")
            return file.read()
    except (KeyError, EOFError, tarfile.TarError, OSError) as error:
        raise ToolchainError(
            f"The package {package} cannot be used.",
            why=f"{type(error).__name__}: {error}",
            next_step="Put the required bun on your PATH.",
        ) from error
