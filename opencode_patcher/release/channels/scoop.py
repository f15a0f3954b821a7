"""Scoop: a manifest for a bucket."""

from __future__ import annotations

from collections.abc import Mapping

from opencode_patcher.base import files
from opencode_patcher.release.channels.protocol import Offer, Render

MACHINES = {"64bit": ("windows", "x64"), "arm64": ("windows", "arm64")}
"""Scoop's names, and our system and machine."""


class Scoop:
    """Windows. It belongs in ``bucket`` of a repository."""

    name = "scoop"

    def files(self, offer: Offer, render: Render) -> Mapping[str, str]:  # noqa: ARG002
        """The manifest. Scoop takes what follows a dash for a pre-release, so the revision follows a dot."""
        architecture = {
            name: {"url": asset.url, "hash": f"sha256:{asset.sha256}"} for name, asset in offer.named(MACHINES).items()
        }
        if not architecture:
            return {}
        manifest = {
            "version": offer.number + (f".{offer.revision}" if offer.revision > 1 else ""),
            "description": offer.description,
            "homepage": offer.homepage,
            "license": "MIT",
            "architecture": architecture,
            "bin": f"{offer.program}.exe",
        }
        return {f"bucket/{offer.name}.json": files.json_text(manifest)}
