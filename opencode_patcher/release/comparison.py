"""Two builds of the same release, file by file and entry by entry. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from opencode_patcher.release import manifest
from opencode_patcher.release.manifest import Artifact, Manifest
from opencode_patcher.release.notes import DRILL_HEADING, NOTES

_BY_CONTENT = frozenset({NOTES, manifest.FILE_NAME})
"""Two files that may differ in part, so that comparing their digests is not enough."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """One of the two builds: the manifest and its text, the digests by file name, and the text of the notes."""

    manifest: Manifest
    about: str
    sums: Mapping[str, str]
    notes: str


@dataclass(frozen=True, kw_only=True)
class FileDifference:
    """A file of the release that differs. ``binary`` tells whether the program in an archive differs; ``entries`` are
    the paths of the differing manifest entries.
    """

    name: str
    released: str
    rebuilt: str
    binary: bool | None = None
    entries: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """The result of a second build: the names of the files that are identical byte for byte, those that are not, and a
    sentence for each thing that a second build cannot prove.
    """

    manifest: Manifest
    identical: tuple[str, ...]
    differences: tuple[FileDifference, ...]
    uncompared: tuple[str, ...] = ()


def compare(released: Copy, rebuilt: Copy) -> Reproduction:
    """Compare a release with a second build of it.

    The notes of ``rebuilt`` are those for the manifest of ``released``, without the drill.
    """
    names = sorted((released.sums.keys() | rebuilt.sums.keys()) - _BY_CONTENT)
    differences = [
        FileDifference(
            name=name,
            released=released.sums.get(name, ""),
            rebuilt=rebuilt.sums.get(name, ""),
            binary=_program_differs(name, released.manifest, rebuilt.manifest),
        )
        for name in names
        if released.sums.get(name) != rebuilt.sums.get(name)
    ]
    uncompared = []
    if released.about != manifest.text(expected := _as_packed(rebuilt.manifest, released.manifest)):
        differences.append(_by_content(manifest.FILE_NAME, released, rebuilt, _differing(released.manifest, expected)))
    elif released.manifest.zlib != rebuilt.manifest.zlib:
        uncompared.append(
            f"{manifest.FILE_NAME} says that zlib {released.manifest.zlib} packed the archives; "
            f"here it is {rebuilt.manifest.zlib}."
        )
    if released.notes.startswith(f"{rebuilt.notes}\n{DRILL_HEADING}\n"):
        uncompared.append(f"The section Drill of {NOTES} is about the machine where the release was made.")
    elif released.notes != rebuilt.notes:
        differences.append(_by_content(NOTES, released, rebuilt))
    differing = {difference.name for difference in differences}
    return Reproduction(
        manifest=released.manifest,
        identical=tuple(
            sorted(
                name
                for name, digest in released.sums.items()
                if name not in differing and rebuilt.sums.get(name) == digest
            )
        ),
        differences=tuple(differences),
        uncompared=tuple(uncompared),
    )


def _program_differs(archive: str, released: Manifest, rebuilt: Manifest) -> bool | None:
    """None when ``archive`` is not one of the release's."""
    before, after = (
        {artifact.archive.name: artifact.binary.sha256 for artifact in one.artifacts} for one in (released, rebuilt)
    )
    return before[archive] != after.get(archive) if archive in before else None


def _by_content(name: str, released: Copy, rebuilt: Copy, entries: tuple[str, ...] = ()) -> FileDifference:
    return FileDifference(
        name=name, released=released.sums.get(name, ""), rebuilt=rebuilt.sums.get(name, ""), entries=entries
    )


def _as_packed(rebuilt: Manifest, released: Manifest) -> Manifest:
    """The manifest of the second build, with the released values where another zlib may differ: its version, and the
    digests and sizes of the archives, which are compared as files.
    """
    packed = {artifact.archive.name: artifact.archive for artifact in released.artifacts}

    def as_packed(artifact: Artifact) -> Artifact:
        return replace(artifact, archive=packed.get(artifact.archive.name, artifact.archive))

    return replace(rebuilt, zlib=released.zlib, artifacts=tuple(map(as_packed, rebuilt.artifacts)))


def _differing(released: Manifest, expected: Manifest) -> tuple[str, ...]:
    """The paths of the entries that differ; empty when only the formatting differs, or there are more entries."""
    before, after = (dict(_flat(manifest.as_data(one), "")) for one in (released, expected))
    return tuple(path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path))


def _flat(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every value by its path, such as ``targets.linux-x64.binary.sha256``."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and all(isinstance(inner, dict) for inner in value) and value:
        for inner in value:
            yield from _flat(inner, f"{path}.{inner['name']}")
    else:
        yield path, json.dumps(value)
