"""``manifest.json``: all that decides the bytes of a release, and the digests of what came out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from opencode_patcher.base import files
from opencode_patcher.base.errors import ReleaseError, UsageError
from opencode_patcher.base.version import Release, parse_tag
from opencode_patcher.release.published import Published

FILE_NAME = "manifest.json"
SCHEMA = 1
"""Raised when a reader of an older tool would misunderstand the file. A newer one is refused."""

TOOL = "opencode-patcher"
_AGAIN = "Get the release again from where it is published."


@dataclass(frozen=True, kw_only=True)
class File:
    """A file: its name, SHA-256 in hexadecimal, and size in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Product:
    """What was made for one target: the archive, the binary in it, the SHA-256 of bun's runtime in the binary, and
    the native packages that it has to do without (``name@version``).
    """

    target: str
    archive: File
    binary: File
    runtime: str
    without: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A release. ``place`` is the tree it was built in: its path is in the binaries, another one gives other bytes.

    ``patchset``, ``catalogue`` are SHA-256 in hexadecimal; ``source`` is where upstream's release came from; ``zlib``
    is the version of the library that compressed the archives.
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
    products: tuple[Product, ...]
    published: Published = field(default_factory=Published)


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
        "catalogue": {"sha256": manifest.catalogue},
        "flags": {"web_ui": manifest.web_ui, "channel": manifest.channel},
        "published": {"repository": manifest.published.repository, "release": manifest.published.release},
        "place": manifest.place,
        "zlib": manifest.zlib,
        "targets": [
            {
                "name": product.target,
                "archive": _file_data(product.archive),
                "binary": _file_data(product.binary),
                "runtime": product.runtime,
                "without": list(product.without),
            }
            for product in manifest.products
        ],
    }


def text(manifest: Manifest) -> str:
    """The content of ``manifest.json``."""
    return files.json_text(as_data(manifest))


def is_ours(text: str) -> bool:
    """Whether a text is a manifest of this tool, of whatever schema."""
    try:
        data = json.loads(text)
        return bool(data["tool"]["name"] == TOOL and data["schema"])
    except (ValueError, KeyError, TypeError):
        return False


def parse(text: str) -> Manifest:
    """Read a manifest. Raises ReleaseError when it is damaged or of a newer schema."""
    try:
        data = json.loads(text)
        schema = data["schema"]
        if isinstance(schema, int) and schema > SCHEMA:
            raise ReleaseError(
                "The release was made by a newer opencode-patcher.",
                why=f"Its manifest has schema {schema}, this version knows {SCHEMA}.",
                next_step=f"Verify it with the version that made it: {_version(data)}",
            )
        if schema != SCHEMA:
            raise ValueError(f"its schema is {schema!r}, this version knows {SCHEMA}")
        return _manifest(data)
    except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise ReleaseError(
            f"{FILE_NAME} is damaged.", why=f"{type(error).__name__}: {error}", next_step=_AGAIN
        ) from error


def _manifest(data: dict[str, Any]) -> Manifest:
    upstream = data["upstream"]
    version = parse_tag(upstream["tag"])
    if version is None:
        raise ValueError(f"{upstream['tag']!r} is no release tag")
    return Manifest(
        tool_version=str(data["tool"]["version"]),
        release=Release(tag=upstream["tag"], version=version, commit=str(upstream["commit"])),
        source=str(upstream["source"]),
        patchset=str(data["patchset"]),
        bun=str(data["bun"]),
        catalogue=str(data["catalogue"]["sha256"]),
        web_ui=bool(data["flags"]["web_ui"]),
        channel=str(data["flags"]["channel"]),
        place=str(data["place"]),
        zlib=str(data["zlib"]),
        published=Published(repository=str(data["published"]["repository"]), release=str(data["published"]["release"])),
        products=tuple(_product(entry) for entry in data["targets"]),
    )


def _product(data: dict[str, Any]) -> Product:
    return Product(
        target=str(data["name"]),
        archive=_file(data["archive"]),
        binary=_file(data["binary"]),
        runtime=str(data["runtime"]),
        without=tuple(map(str, data["without"])),
    )


def _file(data: dict[str, Any]) -> File:
    return File(name=str(data["name"]), sha256=str(data["sha256"]), size=int(data["size"]))


def _file_data(file: File) -> dict[str, object]:
    return {"name": file.name, "sha256": file.sha256, "size": file.size}


def _version(data: dict[str, Any]) -> str:
    tool = data.get("tool")
    return str(tool.get("version", "unknown")) if isinstance(tool, dict) else "unknown"
