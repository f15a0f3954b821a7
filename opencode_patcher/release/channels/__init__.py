"""A release for package managers: the files that each of them needs, made from the manifest alone.

``protocol`` says what a channel is, each module has one, ``texts`` makes all files, and ``write`` puts them on the
disk. To add a channel: a module, its templates in ``templates/release/channels``, and its name below.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from opencode_patcher.patchset.render import render_document
from opencode_patcher.release.channels.aur import Aur
from opencode_patcher.release.channels.container import Container
from opencode_patcher.release.channels.homebrew import Homebrew
from opencode_patcher.release.channels.mise import Mise
from opencode_patcher.release.channels.nix import Nix
from opencode_patcher.release.channels.npm import Npm
from opencode_patcher.release.channels.protocol import Channel, Offer, offer
from opencode_patcher.release.channels.scoop import Scoop

CHANNELS: tuple[Channel, ...] = (Npm(), Homebrew(), Aur(), Scoop(), Nix(), Mise(), Container())
DIRECTORY = "release/channels"

__all__ = ["CHANNELS", "Channel", "Offer", "offer", "texts"]


def texts(wanted: Offer, templates: Path) -> dict[str, str]:
    """The text of each file of every channel by its path. Raises PatchError when a template is wrong."""

    def render(name: str, values: Mapping[str, object]) -> str:
        path = templates / DIRECTORY / f"{name}.j2"
        return render_document(f"{DIRECTORY}/{path.name}", path.read_text(encoding="utf-8"), values, path.parent)

    return {
        f"{channel.name}/{path}": text for channel in CHANNELS for path, text in channel.files(wanted, render).items()
    }
