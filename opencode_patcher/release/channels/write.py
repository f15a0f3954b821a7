"""Writes what the channels need beside a release: their files, and npm's packages with the programs in them."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from opencode_patcher.base import files
from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.errors import ReleaseError
from opencode_patcher.release import metadata, notices
from opencode_patcher.release.channels import npm, texts
from opencode_patcher.release.channels.protocol import Asset, Offer

_EXECUTABLE = ".js"


def write(wanted: Offer, release: Path, templates: Path, out: Path) -> tuple[Path, ...]:
    """Write everything into ``out``, which is replaced in one step, and return the files in it, sorted.

    ``release`` is the directory with the archives, which go into npm's packages. Raises ReleaseError when one is not
    what the manifest says, and PatchError when a template is wrong.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ReleaseError(
            f"{out} is not empty.", why="It would be replaced.", next_step="Name another directory with --out."
        )
    made = texts(wanted, templates)
    with files.staged_directory(out) as staging:
        for name, text in made.items():
            files.write_bytes(staging / name, text.encode("utf-8"), mode=0o755 if name.endswith(_EXECUTABLE) else 0o644)
        for place in npm.programs(wanted):
            _program(release, place.asset, staging / npm.Npm.name / place.path)
        for package in {f"{npm.Npm.name}/{name.split('/')[1]}" for name in made if name.startswith(f"{npm.Npm.name}/")}:
            for paper in (metadata.LICENCE, notices.FILE_NAME):
                shutil.copyfile(release / paper, staging / package / paper)
    return tuple(sorted(path for path in out.rglob("*") if path.is_file()))


def _program(release: Path, asset: Asset, target: Path) -> None:
    """Copy the program out of an archive, after checking the archive against the manifest."""
    archive = release / asset.name
    if not archive.is_file() or file_sha256(archive) != asset.sha256:
        raise ReleaseError(
            f"{archive} is not the archive that was released.",
            why="It is missing, or has another digest than manifest.json says.",
            next_step="Name the directory of a complete release.",
        )
    files.make_directory(target.parent)
    with _opened(archive, asset.target.binary) as source, target.open("wb") as written:
        shutil.copyfileobj(source, written, 1 << 20)
    target.chmod(0o755)


@contextmanager
def _opened(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """A file in an archive."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed, packed.open(member) as source:
            yield source
        return
    with tarfile.open(archive) as tar:
        found = tar.extractfile(member)
        if found is None:
            raise ReleaseError(f"{archive} has no {member}.")
        with found as source:
            yield source
