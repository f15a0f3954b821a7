"""The finished binaries in the store, one directory each: the program and a manifest that says what is in it.

``manifest.json`` is written last, so a directory without one is not a build.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import documents, files
from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.documents import DocumentError, Format, MissingError, NewerError
from opencode_patcher.base.errors import StoreError
from opencode_patcher.base.store import HOME_VARIABLE, Store
from opencode_patcher.base.version import Release, version_of

MANIFEST = "manifest.json"
FORMAT = 1
RECIPE = 2
"""The version of how a binary is made from its ingredients. Raise it to make all builds anew."""

END_OF_TIME = 2.0**33
"""The year 2242. A later time in a manifest means damage, and would break date arithmetic."""


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """Everything that determines the bytes of a binary.

    Hashes are SHA-256 in hexadecimal; ``catalogue_origin`` says for people where the catalogue is from; ``target`` is
    upstream's name for a platform, such as ``linux-x64``. ``lacks`` says for people, in a sentence each, what the
    official binary has and this one does not. ``packages`` are the dependencies that were taken in another version
    than the release asks for, as ``NAME=VERSION``.
    """

    release: Release
    source: str
    patchset: str
    bun: str
    catalogue: str
    web_ui: bool
    target: str
    catalogue_origin: str = ""
    lacks: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """A hexadecimal name for these ingredients. The source's commit is part of it, its address is not."""
        parts = [RECIPE, self.release.commit, self.release.number, self.patchset, self.bun]
        parts += [self.catalogue, self.web_ui, self.target, *self.packages]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class DrillResult:
    """What the drill said of a binary: scenario names by outcome, and the median milliseconds to the next provider.
    ``whole`` says that all scenarios were played, and not only those that every build must pass.
    """

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    failover_ms: float | None
    whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Build:
    """A finished binary. ``built_at`` is in seconds since the epoch; ``drill`` is None until the drill has run here.

    ``released`` means that it comes from a release, which was drilled before it was published, and ``channel`` is the
    repository (OWNER/NAME), "" if unknown. The program uses ``channel`` to say where newer releases are.
    """

    directory: Path
    name: str
    sha256: str
    size: int
    ingredients: Ingredients
    tool_version: str
    built_at: float
    drill: DrillResult | None = None
    released: bool = False
    channel: str = ""

    @property
    def binary(self) -> Path:
        return self.directory / self.name

    @property
    def release(self) -> Release:
        return self.ingredients.release

    @property
    def verified(self) -> bool:
        """Whether the drill has run and passed."""
        return self.drill is not None and not self.drill.failed

    @property
    def proven(self) -> bool:
        """Whether it has passed every scenario of the drill here."""
        return self.verified and self.drill is not None and self.drill.whole

    @property
    def trusted(self) -> bool:
        """Whether it may be installed without --unverified: it is verified, or comes from a release and has not failed
        a drill here."""
        return self.verified or (self.released and self.drill is None)


def directory_of(store: Store, ingredients: Ingredients) -> Path:
    """The directory of the build of these ingredients, whether it exists or not."""
    return store.builds / f"{ingredients.release.number}-{ingredients.key[:12]}"


def find(store: Store, ingredients: Ingredients) -> Build | None:
    """The build of exactly these ingredients, if it exists and its binary is unchanged."""
    build = _read(directory_of(store, ingredients))
    if build is None or build.ingredients.key != ingredients.key or not build.binary.is_file():
        return None
    return build if file_sha256(build.binary) == build.sha256 else None


def list_builds(store: Store) -> tuple[Build, ...]:
    """Every readable build in the store, the newest first; see ``unreadable``."""
    return _survey(store)[0]


def unreadable(store: Store) -> tuple[StoreError, ...]:
    """Why some builds in the store cannot be read: damaged ones, and those of a newer version."""
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


def record_drill(build: Build, verdict: DrillResult) -> Build:
    """Write the drill's result into the manifest."""
    judged = dataclasses.replace(build, drill=verdict)
    _write(judged, build.directory / MANIFEST)
    return judged


def as_data(build: Build) -> dict[str, object]:
    """The content of ``manifest.json``. It does not include the build's path."""
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
        "catalogue_origin": made.catalogue_origin,
        "web_ui": made.web_ui,
        "lacks": list(made.lacks),
        "packages": list(made.packages),
        "target": made.target,
        "binary": {"name": build.name, "sha256": build.sha256, "size": build.size},
        "drill": dataclasses.asdict(build.drill) if build.drill else None,
        "released": build.released,
        "channel": build.channel,
    }


def _write(build: Build, path: Path) -> None:
    files.write_json(path, as_data(build))


@dataclass(frozen=True, kw_only=True)
class _Release:
    tag: str
    version: str
    commit: str


@dataclass(frozen=True, kw_only=True)
class _Binary:
    name: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class _Manifest:
    """``manifest.json`` as it is written; older versions lack ``released`` and ``channel``."""

    tool_version: str
    built_at: float
    release: _Release
    source: str
    patchset: str
    bun: str
    catalogue: str
    web_ui: bool
    target: str
    binary: _Binary
    drill: DrillResult | None
    released: bool = False
    channel: str = ""
    catalogue_origin: str = ""
    lacks: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


def _read(directory: Path) -> Build | None:
    path = directory / MANIFEST
    try:
        return _build(directory, documents.read(path, _Manifest, format=Format(FORMAT)))
    except MissingError:
        return None
    except NewerError as error:
        raise StoreError(
            f"The build {directory.name} cannot be read by this version.",
            why=f"{path}: {error}",
            next_step=f"Update opencode-patcher, or name another store in {HOME_VARIABLE}.",
        ) from error
    except DocumentError as error:
        raise StoreError(
            f"{path} is damaged.",
            why=str(error),
            next_step=f"Delete {directory} and build again: opencode-patcher build",
        ) from error


def _build(directory: Path, said: _Manifest) -> Build:
    version = version_of(f"v{said.release.version}")
    if version is None:
        raise DocumentError(f"{said.release.version!r} is not a version.")
    if Path(said.binary.name).name != said.binary.name or said.binary.name in ("", ".", ".."):
        raise DocumentError(f"{said.binary.name!r} is not a file name.")
    if not 0 <= said.built_at < END_OF_TIME:
        raise DocumentError("Its build time is impossible.")
    return Build(
        directory=directory,
        name=said.binary.name,
        sha256=said.binary.sha256,
        size=said.binary.size,
        tool_version=said.tool_version,
        built_at=said.built_at,
        ingredients=Ingredients(
            release=Release(tag=said.release.tag, version=version, commit=said.release.commit),
            source=said.source,
            patchset=said.patchset,
            bun=said.bun,
            catalogue=said.catalogue,
            catalogue_origin=said.catalogue_origin,
            lacks=said.lacks,
            packages=said.packages,
            web_ui=said.web_ui,
            target=said.target,
        ),
        drill=said.drill,
        released=said.released,
        channel=said.channel,
    )
