"""Whether a release is what it says: first its sums, then a second build of the same, digest by digest."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from opencode_patcher import __version__, pipeline
from opencode_patcher import store as storage
from opencode_patcher.errors import ReleaseError
from opencode_patcher.progress import Reporter
from opencode_patcher.release import make, manifest, papers, sums
from opencode_patcher.release.manifest import Manifest
from opencode_patcher.release.parts import Order, Parts, gather
from opencode_patcher.store import Store
from opencode_patcher.toolchain.build import CHANNEL
from opencode_patcher.toolchain.targets import parse
from opencode_patcher.upstream import lock as upstream_lock
from opencode_patcher.upstream.lock import Lock
from opencode_patcher.upstream.releases import Release

NOT_COMPARED = frozenset({"RELEASE-NOTES.md", manifest.FILE_NAME})
"""The notes hold times that the drill measured; the manifest is compared by its entries."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A file of the release that came out otherwise. ``binary`` tells whether the program in an archive differs."""

    name: str
    released: str
    rebuilt: str
    binary: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What a second build says: the names of the files that are byte-identical, and those that are not."""

    manifest: Manifest
    identical: tuple[str, ...]
    differences: tuple[Difference, ...]


def verify(
    place: Path, request: pipeline.Request, store: Store, reporter: Reporter, *, lock: Lock | None = None
) -> Verification:
    """Check the directory ``place`` against its own sums, then build what its manifest names and compare.

    ``request`` says where the source and the patches are; release and flags are the manifest's. Raises ReleaseError
    when files were changed, are missing or do not belong there, when the manifest is of another tool, patch set or
    place, and the error of a step of the build that fails.
    """
    place = place.absolute()
    released = check_sums(place)
    _require_same_tool(released)
    lock = lock or upstream_lock.current(store)
    order = _order(released, request)
    chosen = _same_release(released, order, lock)
    with pipeline.one_at_a_time(store, reporter, wait=request.wait):
        make.require_room(order, store, store.root, reporter)
        parts = gather(order, chosen, lock, store, reporter)
        _require_same_parts(released, parts)
        storage.make_directory(store.builds)
        # Under a name that the next run sweeps away, should this one be killed.
        with tempfile.TemporaryDirectory(dir=store.builds, prefix=".verify.") as scratch:
            rebuilt, kept = make.build(order, parts, Path(scratch), store, reporter)
            if kept:
                kept.unlink()
            papers.write(order, parts, rebuilt, None, Path(scratch))
            return compare(released, _sums(place), rebuilt, _sums(Path(scratch)))


def check_sums(place: Path) -> Manifest:
    """The manifest of a release whose files are all as its sums say. Raises ReleaseError naming those that are not."""
    try:
        text = (place / manifest.FILE_NAME).read_text(encoding="utf-8")
        expected = _sums(place)
        found = sums.compare(place, expected)
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(
            f"{place} is no release.",
            why=f"{getattr(error, 'filename', None) or place}: {getattr(error, 'strerror', None) or error}",
            next_step="Name the directory that release --out has written.",
        ) from error
    released = manifest.parse(text)
    listed = {archive.name: archive.sha256 for archive in (product.archive for product in released.products)}
    differing = [
        f"{name} has another digest in {manifest.FILE_NAME} than in {sums.FILE_NAME}"
        for name, digest in listed.items()
        if name not in found.missing and expected.get(name) != digest
    ]
    if problems := [*found.problems, *differing]:
        raise ReleaseError(
            f"{place} is not what was released.",
            why="\n".join(problems),
            next_step="Do not use it; get the release again from where it is published.",
        )
    return released


def compare(released: Manifest, before: dict[str, str], rebuilt: Manifest, after: dict[str, str]) -> Verification:
    """Compare two releases of the same order by their manifests and sums. Pure."""
    binaries = [
        {product.archive.name: product.binary.sha256 for product in one.products} for one in (released, rebuilt)
    ]
    differences = [
        Difference(
            name=name,
            released=before.get(name, ""),
            rebuilt=after.get(name, ""),
            binary=binaries[0][name] != binaries[1].get(name) if name in binaries[0] else None,
        )
        for name in sorted((before.keys() | after.keys()) - NOT_COMPARED)
        if before.get(name) != after.get(name)
    ]
    if replace(released, products=(), source="", zlib="") != replace(rebuilt, products=(), source="", zlib=""):
        differences.append(Difference(name=manifest.FILE_NAME, released="", rebuilt=""))
    names = {difference.name for difference in differences} | NOT_COMPARED
    return Verification(
        manifest=released,
        identical=tuple(sorted(name for name in before if name not in names)),
        differences=tuple(differences),
    )


def _sums(place: Path) -> dict[str, str]:
    return sums.parse((place / sums.FILE_NAME).read_text(encoding="utf-8"))


def _order(released: Manifest, request: pipeline.Request) -> Order:
    return Order(
        request=replace(request, ref=released.release.tag, latest=False, web_ui=released.web_ui),
        targets=tuple(parse(product.target) for product in released.products),
        allow_missing=any(product.without for product in released.products),
        published=released.published,
    )


def _require_same_tool(released: Manifest) -> None:
    if released.tool_version != __version__:
        raise ReleaseError(
            f"The release was made by opencode-patcher {released.tool_version}; this is {__version__}.",
            why="Another version makes other bytes.",
            next_step=f"Check out the project at the version {released.tool_version}, and verify with it.",
        )
    if released.channel != CHANNEL:
        raise ReleaseError(
            f"The release was built for the channel {released.channel}.",
            why=f"This version builds for {CHANNEL} only.",
            next_step="Get the release again from where it is published.",
        )


def _same_release(released: Manifest, order: Order, lock: Lock) -> Release:
    chosen = pipeline.select(order.request, lock)
    if chosen != released.release:
        raise upstream_lock.moved(chosen.tag, expected=released.release.commit, found=chosen.commit)
    return chosen


def _require_same_parts(released: Manifest, parts: Parts) -> None:
    """Raises ReleaseError when the build could not give the same bytes, with what to do about it."""
    made = parts.prepared
    checks = (
        (
            "patch set", released.patchset, made.change.digest,
            "Check out the project at the commit that the release was made from.",
        ),
        ("bun", released.bun, parts.bun.version, f"Put bun {released.bun} on PATH."),
        (
            "models catalogue", released.catalogue, parts.models.sha256,
            "Name the catalogue that was built in: --models-json FILE",
        ),
        (
            "place", released.place, str(made.tree.path),
            "The path is in the binaries. Use a store that gives the same one: OPENCODE_PATCHER_HOME",
        ),
    )  # fmt: skip
    for what, wanted, found, next_step in checks:
        if wanted != found:
            raise ReleaseError(
                f"The release was made with another {what}.",
                why=f"Released: {wanted}\nHere:     {found}",
                next_step=next_step,
            )
