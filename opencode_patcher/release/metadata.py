"""The files of a release other than its archives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import SourceError
from opencode_patcher.drill import Report
from opencode_patcher.install import builds
from opencode_patcher.install.builds import Build, Ingredients
from opencode_patcher.patchset import series
from opencode_patcher.release import manifest, notes, notices, sbom, sums
from opencode_patcher.release.inputs import Inputs, Order
from opencode_patcher.release.manifest import Artifact, Manifest

LICENCE = "LICENSE"
"""Upstream's own file, at the root of its repository, and the name it has in a release."""


def write_for_archives(inputs: Inputs, place: Path) -> tuple[Path, ...]:
    """Write the files that also go into every archive, and return their paths.

    Raises SourceError when upstream has no licence.
    """
    licence = _licence(inputs.tree.path)
    found = notices.collect(inputs.closure, inputs.installed)
    texts = {
        LICENCE: licence,
        notices.FILE_NAME: notices.text(licence, inputs.tree.release.number, inputs.bun.version, found),
    }
    for name, text in texts.items():
        files.write_text(place / name, text)
    return tuple(place / name for name in texts)


def write(order: Order, inputs: Inputs, made: Manifest, report: Report | None, place: Path) -> None:
    """Write the files that describe the archives, and last the checksums of everything."""
    patches = series.load(order.request.patches).patches
    contents = sbom.Contents(
        manifest=made,
        lock=inputs.lock,
        closure=inputs.closure,
        licences=notices.collect(inputs.closure, inputs.installed),
        patches=patches,
        new_files=_new_files(inputs),
    )
    files.write_json(place / sbom.FILE_NAME, sbom.document(contents, sbom.spdx_ids()))
    rendered = notes.render(order.request.templates, notes.values(made, patches, report))
    for name, text in rendered.items():
        files.write_bytes(place / name, text.encode("utf-8"), mode=0o755 if name.endswith(".sh") else 0o644)
    for artifact in made.artifacts:
        files.write_json(place / f"{made.target(artifact).package}.build.json", build_data(made, artifact))
    files.write_text(place / manifest.FILE_NAME, manifest.text(made))
    names = sorted(path.name for path in place.iterdir())
    files.write_text(place / sums.FILE_NAME, sums.text(sums.of(place, names)))


def notes_of(order: Order, made: Manifest) -> str:
    """The notes for a manifest, without the drill. Raises PatchError."""
    patches = series.load(order.request.patches).patches
    return notes.render_one(order.request.templates, notes.NOTES, notes.values(made, patches, None))


def build_data(made: Manifest, artifact: Artifact) -> dict[str, object]:
    """The manifest of one binary for the store, where the install scripts put it. It has no time, so that rebuilding
    the release gives the same file.
    """
    ingredients = Ingredients(
        release=made.release,
        source=made.source,
        patchset=made.patchset,
        bun=made.bun,
        catalogue=made.catalogue,
        catalogue_origin=f"{pin.package} {pin.version}" if (pin := made.catalogue_pin) else "",
        web_ui=made.web_ui,
        lacks=made.lacks,
        target=artifact.target,
        packages=made.packages,
    )
    return builds.as_data(
        Build(
            directory=Path(),
            name=artifact.binary.name,
            sha256=artifact.binary.sha256,
            size=artifact.binary.size,
            ingredients=ingredients,
            tool_version=made.tool_version,
            built_at=0.0,
            released=True,
            channel=made.published.repository,
        )
    )


def _licence(tree: Path) -> str:
    try:
        return files.read_text(tree / LICENCE)
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            f"The source has no {LICENCE} file, which a release needs.",
            why=str(error),
            next_step="Release from OpenCode's repository or a copy of it.",
        ) from error


def _new_files(inputs: Inputs) -> Mapping[str, str]:
    """What the change adds, text by path: its files that no patch changes."""
    touched = {placement.path for placement in inputs.change.placements}
    files = inputs.change.files
    return {path: content.decode("utf-8") for path, content in files.items() if path not in touched}
