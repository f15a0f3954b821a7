"""What differs between operating systems when a program is put in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from opencode_patcher.install.records import Record


@dataclass(frozen=True, kw_only=True)
class Occupant:
    """What is at a place in a bin directory.

    ``ours`` is a program that this store activated, and ``build`` the name of its build; ``other`` is anything else,
    and ``shown`` describes it.
    """

    kind: Literal["nothing", "ours", "other"]
    build: str | None = None
    shown: str = ""


NOTHING = Occupant(kind="nothing")


@dataclass(frozen=True, kw_only=True)
class PathLine:
    """How to put a directory on PATH: the ``line`` to add, where to add it, and how far to the front it gets."""

    where: str
    line: str
    order: str = "first on PATH"


class System(Protocol):
    """One operating system. ``place`` is always the full path of the program in the bin directory."""

    @property
    def program(self) -> str:
        """The program's file name."""
        ...

    def default_bin_dir(self, environment: Mapping[str, str]) -> Path:
        """The user's bin directory. Raises UsageError when the environment does not say where it is."""
        ...

    def search_names(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        """The file names under which a shell finds the program in a directory, in its order."""
        ...

    def path_line(self, bin_dir: Path, environment: Mapping[str, str]) -> PathLine:
        """How the user puts ``bin_dir`` first on PATH, or as far to the front as the system lets a user."""
        ...

    def running_file(self, place: Path, file: Path) -> Path:
        """The path that the running program reports as its own when ``file`` is active at ``place``."""
        ...

    def take(self, source: Path, target: Path) -> None:
        """Make ``target`` (in a fresh directory of the store) an executable with the content of ``source``."""
        ...

    def occupant(self, place: Path, installed: Path, records: Sequence[Record]) -> Occupant:
        """What is at ``place``; ``installed`` is where the store keeps the files of ``records``."""
        ...

    def switch(self, place: Path, file: Path) -> None:
        """Make ``place`` start ``file``, in one step, replacing what was there.

        This and the methods below raise InstallError when the directory cannot be changed.
        """
        ...

    def restore(self, place: Path, kept: Path) -> None:
        """Rename ``kept`` to ``place``, replacing what was there."""
        ...

    def remove(self, place: Path) -> None:
        """Remove what is at ``place``."""
        ...

    def tidy(self, place: Path) -> None:
        """Remove what earlier, interrupted calls left beside ``place``. Never raises."""
        ...
