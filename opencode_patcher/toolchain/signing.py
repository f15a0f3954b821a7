"""Signs programs for macOS right after the build, so that the drilled file is the one that is installed and
released."""

from __future__ import annotations

from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import BuildError
from opencode_patcher.toolchain import macho_signature


def renew(program: Path, identifier: str) -> bool:
    """Give a macOS program a new ad-hoc signature for ``identifier``.

    Returns False for a program for another system, which is not changed.

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
    # A new file: upstream's build has started the old one, so macOS remembers its signature and would kill the changed
    # program.
    files.write_bytes(program, signed, mode=0o755)
    return True
