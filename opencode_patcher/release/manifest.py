"""``manifest.json``: everything that determines the bytes of a release, and the digests of the result."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from opencode_patcher.base import documents, files
from opencode_patcher.base.documents import DocumentError, Format, NewerError
from opencode_patcher.base.errors import ReleaseError, UsageError
from opencode_patcher.base.line import OPENCODE_1, Line, of_version
from opencode_patcher.base.version import Release, version_of
from opencode_patcher.release.published import Published
from opencode_patcher.toolchain import targets
from opencode_patcher.toolchain.targets import Target
from opencode_patcher.upstream.lock import CataloguePin

FILE_NAME = "manifest.json"
SCHEMA = 1
"""Increase it when older versions of the tool would misunderstand the file. A newer one is refused."""

TOOL = "opencode-patcher"
_AGAIN = "Download the release again from where it is published."


@dataclass(frozen=True, kw_only=True)
class File:
    """A file: its name, SHA-256 in hexadecimal, and size in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """What was made for one target: the archive, the binary in it, the SHA-256 of bun's runtime in the binary, and the
    native packages that it lacks (``name@version``).
    """

    target: str
    archive: File
    binary: File
    runtime: str
    without: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A release. ``place`` is the tree it was built in: its path is in the binaries, so another path gives other bytes.

    ``patchset``, ``catalogue`` are SHA-256 in hexadecimal; ``source`` is where upstream's release came from; ``zlib``
    is the version of the library that compressed the archives. ``catalogue_pin`` names the package of the
    catalogue, None when it was a file. ``lacks`` says, in a sentence each, what the official binaries have and these do
    not. ``packages`` are the dependencies (``name=version``) that are other ones than the release asks for.
    """

    tool_version: str
    release: Release
    source: str
    patchset: str
    bun: str
    catalogue: str
    web_ui: bool
    channel: str
    place: str
    zlib: str
    artifacts: tuple[Artifact, ...]
    published: Published = field(default_factory=Published)
    catalogue_pin: CataloguePin | None = None
    lacks: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    @property
    def line(self) -> Line:
        """The line of OpenCode that the release is one of."""
        return of_version(self.release.version) or OPENCODE_1

    def target(self, artifact: Artifact) -> Target:
        """What an artifact was made for."""
        return targets.parse(artifact.target, self.line.program)


def as_data(manifest: Manifest) -> dict[str, object]:
    """The manifest as JSON data."""
    return {
        "schema": SCHEMA,
        "tool": {"name": TOOL, "version": manifest.tool_version},
        "upstream": {
            "tag": manifest.release.tag,
            "version": manifest.release.number,
            "commit": manifest.release.commit,
            "source": manifest.source,
        },
        "patchset": manifest.patchset,
        "bun": manifest.bun,
        "catalogue": {
            "sha256": manifest.catalogue,
            **({"package": asdict(manifest.catalogue_pin)} if manifest.catalogue_pin else {}),
        },
        "flags": {"web_ui": manifest.web_ui, "channel": manifest.channel},
        "lacks": list(manifest.lacks),
        **({"packages": list(manifest.packages)} if manifest.packages else {}),
        "published": {"repository": manifest.published.repository, "release": manifest.published.release},
        "place": manifest.place,
        "zlib": manifest.zlib,
        "targets": [
            {
                "name": artifact.target,
                "archive": _file_data(artifact.archive),
                "binary": _file_data(artifact.binary),
                "runtime": artifact.runtime,
                "without": list(artifact.without),
            }
            for artifact in manifest.artifacts
        ],
    }


def text(manifest: Manifest) -> str:
    """The content of ``manifest.json``."""
    return files.json_text(as_data(manifest))


@dataclass(frozen=True, kw_only=True)
class _Tool:
    name: str
    version: str


@dataclass(frozen=True, kw_only=True)
class _Upstream:
    tag: str
    commit: str
    source: str


@dataclass(frozen=True, kw_only=True)
class _Catalogue:
    sha256: str
    package: CataloguePin | None = None


@dataclass(frozen=True, kw_only=True)
class _Flags:
    web_ui: bool
    channel: str


@dataclass(frozen=True, kw_only=True)
class _Target:
    name: str
    archive: File
    binary: File
    runtime: str
    without: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Manifest:
    """``manifest.json`` as it is written."""

    tool: _Tool
    upstream: _Upstream
    patchset: str
    bun: str
    catalogue: _Catalogue
    flags: _Flags
    published: Published
    place: str
    zlib: str
    targets: tuple[_Target, ...]
    lacks: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Head:
    """What every schema has."""

    tool: _Tool
    schema: int


def is_ours(text: str) -> bool:
    """Whether a text is a manifest of this tool, with any schema."""
    try:
        head = documents.parse(text, _Head)
    except DocumentError:
        return False
    return head.tool.name == TOOL


def parse(text: str) -> Manifest:
    """Read a manifest. Raises ReleaseError when it is damaged or of a newer schema."""
    try:
        said = documents.parse(text, _Manifest, format=Format(SCHEMA, "schema"))
        version = version_of(said.upstream.tag)
        if version is None:
            raise DocumentError(f"{said.upstream.tag!r} is not a release tag.")
    except NewerError as error:
        raise ReleaseError(
            "The release was made by a newer opencode-patcher.",
            why=f"{FILE_NAME}: {error}",
            next_step=f"Verify it with the version that made it: {_version(text)}",
        ) from error
    except (DocumentError, UsageError) as error:
        raise ReleaseError(f"{FILE_NAME} is damaged.", why=str(error), next_step=_AGAIN) from error
    return Manifest(
        tool_version=said.tool.version,
        release=Release(tag=said.upstream.tag, version=version, commit=said.upstream.commit),
        source=said.upstream.source,
        patchset=said.patchset,
        bun=said.bun,
        catalogue=said.catalogue.sha256,
        catalogue_pin=said.catalogue.package,
        web_ui=said.flags.web_ui,
        lacks=said.lacks,
        packages=said.packages,
        channel=said.flags.channel,
        place=said.place,
        zlib=said.zlib,
        published=said.published,
        artifacts=tuple(
            Artifact(
                target=target.name,
                archive=target.archive,
                binary=target.binary,
                runtime=target.runtime,
                without=target.without,
            )
            for target in said.targets
        ),
    )


def _version(text: str) -> str:
    try:
        return documents.parse(text, _Head).tool.version
    except DocumentError:
        return "unknown"


def _file_data(file: File) -> dict[str, object]:
    return {"name": file.name, "sha256": file.sha256, "size": file.size}
