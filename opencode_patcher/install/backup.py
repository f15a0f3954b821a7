"""Keeps what the user had at our place, under another name in the same directory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from opencode_patcher.install.failure import install_errors

SUFFIX = ".before-opencode-patcher"


def keep(place: Path) -> Path:
    """Give what is at ``place`` (a file or a link) a second name, and return that name.

    ``place`` itself stays as it is until the switch replaces it, so that there is always a program to start. A name
    that an interrupted run gave to the same file is used again. Raises InstallError.
    """
    with install_errors(place):
        number = 1
        while True:
            name = place.with_name(place.name + SUFFIX + (f"-{number}" if number > 1 else ""))
            if not os.path.lexists(name):
                _second_name(place, name)
                return name
            if _same(place, name):
                return name
            number += 1


def _same(first: Path, second: Path) -> bool:
    if first.is_symlink() or second.is_symlink():
        return first.is_symlink() and second.is_symlink() and first.readlink() == second.readlink()
    return first.samefile(second)


def _second_name(place: Path, name: Path) -> None:
    if place.is_symlink():
        name.symlink_to(place.readlink())
        return
    try:
        name.hardlink_to(place)
    except OSError:
        # No hard links on this file system. The copy gets its name last, so that a partial file never has it.
        beside = name.with_name(f".{name.name}.part")
        shutil.copy2(place, beside)
        beside.replace(name)
