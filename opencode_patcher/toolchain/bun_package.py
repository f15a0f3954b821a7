"""The program in one of bun's packages: fetched from the npm registry, and checked whenever it is used.

The lock pins the SHA-512 of each package's archive, so that no registry can replace bun. The archive itself is not
kept; a note beside the program has the archive's digest and the program's own SHA-256.
"""

from __future__ import annotations

import base64
import io
import tarfile
from dataclasses import asdict, dataclass
from pathlib import Path

from opencode_patcher.base import documents, files
from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.documents import DocumentError
from opencode_patcher.base.errors import ToolchainError
from opencode_patcher.base.progress import Reporter
from opencode_patcher.toolchain import npm_registry, npm_settings, platforms
from opencode_patcher.upstream.lock import BunPins


@dataclass(frozen=True, kw_only=True)
class _Note:
    """``integrity`` is the archive's, in the lock's form; ``sha256`` is the program's."""

    integrity: str
    sha256: str


def is_whole(program: Path, package: str, version: str, pins: BunPins) -> bool:
    """Whether ``program`` is unchanged since it was fetched, and matches the lock if the lock pins this version."""
    try:
        note = documents.read(_note(program), _Note)
        pinned = pins.get(version, {}).get(package, note.integrity)
        return note.integrity == pinned and not files.is_link(program) and file_sha256(program) == note.sha256
    except (DocumentError, OSError):
        return False


def fetch(program: Path, package: str, version: str, pins: BunPins) -> int:
    """Write a package's executable to ``program``, and return how many bytes were fetched.

    For a version that the lock does not pin, the registry is trusted. It is the user's registry; settings of a project
    in the current directory are ignored. Raises ToolchainError when it cannot be fetched, or does not match the lock.
    """
    settings = npm_settings.read_settings()
    found = npm_registry.find(settings, package, version)
    announced = _integrity(found.sha512)
    pinned = pins.get(version, {}).get(package, announced)
    if announced != pinned:
        raise ToolchainError(
            f"{package} {version} cannot be used.",
            why=(
                "The registry's archive is not the one that the lock pins.\n"
                f"Address: {settings.registry(package)}\nPinned:    {pinned}\nAnnounced: {announced}"
            ),
            next_step="Check npm's registry (npm_config_registry or .npmrc), or put the wanted bun on PATH.",
        )
    archive = npm_registry.download(settings, found)
    name = "bun.exe" if "windows" in package else "bun"
    files.write_bytes(program, _member(archive, f"package/bin/{name}", package), mode=0o755)
    files.write_json(_note(program), asdict(_Note(integrity=announced, sha256=file_sha256(program))))
    return len(archive)


def with_pins(pins: BunPins, version: str, reporter: Reporter) -> BunPins:
    """``pins`` with those of one more version, for every platform, as the registry has them now. A platform that it
    does not have stays without a pin, and is named to the user.

    Raises ToolchainError when the registry cannot be reached, or has the version for no platform.
    """
    if version in pins:
        return pins
    settings = npm_settings.read_settings()
    found: dict[str, str] = {}
    missing: list[str] = []
    for package in sorted(platforms.PACKAGES):
        try:
            found[package] = _integrity(npm_registry.find(settings, package, version).sha512)
        except npm_registry.NotInRegistryError:
            missing.append(package)
    if not found:
        raise ToolchainError(
            f"The lock cannot pin bun {version}.",
            why=f"The registry has it for no platform.\nRegistry: {settings.registry_setting(missing[0])}",
            next_step="Check npm's registry (npm_config_registry or .npmrc), then run the same command again.",
        )
    if missing:
        reporter.warn(f"The registry does not have bun {version} for every platform. Not pinned: {', '.join(missing)}")
    return {**pins, version: found}


def _note(program: Path) -> Path:
    return program.with_name(f"{program.name}.fetched.json")


def _integrity(sha512: bytes) -> str:
    return f"sha512-{base64.b64encode(sha512).decode()}"


def _member(archive: bytes, name: str, package: str) -> bytes:
    """One file of an archive. Nothing else is unpacked, so no path in it can lead outside."""
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
