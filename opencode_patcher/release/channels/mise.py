"""mise and aqua: they download archives of a release, whose names they have to know."""

from __future__ import annotations

from collections.abc import Mapping

from opencode_patcher.release.channels.protocol import DESCRIPTION, Offer, Render


class Mise:
    """An entry for aqua's registry, which mise reads too. The archives have the names that upstream's have, so that
    ``mise use github:OWNER/NAME`` also finds them by itself.
    """

    name = "mise"

    def files(self, offer: Offer, render: Render) -> Mapping[str, str]:
        """The registry."""
        environments = [
            f"{system}/{machine}"
            for system in ("darwin", "linux", "windows")
            for ours, machine in (("x64", "amd64"), ("arm64", "arm64"))
            if any(
                (one.target.system, one.target.machine, one.target.musl, one.target.baseline)
                == (system, ours, False, False)
                for one in offer.assets
            )
        ]
        if not environments:
            return {}
        owner, name = offer.repository.split("/")
        values = {
            "owner": owner,
            "repository": name,
            "description": DESCRIPTION,
            "environments": environments,
        }
        return {"registry.yaml": render("registry.yaml", values)}
