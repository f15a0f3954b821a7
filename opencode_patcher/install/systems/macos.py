"""macOS: as POSIX, with the profiles that its shells read."""

from __future__ import annotations

from collections.abc import Mapping

from opencode_patcher.install.systems.posix import Posix

_PROFILES = {"zsh": "~/.zshrc", "bash": "~/.bash_profile", "fish": "~/.config/fish/config.fish"}


class MacOS(Posix):
    """Terminals on macOS start login shells, hence bash's other profile."""

    profiles: Mapping[str, str] = _PROFILES
