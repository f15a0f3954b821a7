"""The Arch User Repository: a PKGBUILD, and the .SRCINFO that the repository reads instead of running it."""

from __future__ import annotations

from collections.abc import Mapping

from opencode_patcher.release.channels.protocol import Offer, Render

MACHINES = {"x86_64": ("linux", "x64"), "aarch64": ("linux", "arm64")}
"""Arch's names, and our system and machine."""


class Aur:
    """Arch Linux. Both files belong in the package's own git repository."""

    name = "aur"

    def files(self, offer: Offer, render: Render) -> Mapping[str, str]:
        """The two files; ``makepkg --printsrcinfo`` gives the second one."""
        # The prefix keeps archives of different releases apart in makepkg's cache.
        sources = [
            {
                "arch": arch,
                "file": f"{offer.name}-{offer.number}-{offer.revision}-{asset.name}",
                "url": asset.url,
                "sha256": asset.sha256,
            }
            for arch, asset in offer.named(MACHINES).items()
        ]
        if not sources:
            return {}
        values = {
            "name": f"{offer.name}-bin",
            "program": offer.program,
            # Any package that would install the same file.
            "conflicts": [offer.program, f"{offer.program}-bin"],
            # A version must not contain a dash. Letters right after a number mean a version before that number.
            "number": offer.number.replace("-", ""),
            "revision": offer.revision,
            "description": offer.description,
            "homepage": offer.homepage,
            "sources": sources,
        }
        return {"PKGBUILD": render("PKGBUILD", values), ".SRCINFO": render("SRCINFO", values)}
