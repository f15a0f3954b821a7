"""Native packages: which ones a target's binary contains, and which of them are missing.

``bun install`` fetches those of this machine only; a release needs those of all its targets. A registry that mirrors
only part of npm may lack some, and bun cannot bundle missing files.
"""

from __future__ import annotations

import fnmatch
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import documents, files
from opencode_patcher.base.documents import DocumentError
from opencode_patcher.toolchain.bun_lock import Package
from opencode_patcher.toolchain.targets import Target

_RULES = Path(__file__).with_name("natives.toml")
_NPM_SYSTEMS = {"windows": "win32"}
_GLIBC_ENDINGS = ("-gnu", "-glibc")
_MUSL_ENDING = "-musl"
MODULES = "node_modules"
STAND_IN_VERSION = "0.0.0-not-available"
"""The version in a stand-in's package.json, which distinguishes it from the real package."""


@dataclass(frozen=True, kw_only=True)
class MissingPackage:
    """A missing native package. ``library`` is the file that an empty one can replace, "" when OpenCode needs the
    package.
    """

    package: Package
    targets: tuple[Target, ...]
    library: str


def needed(closure: Iterable[Package], target: Target) -> tuple[Package, ...]:
    """The packages of a closure (``BunLock.production``) that are made for ``target``.

    Which C library a package is for is in the package's name, not in the lock.
    """
    fitting = [package for package in closure if package.native and _fits(package, target)]
    musl_twins = {package.name for package in fitting if package.name.endswith(_MUSL_ENDING)}
    return tuple(package for package in fitting if _has_libc(package.name, target, musl_twins))


def missing(
    closure: Iterable[Package], targets: Iterable[Target], there: Iterable[tuple[str, str]]
) -> list[MissingPackage]:
    """What ``targets`` lack; ``there`` has the name and version of each installed package."""
    have, closure, lacking = set(there), tuple(closure), dict[Package, list[Target]]()
    for target in targets:
        for package in needed(closure, target):
            if (package.name, package.version) not in have:
                lacking.setdefault(package, []).append(target)
    rules = _rules()
    return [
        MissingPackage(package=package, targets=tuple(found), library=_library(package.name, found[0], rules))
        for package, found in lacking.items()
    ]


def included(
    closure: Iterable[Package], targets: Sequence[Target], lacking: Iterable[MissingPackage]
) -> tuple[Package, ...]:
    """The packages of a closure that end up in the binaries of ``targets``."""
    closure = tuple(closure)
    native = {package.place for target in targets for package in needed(closure, target)}
    native -= {one.package.place for one in lacking}
    return tuple(package for package in closure if not package.native or package.place in native)


def put_stand_in(lacking: MissingPackage, node_modules: Path) -> None:
    """Put an empty library in place of an optional package, so that bun has a file to bundle.

    ``node_modules`` is the directory from which the package is resolved. Raises StoreError when it cannot be written.
    """
    directory = node_modules / lacking.package.name
    files.write_bytes(directory / lacking.library, b"")
    files.write_json(directory / "package.json", {"name": lacking.package.name, "version": STAND_IN_VERSION})


@dataclass(frozen=True, kw_only=True)
class _Named:
    name: str
    version: str


def installed(root: Path) -> dict[tuple[str, str], Path]:
    """Every package below the ``node_modules`` of a tree: its directory by name and version.

    Works for both of bun's layouts, flat and isolated. Links need not be followed; their targets are found as well.
    """
    found: dict[tuple[str, str], Path] = {}
    for directory, names, there in os.walk(root):
        names.sort()
        place = Path(directory)
        if "package.json" not in there or MODULES not in (place.parent.name, place.parent.parent.name):
            continue
        try:
            about = documents.read(place / "package.json", _Named)
        except DocumentError:
            continue  # a fixture or a fragment inside a package, not a package
        found.setdefault((about.name, about.version), place)
    return found


def _fits(package: Package, target: Target) -> bool:
    system = _NPM_SYSTEMS.get(target.system, target.system)
    return (not package.systems or system in package.systems) and (
        not package.machines or target.machine in package.machines
    )


def _has_libc(name: str, target: Target, musl_twins: set[str]) -> bool:
    if target.musl:
        return not name.endswith(_GLIBC_ENDINGS) and name + _MUSL_ENDING not in musl_twins
    return not name.endswith(_MUSL_ENDING)


def _rules() -> Mapping[str, Mapping[str, str]]:
    rules: Mapping[str, Mapping[str, str]] = tomllib.loads(_RULES.read_text(encoding="utf-8"))
    return rules


def _library(name: str, target: Target, rules: Mapping[str, Mapping[str, str]]) -> str:
    return next((rule[target.system] for pattern, rule in rules.items() if fnmatch.fnmatchcase(name, pattern)), "")
