"""mise and aqua: they download archives of a release, whose names they have to know."""

from __future__ import annotations

from collections.abc import Mapping

from opencode_patcher.base.line import OPENCODE_1
from opencode_patcher.release.channels.protocol import Offer, Render


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
            "program": offer.program,
            "tag": offer.tag,
            "major": offer.line.major,
            "workflow": offer.line.release_workflow,
            # A registry has one package for a repository, unless another name is given to it.
            "name": "" if offer.line is OPENCODE_1 else f"{offer.repository}/{offer.program}",
            "description": offer.description,
            "environments": environments,
        }
        return {"registry.yaml": render("registry.yaml", values)}
