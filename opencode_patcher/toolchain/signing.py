"""Signs programs for macOS right after the build, so that what is drilled is what is installed and released."""

from __future__ import annotations

from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import BuildError
from opencode_patcher.toolchain import macho_signature


def renew(program: Path, identifier: str) -> bool:
    """Give a program for macOS a new ad-hoc signature that names ``identifier``.

    Returns False for a program of another system, which stays as it is.

    Raises BuildError when it cannot be signed, StoreError when it cannot be written.
    """
    with program.open("rb") as file:
        if not macho_signature.is_macho(file.read(macho_signature.MAGIC_SIZE)):
            return False
    try:
        signed = macho_signature.sign(program.read_bytes(), identifier)
        found = macho_signature.flaws(signed)
    except ValueError as error:
        found = [str(error)]
    if found:
        raise BuildError(
            "The program cannot be signed, so macOS would not start it.",
            why=f"{program}: {'; '.join(found)}.",
            next_step="Build for other systems only, or build another release.",
        )
    # A new file: macOS remembers the signature of one that was started, as upstream's build does, and would kill it.
    files.write_bytes(program, signed, mode=0o755)
    return True
