"""Windows: the place is a copy, and a running program is renamed, because it cannot be overwritten."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import files
from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.errors import UsageError
from opencode_patcher.install.failure import install_errors
from opencode_patcher.install.records import Record
from opencode_patcher.install.systems.protocol import NOTHING, Occupant, PathLine

_PATHEXT = ".COM;.EXE;.BAT;.CMD"
"""Windows' default, for an environment without the variable."""

_PATH_LINE = (
    "$key = [Microsoft.Win32.Registry]::CurrentUser.CreateSubKey('Environment'); "
    "$path = 'DIRECTORY;' + $key.GetValue('Path', '', 'DoNotExpandEnvironmentNames'); "
    "$key.SetValue('Path', $path, 'ExpandString'); "
    "[Environment]::SetEnvironmentVariable('OPENCODE_PATCHER', $null, 'User')"
)
"""[Environment] alone would expand %NAME% to its current value. Its call at the end deletes a variable that does not
exist, which tells running programs that the environment has changed.
"""


def _replace(source: Path, target: Path) -> None:
    source.replace(target)


def _unlink(path: Path) -> None:
    path.unlink()


@dataclass(frozen=True, kw_only=True)
class Windows:
    """``replace`` (over an existing file) and ``unlink`` fail with PermissionError while a program runs from it."""

    replace: Callable[[Path, Path], None] = _replace
    unlink: Callable[[Path], None] = _unlink
    program: str = "opencode.exe"

    def default_bin_dir(self, environment: Mapping[str, str]) -> Path:
        home = environment.get("USERPROFILE")
        if not home:
            raise UsageError(
                "Your bin directory is not known.",
                why="USERPROFILE names no directory.",
                next_step="Name it: opencode-patcher install --bin-dir DIR",
            )
        return Path(home) / ".bun" / "bin"

    def search_names(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        stem = Path(self.program).stem
        endings = (environment.get("PATHEXT") or _PATHEXT).split(";")
        return tuple(f"{stem}{ending.lower()}" for ending in endings if ending)

    def path_line(self, bin_dir: Path, environment: Mapping[str, str]) -> PathLine:  # noqa: ARG002
        quoted = "'" + str(bin_dir).replace("'", "''") + ";'"
        return PathLine(
            where="PowerShell, once",
            line=_PATH_LINE.replace("'DIRECTORY;'", quoted),
            order="first on your own PATH, which comes after the machine's",
        )

    def running_file(self, place: Path, file: Path) -> Path:  # noqa: ARG002
        return place

    def take(self, source: Path, target: Path) -> None:
        with install_errors(target):
            try:
                target.hardlink_to(source)
            except OSError:
                shutil.copyfile(source, target)

    def occupant(self, place: Path, installed: Path, records: Sequence[Record]) -> Occupant:  # noqa: ARG002
        if not os.path.lexists(place):
            return NOTHING
        if not files.is_file(place):
            return Occupant(kind="other", shown="a directory")
        with install_errors(place):
            found = file_sha256(place)
        for record in records:
            if record.sha256 == found:
                return Occupant(kind="ours", build=record.build)
        return Occupant(kind="other", shown="a file")

    def switch(self, place: Path, file: Path) -> None:
        beside = place.with_name(f".{place.name}.opencode-patcher-new")
        with install_errors(place):
            shutil.copyfile(file, beside)
        self.restore(place, beside)

    def restore(self, place: Path, kept: Path) -> None:
        """One step unless the program is running; then two, with the running one renamed in between."""
        with install_errors(place):
            try:
                self.replace(kept, place)
            except PermissionError:
                self._replace_running(kept, place)

    def remove(self, place: Path) -> None:
        with install_errors(place):
            try:
                self.unlink(place)
            except FileNotFoundError:
                return
            except PermissionError:
                self.replace(place, _free_old(place))

    def tidy(self, place: Path) -> None:
        """Delete renamed programs that have ended; restore one whose replacement never arrived."""
        try:
            old = sorted(place.parent.glob(f"{place.name}.old-*"), key=lambda path: path.stat().st_mtime_ns)
            if old and not files.exists(place):
                self.replace(old.pop(), place)
            for path in (*old, place.with_name(f".{place.name}.opencode-patcher-new")):
                self._unlink_idle(path)
        except OSError:
            return

    def _replace_running(self, beside: Path, place: Path) -> None:
        old = _free_old(place)
        self.replace(place, old)
        try:
            self.replace(beside, place)
        except OSError:
            self.replace(old, place)
            raise

    def _unlink_idle(self, path: Path) -> None:
        try:
            self.unlink(path)
        except (FileNotFoundError, PermissionError):
            return


def _free_old(place: Path) -> Path:
    number = 1
    while (old := place.with_name(f"{place.name}.old-{number}")).exists():
        number += 1
    return old
