"""Where ``patches/`` and ``templates/`` are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

from opencode_patcher.base.errors import PatchError
from opencode_patcher.base.line import OPENCODE_1, Line

_PACKAGE = Path(__file__).resolve().parents[1]


def patches(line: Line = OPENCODE_1) -> Path:
    """The directory with the series and the patches of a line. Raises PatchError when the installation lacks it."""
    return _resource("patches") / line.patches


def templates() -> Path:
    """The directory that holds whole new files. Raises PatchError when the installation lacks it."""
    return _resource("templates")


def is_checkout() -> bool:
    """Whether the package runs from a checkout of the project, whose files are the user's to change."""
    return not (_PACKAGE / "_resources").is_dir()


def _resource(name: str) -> Path:
    packed, beside = _PACKAGE / "_resources" / name, _PACKAGE.parent / name
    for place in (packed, beside):
        if place.is_dir():
            return place
    raise PatchError(
        f"This installation of opencode-patcher has no {name}.",
        why=f"There is neither {packed} nor {beside}.",
        next_step="Install opencode-patcher again.",
    )
