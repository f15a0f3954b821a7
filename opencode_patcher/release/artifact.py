"""Checks one binary (target, signature, digests) and packs it into its archive."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.errors import ReleaseError
from opencode_patcher.release import archives, headers
from opencode_patcher.release.archives import ArchiveMember
from opencode_patcher.release.manifest import Artifact, File
from opencode_patcher.toolchain import macho_signature
from opencode_patcher.toolchain.targets import Target


def pack(
    target: Target, binary: Path, *, runtime: Path, beside: Sequence[Path], place: Path, without: tuple[str, ...]
) -> Artifact:
    """Check a binary and write its archive into ``place``, together with the files in ``beside``.

    The binary comes first and is at the root, where upstream's own installers look for it. Raises ReleaseError when the
    binary is not for ``target``, does not contain ``runtime``, or the archive cannot be written.
    """
    check(target, binary, runtime)
    archive = place / target.archive
    members = [
        ArchiveMember(name=target.binary, path=binary, mode=0o755),
        *(ArchiveMember(name=file.name, path=file) for file in beside),
    ]
    try:
        archives.write(archive, members)
    except OSError as error:
        raise ReleaseError(
            f"{archive.name} cannot be written.",
            why=f"{error.strerror or error}: {error.filename or archive}",
            next_step="Free some space or fix the permissions, and run the same command again.",
        ) from error
    return Artifact(
        target=target.name,
        archive=describe(archive),
        binary=replace(describe(binary), name=target.binary),
        runtime=file_sha256(runtime),
        without=without,
    )


def describe(path: Path) -> File:
    """Name, digest and size of a file."""
    return File(name=path.name, sha256=file_sha256(path), size=path.stat().st_size)


def check(target: Target, binary: Path, runtime: Path) -> None:
    """Raises ReleaseError when the header of a binary is not that of ``target``, its signature is not valid (macOS), or
    the runtime in it is another.
    """
    with _mapped(binary) as program, _mapped(runtime) as expected:
        try:
            found = headers.problems(headers.read(program), target)
            if not found and target.system == "darwin":
                found = macho_signature.flaws(program[:])
        except ValueError as error:
            found = [str(error)]
        if not found and headers.share_held(program, expected) < headers.HELD:
            found = [
                f"the runtime in it is not the published {runtime.name}, perhaps because another build of bun comes "
                "first on PATH"
            ]
    if found:
        raise ReleaseError(
            f"The binary for {target.name} is wrong.",
            why=f"{binary}: {'; '.join(found)}.",
            next_step=f"Delete {runtime.parent}, take other copies of bun off PATH, and run the same command again.",
        )


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
