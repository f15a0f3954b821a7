"""Linux and other POSIX systems: the place is a symbolic link that is replaced by a rename."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.errors import UsageError
from opencode_patcher.install.failure import install_errors
from opencode_patcher.install.records import Record
from opencode_patcher.install.state import DEFAULT
from opencode_patcher.install.systems.protocol import NOTHING, Occupant, PathLine

_PROFILES = {"zsh": "~/.zshrc", "bash": "~/.bashrc", "fish": "~/.config/fish/config.fish"}


class Posix:
    """A system with symbolic links and hard links."""

    profiles: Mapping[str, str] = _PROFILES

    def __init__(self, program: str = DEFAULT) -> None:
        self.program = program

    def default_bin_dir(self, environment: Mapping[str, str]) -> Path:
        """``$XDG_BIN_HOME``, else ``~/.local/bin`` (the XDG base directory specification's place for programs)."""
        chosen = environment.get("XDG_BIN_HOME")
        if chosen:
            if not Path(chosen).is_absolute():
                raise UsageError(
                    f"XDG_BIN_HOME cannot be used: {chosen} is not an absolute path.",
                    next_step="Correct the variable, or name the directory with --bin-dir.",
                )
            return Path(chosen)
        home = environment.get("HOME")
        if not home or not Path(home).is_absolute():
            raise UsageError(
                "Your bin directory is not known.",
                why="Neither HOME nor XDG_BIN_HOME names a directory.",
                next_step="Name it: opencode-patcher install --bin-dir DIR",
            )
        return Path(home) / ".local" / "bin"

    def search_names(self, environment: Mapping[str, str]) -> tuple[str, ...]:  # noqa: ARG002
        return (self.program,)

    def path_line(self, bin_dir: Path, environment: Mapping[str, str]) -> PathLine:
        shell = Path(environment.get("SHELL", "")).name
        where = self.profiles.get(shell, "~/.profile")
        if shell == "fish":
            return PathLine(where=where, line=f"fish_add_path --move {_fish_quoted(str(bin_dir))}")
        return PathLine(where=where, line=f'export PATH={shlex.quote(str(bin_dir))}:"$PATH"')

    def running_file(self, place: Path, file: Path) -> Path:  # noqa: ARG002
        return Path(os.path.realpath(file))

    def take(self, source: Path, target: Path) -> None:
        """A hard link: it takes no space, and the content outlives the build's directory."""
        with install_errors(target):
            try:
                target.hardlink_to(source)
            except OSError:
                shutil.copyfile(source, target)
            target.chmod(0o755)

    def occupant(self, place: Path, installed: Path, records: Sequence[Record]) -> Occupant:  # noqa: ARG002
        if not os.path.lexists(place):
            return NOTHING
        if not place.is_symlink():
            return Occupant(kind="other", shown="a directory" if files.is_dir(place) else "a file")
        target = place.parent / place.readlink()
        if os.path.realpath(target.parent.parent) == os.path.realpath(installed):
            return Occupant(kind="ours", build=target.parent.name)
        return Occupant(kind="other", shown=f"a link to {target}")

    def switch(self, place: Path, file: Path) -> None:
        beside = _beside(place)
        with install_errors(place):
            beside.unlink(missing_ok=True)
            beside.symlink_to(file)
            beside.replace(place)

    def restore(self, place: Path, kept: Path) -> None:
        with install_errors(place):
            kept.replace(place)

    def remove(self, place: Path) -> None:
        with install_errors(place):
            place.unlink(missing_ok=True)

    def tidy(self, place: Path) -> None:
        try:
            _beside(place).unlink(missing_ok=True)
        except OSError:
            return


def _beside(place: Path) -> Path:
    """The new link's temporary name. Always the same, so that a killed run leaves at most one behind."""
    return place.with_name(f".{place.name}.opencode-patcher-new")


def _fish_quoted(text: str) -> str:
    """Single quotes of the fish shell, in which only the quote and the backslash are special."""
    if shlex.quote(text) == text:
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
