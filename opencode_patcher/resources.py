"""Where ``patches/`` and ``templates/`` lie: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def patches() -> Path:
    """The directory that holds ``series`` and the patches."""
    return _resource("patches")


def templates() -> Path:
    """The directory that holds whole new files."""
    return _resource("templates")


def _resource(name: str) -> Path:
    packed = _PACKAGE / "_resources" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name
