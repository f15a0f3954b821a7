"""macOS: as POSIX, but the program is a copy with a fresh ad-hoc signature."""

from __future__ import annotations

import shutil
from pathlib import Path

from opencode_patcher.base import process
from opencode_patcher.base.errors import InstallError, ProcessError
from opencode_patcher.install.failure import install_errors
from opencode_patcher.install.systems.posix import Posix

SIGN_TIMEOUT_SECONDS = 120.0

_PROFILES = {"zsh": "~/.zshrc", "bash": "~/.bash_profile", "fish": "~/.config/fish/config.fish"}


class MacOS(Posix):
    """Programs that bun compiles can carry a signature that macOS refuses, and are killed at start.

    See oven-sh/bun#29306 and oven-sh/bun#32159.
    """

    profiles = _PROFILES

    def take(self, source: Path, target: Path) -> None:
        """A copy, because signing changes the file and the build has to stay what its manifest says."""
        with install_errors(target):
            shutil.copyfile(source, target)
            target.chmod(0o755)
        codesign = shutil.which("codesign")
        if codesign:
            _sign(codesign, target)


def _sign(codesign: str, file: Path) -> None:
    # A malformed signature cannot be replaced, only removed; and without one the removal fails, which is fine.
    process.run([codesign, "--remove-signature", file], check=False, timeout=SIGN_TIMEOUT_SECONDS)
    try:
        process.run([codesign, "--force", "--sign", "-", file], timeout=SIGN_TIMEOUT_SECONDS)
        process.run([codesign, "--verify", "--strict", file], timeout=SIGN_TIMEOUT_SECONDS)
    except ProcessError as error:
        raise InstallError(
            "The program could not be signed.",
            why=f"macOS kills a program without a valid signature.\n{error.why}",
            next_step="Install Apple's command line tools (xcode-select --install) and try again.",
        ) from error
