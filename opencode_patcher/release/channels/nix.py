"""Nix: a flake."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from opencode_patcher.release.channels.protocol import Offer, Render

SYSTEMS = {
    "x86_64-linux": ("linux", "x64"),
    "aarch64-linux": ("linux", "arm64"),
    "x86_64-darwin": ("darwin", "x64"),
    "aarch64-darwin": ("darwin", "arm64"),
}
"""Nix's names, and our system and machine."""


class Nix:
    """NixOS, Linux and macOS."""

    name = "nix"

    def files(self, offer: Offer, render: Render) -> Mapping[str, str]:
        """The flake. It has no lock; whoever uses it decides on nixpkgs."""
        sources = [
            {"system": system, "url": asset.url, "hash": _sri(asset.sha256)}
            for system, asset in offer.named(SYSTEMS).items()
        ]
        if not sources:
            return {}
        values = {
            "name": offer.name,
            "program": offer.program,
            "version": offer.version,
            "description": offer.description,
            "homepage": offer.homepage,
            "sources": sources,
        }
        return {"flake.nix": render("flake.nix", values)}


def _sri(sha256: str) -> str:
    """A digest as Nix writes it."""
    return f"sha256-{base64.b64encode(bytes.fromhex(sha256)).decode('ascii')}"
