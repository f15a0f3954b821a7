"""A container image for continuous integration."""

from __future__ import annotations

from collections.abc import Mapping

from opencode_patcher.release.channels.protocol import DESCRIPTION, Offer, Render

MACHINES = {"amd64": "x64", "arm64": "arm64"}
"""The names of container images, and ours."""


class Container:
    """Linux. The archives are downloaded while the image is built, and checked against the release's digests."""

    name = "container"

    def files(self, offer: Offer, render: Render) -> Mapping[str, str]:
        """The file that describes the image."""
        found = {name: offer.asset("linux", machine) for name, machine in MACHINES.items()}
        sources = [
            {"machine": name, "url": asset.url, "sha256": asset.sha256} for name, asset in found.items() if asset
        ]
        if not sources:
            return {}
        values = {
            "description": DESCRIPTION,
            "homepage": offer.homepage,
            "version": offer.tag,
            "sources": sources,
        }
        return {"Containerfile": render("Containerfile", values)}
