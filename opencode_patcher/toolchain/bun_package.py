"""The program in one of bun's packages: fetched from the npm registry, and checked whenever it is used.

The lock pins the SHA-512 of each package's archive, so that no registry decides what bun is. The archive itself is not
kept; a note beside the program says from which archive it came, and its own SHA-256.
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
from opencode_patcher.toolchain import npm_registry, npm_settings, platforms
from opencode_patcher.upstream.lock import BunPins


@dataclass(frozen=True, kw_only=True)
class _Note:
    """``integrity`` is the archive's, as the lock has it; ``sha256`` the program's."""

    integrity: str
    sha256: str


def is_whole(program: Path, package: str, version: str, pins: BunPins) -> bool:
    """Whether ``program`` is still what was fetched, and what the lock pins if it pins this version."""
    try:
        note = documents.read(_note(program), _Note)
        pinned = pins.get(version, {}).get(package, note.integrity)
        return note.integrity == pinned and not files.is_link(program) and file_sha256(program) == note.sha256
    except (DocumentError, OSError):
        return False


def fetch(program: Path, package: str, version: str, pins: BunPins) -> int:
    """Write the program of a package, executable, to ``program``, and return how many bytes were fetched.

    A version that the lock does not pin is what the registry says it is. The registry is the user's; the settings of
    the project in the current directory do not count. Raises ToolchainError when it cannot be fetched, or is not what
    the lock pins.
    """
    settings = npm_settings.read_settings()
    found = npm_registry.find(settings, package, version)
    announced = _integrity(found.sha512)
    pinned = pins.get(version, {}).get(package, announced)
    if announced != pinned:
        raise ToolchainError(
            f"{package} {version} cannot be used.",
            why=(
                "The registry has another archive than the one that the lock pins.\n"
                f"Address: {settings.registry(package)}\nPinned:    {pinned}\nAnnounced: {announced}"
            ),
            next_step="Check npm's registry (npm_config_registry or .npmrc), or put the wanted bun on PATH.",
        )
    archive = npm_registry.download(settings, found)
    name = "bun.exe" if "windows" in package else "bun"
    files.write_bytes(program, _member(archive, f"package/bin/{name}", package), mode=0o755)
    files.write_json(_note(program), asdict(_Note(integrity=announced, sha256=file_sha256(program))))
    return len(archive)


def with_pins(pins: BunPins, version: str) -> BunPins:
    """``pins`` with those of one more version, for every platform, as the registry has them now. A platform that it
    does not have stays without.
    """
    if version in pins:
        return pins
    settings = npm_settings.read_settings()
    found: dict[str, str] = {}
    for package in sorted(platforms.PACKAGES):
        try:
            found[package] = _integrity(npm_registry.find(settings, package, version).sha512)
        except ToolchainError:
            continue
    return {**pins, version: found} if found else pins


def _note(program: Path) -> Path:
    return program.with_name(f"{program.name}.fetched.json")


def _integrity(sha512: bytes) -> str:
    return f"sha512-{base64.b64encode(sha512).decode()}"


def _member(archive: bytes, name: str, package: str) -> bytes:
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
