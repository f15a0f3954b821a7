"""Checks a release: first its checksums, then a rebuild, digest by digest."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from opencode_patcher import __version__
from opencode_patcher.base import files, resources
from opencode_patcher.base.errors import ReleaseError
from opencode_patcher.base.line import OPENCODE_1
from opencode_patcher.base.progress import Reporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release
from opencode_patcher.release import make, manifest, metadata, notes, sums
from opencode_patcher.release.comparison import Copy, Reproduction, compare
from opencode_patcher.release.inputs import Inputs, Order
from opencode_patcher.release.manifest import Manifest
from opencode_patcher.toolchain.build import CHANNEL
from opencode_patcher.upstream import lock as upstream_lock


def rebuild(
    place: Path, released: Manifest, order: Order, inputs: Inputs, store: Store, reporter: Reporter
) -> Reproduction:
    """Rebuild what ``released``, the manifest of the directory ``place``, describes, and compare.

    ``order`` is ``order_of(released, ...)``; the caller holds the build mutex. Raises ReleaseError when the inputs are
    not those of the release, and the error of a build step that fails.
    """
    _require_same_parts(released, inputs)
    files.make_directory(store.builds)
    # Under a name that the next run cleans up, should this one be killed.
    with tempfile.TemporaryDirectory(dir=store.builds, prefix=".reproduce.") as scratch:
        rebuilt, kept = make.build(order, inputs, Path(scratch), store, reporter)
        if kept:
            kept.unlink()
        metadata.write(order, inputs, rebuilt, None, Path(scratch))
        made = _copy(Path(scratch), rebuilt)
        return compare(_copy(place, released), replace(made, notes=metadata.notes_of(order, released)))


def check_sums(place: Path) -> Manifest:
    """The manifest of a release, after checking its files against its checksums. Raises ReleaseError naming those that
    differ."""
    try:
        text = files.read_text(place / manifest.FILE_NAME)
        expected = _sums(place)
        found = sums.compare(place, expected)
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(
            f"{place} is not a release.",
            why=f"{getattr(error, 'filename', None) or place}: {getattr(error, 'strerror', None) or error}",
            next_step="Name a directory written by release --out.",
        ) from error
    released = manifest.parse(text)
    listed = [artifact.archive for artifact in released.artifacts if artifact.archive.name not in found.missing]
    differing = [
        f"{archive.name} has another digest in {manifest.FILE_NAME} than in {sums.FILE_NAME}"
        for archive in listed
        if expected.get(archive.name) != archive.sha256
    ]
    differing += [
        f"{archive.name} has another size in {manifest.FILE_NAME}"
        for archive in listed
        if archive.name in expected and (place / archive.name).stat().st_size != archive.size
    ]
    if problems := [*found.problems, *differing]:
        raise ReleaseError(
            f"{place} is not what was released.",
            why="\n".join(problems),
            next_step="Do not use it; download the release again from where it is published.",
        )
    return released


def _copy(place: Path, about: Manifest) -> Copy:
    """The parts of the release at ``place`` to compare. Missing notes count as empty."""
    digests = _sums(place)
    return Copy(
        manifest=about,
        about=_text(place / manifest.FILE_NAME),
        sums=digests,
        notes=_text(place / notes.NOTES) if notes.NOTES in digests else "",
    )


def _text(path: Path) -> str:
    # Line endings count, and bytes that are not valid text must differ from ours.
    return files.read_bytes(path).decode("utf-8", errors="replace")


def _sums(place: Path) -> dict[str, str]:
    return sums.parse(files.read_text(place / sums.FILE_NAME))


def order_of(released: Manifest, request: Request) -> Order:
    """The order that makes the release again. Raises ReleaseError when another version of the tool made it."""
    _require_same_tool(released)
    line = released.line
    return Order(
        request=replace(
            request,
            line=line,
            # Patches other than the package's own can only be named for the first line.
            patches=request.patches if line is OPENCODE_1 else resources.patches(line),
            ref=released.release.tag,
            latest=False,
            locked=True,
            web_ui="on" if released.web_ui else "off",
            packages=released.packages,
        ),
        targets=tuple(released.target(artifact) for artifact in released.artifacts),
        allow_missing=any(artifact.without for artifact in released.artifacts),
        published=released.published,
    )


def _require_same_tool(released: Manifest) -> None:
    if released.tool_version != __version__:
        raise ReleaseError(
            f"The release was made by opencode-patcher {released.tool_version}; this is {__version__}.",
            why="Another version makes other bytes.",
            next_step=f"Check out the project at version {released.tool_version}, and run reproduce with it.",
        )
    if released.channel != CHANNEL:
        raise ReleaseError(
            f"The release was built for the channel {released.channel}.",
            why=f"This version builds for {CHANNEL} only.",
            next_step="Get the release again from where it is published.",
        )


def require_same_release(released: Manifest, chosen: Release) -> None:
    """Raises SourceError when the release's tag now points to another commit."""
    if chosen != released.release:
        raise upstream_lock.moved(chosen.tag, expected=released.release.commit, found=chosen.commit)


def _require_same_parts(released: Manifest, inputs: Inputs) -> None:
    """Raises ReleaseError, saying what to do, when the build could not give the same bytes."""
    checks = (
        (
            "patch set", released.patchset, inputs.change.digest,
            "Check out the project at the commit that the release was made from.",
        ),
        ("bun", released.bun, inputs.bun.version, f"Put bun {released.bun} on PATH."),
        (
            "models catalogue", released.catalogue, inputs.models.sha256,
            "Name the catalogue that was built in: --catalog FILE",
        ),
        (
            "place", released.place, str(inputs.tree.path),
            "The path is in the binaries. Use a store at the same path: OPENCODE_PATCHER_HOME",
        ),
    )  # fmt: skip
    for what, wanted, found, next_step in checks:
        if wanted != found:
            raise ReleaseError(
                f"The release was made with another {what}.",
                why=f"Released: {wanted}\nHere:     {found}",
                next_step=next_step,
            )
