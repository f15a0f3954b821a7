"""Homebrew: a formula for a tap."""

from __future__ import annotations

from collections.abc import Mapping

from opencode_patcher.base.line import OPENCODE_1
from opencode_patcher.release.channels.protocol import Offer, Render, as_value


class Homebrew:
    """macOS and Linux. It belongs in ``Formula`` of a repository ``homebrew-…``."""

    name = "homebrew"

    def files(self, offer: Offer, render: Render) -> Mapping[str, str]:
        """The formula."""
        kinds = [
            {
                "on": on,
                "arm": as_value(offer.asset(system, "arm64")),
                "intel": as_value(offer.asset(system, "x64")),
            }
            for on, system in (("macos", "darwin"), ("linux", "linux"))
        ]
        kinds = [kind for kind in kinds if kind["arm"] or kind["intel"]]
        if not kinds:
            return {}
        values = {
            "class_name": "".join(part.capitalize() for part in offer.name.split("-")),
            "program": offer.program,
            "conflicts": "opencode" if offer.line is OPENCODE_1 else "",
            "description": offer.description,
            "homepage": offer.homepage,
            "number": offer.number,
            "revision": offer.revision - 1,
            "kinds": kinds,
        }
        return {f"Formula/{offer.name}.rb": render("formula.rb", values)}
