"""The finished binaries in the store, one directory each: the program and a manifest that says what is in it.

``manifest.json`` is written last, so a directory without one is no build.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencode_patcher.base import files
from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.errors import StoreError
from opencode_patcher.base.store import HOME_VARIABLE, Store
from opencode_patcher.base.version import Release

MANIFEST = "manifest.json"
FORMAT = 1
RECIPE = 1
"""Counts the changes of how a binary is made from its ingredients; raised, it makes all builds anew."""


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """All that decides the bytes of a binary.

    Hashes are SHA-256 in hexadecimal; ``target`` is upstream's name for a platform, such as ``linux-x64``.
    """

    release: Release
    source: str
    patchset: str
    bun: str
    catalogue: str
    web_ui: bool
    target: str

    @property
    def key(self) -> str:
        """Hexadecimal name of these ingredients. The source's address is not part of it: its commit is."""
        parts = [RECIPE, self.release.commit, self.release.number, self.patchset, self.bun]
        parts += [self.catalogue, self.web_ui, self.target]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the drill said of a binary: scenario names by outcome, and the median milliseconds to the next provider."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    failover_ms: float | None


@dataclass(frozen=True, kw_only=True)
class Build:
    """A finished binary. ``built_at`` is in seconds since the epoch; ``drill`` is None until the drill has run here.

    ``released`` says that it is a release's, whose makers drilled it or its likes before they published it.
    """

    directory: Path
    name: str
    sha256: str
    size: int
    ingredients: Ingredients
    tool_version: str
    built_at: float
    drill: Verdict | None = None
    released: bool = False

    @property
    def binary(self) -> Path:
        return self.directory / self.name

    @property
    def release(self) -> Release:
        return self.ingredients.release

    @property
    def verified(self) -> bool:
        """Whether the drill has run and found nothing."""
        return self.drill is not None and not self.drill.failed

    @property
    def trusted(self) -> bool:
        """Whether it may be installed unasked: it is verified, or comes from a release and no drill here objected."""
        return self.verified or (self.released and self.drill is None)


def directory_of(store: Store, ingredients: Ingredients) -> Path:
    """Where the build of these ingredients lies, whether it is there or not."""
    return store.builds / f"{ingredients.release.number}-{ingredients.key[:12]}"


def find(store: Store, ingredients: Ingredients) -> Build | None:
    """The build of exactly these ingredients, if it is there and its binary is still what was built."""
    build = _read(directory_of(store, ingredients))
    if build is None or build.ingredients.key != ingredients.key or not build.binary.is_file():
        return None
    return build if file_sha256(build.binary) == build.sha256 else None


def list_builds(store: Store) -> tuple[Build, ...]:
    """Every build in the store, the newest first, but for those that ``unreadable`` tells of."""
    return _survey(store)[0]


def unreadable(store: Store) -> tuple[StoreError, ...]:
    """Why there are builds in the store of which nothing is known: damaged ones, and those of a newer version."""
    return _survey(store)[1]


def _survey(store: Store) -> tuple[tuple[Build, ...], tuple[StoreError, ...]]:
    found: list[Build] = []
    problems: list[StoreError] = []
    for path in sorted(store.builds.glob("*")):
        if path.name.startswith("."):
            continue
        try:
            build = _read(path)
        except StoreError as error:
            problems.append(error)
            continue
        if build:
            found.append(build)
    return tuple(sorted(found, key=lambda build: -build.built_at)), tuple(problems)


def latest(store: Store) -> Build | None:
    """The build that was made last, or None."""
    return next(iter(list_builds(store)), None)


def keep(store: Store, ingredients: Ingredients, binary: Path, tool_version: str) -> Build:
    """Move a freshly built program into the store. An older build of the same ingredients is replaced."""
    directory = directory_of(store, ingredients)
    build = Build(
        directory=directory,
        name=binary.name,
        sha256=file_sha256(binary),
        size=binary.stat().st_size,
        ingredients=ingredients,
        tool_version=tool_version,
        built_at=time.time(),
    )
    with files.staged_directory(directory) as new:
        files.move_file(binary, new / binary.name)
        _write(build, new / MANIFEST)
    return build


def record_drill(build: Build, verdict: Verdict) -> Build:
    """Write the drill's verdict into the manifest."""
    judged = dataclasses.replace(build, drill=verdict)
    _write(judged, build.directory / MANIFEST)
    return judged


def as_data(build: Build) -> dict[str, object]:
    """What ``manifest.json`` says of a build. It does not say where the build lies."""
    made = build.ingredients
    return {
        "format": FORMAT,
        "key": made.key,
        "tool_version": build.tool_version,
        "built_at": build.built_at,
        "release": {
            "tag": made.release.tag,
            "version": made.release.number,
            "commit": made.release.commit,
        },
        "source": made.source,
        "patchset": made.patchset,
        "bun": made.bun,
        "catalogue": made.catalogue,
        "web_ui": made.web_ui,
        "target": made.target,
        "binary": {"name": build.name, "sha256": build.sha256, "size": build.size},
        "drill": dataclasses.asdict(build.drill) if build.drill else None,
        "released": build.released,
    }


def _write(build: Build, path: Path) -> None:
    files.write_json(path, as_data(build))


def _read(directory: Path) -> Build | None:
    try:
        content = (directory / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(
            f"{directory / MANIFEST} cannot be read.",
            why=f"{error.strerror or error}.",
            next_step=f"Fix its permissions, or delete {directory} and build again: opencode-patcher build",
        ) from error
    try:
        data = json.loads(content)
        _check_format(directory, data["format"])
        return _parse(directory, data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{directory / MANIFEST} is damaged.",
            why=f"{type(error).__name__}: {error}",
            next_step=f"Delete {directory} and build again: opencode-patcher build",
        ) from error


def _check_format(directory: Path, found: object) -> None:
    if found == FORMAT:
        return
    if not isinstance(found, int):
        raise ValueError(f"its format is {found!r}")
    raise StoreError(
        f"The build {directory.name} cannot be read by this version.",
        why=f"The format of {directory / MANIFEST} is {found}; this version reads {FORMAT}.",
        next_step=f"Update opencode-patcher, or name another store in {HOME_VARIABLE}.",
    )


def _parse(directory: Path, data: dict[str, Any]) -> Build:
    release = data["release"]
    major, minor, patch = (int(part) for part in release["version"].split("."))
    drill = data["drill"]
    return Build(
        directory=directory,
        name=data["binary"]["name"],
        sha256=data["binary"]["sha256"],
        size=data["binary"]["size"],
        tool_version=data["tool_version"],
        built_at=float(data["built_at"]),
        ingredients=Ingredients(
            release=Release(tag=release["tag"], version=(major, minor, patch), commit=release["commit"]),
            source=data["source"],
            patchset=data["patchset"],
            bun=data["bun"],
            catalogue=data["catalogue"],
            web_ui=data["web_ui"],
            target=data["target"],
        ),
        drill=drill
        and Verdict(passed=tuple(drill["passed"]), failed=tuple(drill["failed"]), failover_ms=drill["failover_ms"]),
        # Manifests of older versions do not say it.
        released=data.get("released", False) is True,
    )
