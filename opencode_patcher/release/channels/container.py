"""A container image for continuous integration."""

from __future__ import annotations

from collections.abc import Mapping

from opencode_patcher.release.channels.protocol import Offer, Render

MACHINES = {"amd64": ("linux", "x64"), "arm64": ("linux", "arm64")}
"""The names of container images, and our system and machine."""


class Container:
    """Linux. The archives are downloaded while the image is built, and checked against the release's digests."""

    name = "container"

    def files(self, offer: Offer, render: Render) -> Mapping[str, str]:
        """The file that describes the image."""
        sources = [
            {"machine": name, "url": asset.url, "sha256": asset.sha256} for name, asset in offer.named(MACHINES).items()
        ]
        if not sources:
            return {}
        values = {
            "name": offer.name,
            "title": offer.description.partition(":")[0],
            "program": offer.program,
            "homepage": offer.homepage,
            "version": offer.tag,
            "sources": sources,
        }
        return {"Containerfile": render("Containerfile", values)}
