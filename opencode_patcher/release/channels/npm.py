"""npm: a package with a launcher, and one for each platform, in the layout of upstream's ``opencode-ai``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opencode_patcher.base import files
from opencode_patcher.release import notices
from opencode_patcher.release.channels.protocol import Asset, Offer, Render

_SYSTEMS = {"windows": "win32"}
"""npm's names of systems, where they differ."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the program of an archive belongs among the files of this channel."""

    asset: Asset
    path: str


class Npm:
    """The main package depends on all platforms; npm installs those whose ``os``, ``cpu`` and ``libc`` fit."""

    name = "npm"

    def files(self, offer: Offer, render: Render) -> Mapping[str, str]:
        """A directory for each package, without the programs (``programs`` says where they go)."""
        if not offer.assets:
            return {}
        launcher = f"bin/{offer.program}.js"
        main = {
            **_head(offer, _full_name(offer)),
            "description": offer.description,
            "bin": {offer.program: launcher},
            "files": ["bin", notices.FILE_NAME],
            "engines": {"node": ">=18"},
            "optionalDependencies": {_full_name(offer, one): offer.version for one in offer.assets},
        }
        texts = {
            f"{offer.name}/package.json": files.json_text(main),
            f"{offer.name}/{launcher}": render("opencode.js", {"package": _full_name(offer), "program": offer.program}),
            f"{offer.name}/README.md": render(
                "npm-README.md",
                {
                    "name": _full_name(offer),
                    "title": offer.description.partition(":")[0],
                    "homepage": offer.homepage,
                },
            ),
        }
        for one in offer.assets:
            texts[f"{directory(offer, one)}/package.json"] = files.json_text(_platform(offer, one))
        return texts


def programs(offer: Offer) -> tuple[Place, ...]:
    """Where the program of each archive goes."""
    return tuple(Place(asset=one, path=f"{directory(offer, one)}/bin/{one.target.binary}") for one in offer.assets)


def directory(offer: Offer, asset: Asset) -> str:
    """The directory of the package of a platform."""
    return f"{offer.name}-{asset.target.name}"


def _platform(offer: Offer, asset: Asset) -> dict[str, object]:
    target = asset.target
    libc = {"libc": ["musl" if target.musl else "glibc"]} if target.system == "linux" else {}
    return {
        **_head(offer, _full_name(offer, asset)),
        "description": f"{offer.description} ({target.name})",
        "os": [_SYSTEMS.get(target.system, target.system)],
        "cpu": [target.machine],
        **libc,
        "files": ["bin", notices.FILE_NAME],
        "preferUnplugged": True,
    }


def _head(offer: Offer, name: str) -> dict[str, object]:
    return {
        "name": name,
        # npm takes a number after a dash for a pre-release, but there is no other place for the revision.
        "version": offer.version,
        "license": "MIT",
        "homepage": offer.homepage,
        "repository": {"type": "git", "url": f"git+{offer.homepage}.git"},
    }


def _full_name(offer: Offer, asset: Asset | None = None) -> str:
    name = directory(offer, asset) if asset else offer.name
    return f"{offer.scope}/{name}" if offer.scope else name
