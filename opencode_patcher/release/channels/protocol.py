"""What a channel is: a package manager, and the files that it needs to install a release."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from opencode_patcher.base.errors import ReleaseError, UsageError
from opencode_patcher.base.line import OPENCODE_1, Line
from opencode_patcher.release.manifest import Manifest
from opencode_patcher.toolchain.targets import Target

_NAME = re.compile(r"(?:(@[a-z0-9][a-z0-9._-]*)/)?([a-z][a-z0-9-]*)")

Render = Callable[[str, Mapping[str, object]], str]
"""Renders the template with that name in ``templates/release/channels``."""


@dataclass(frozen=True, kw_only=True)
class Asset:
    """The archive of a target: its name in the release, its address, its SHA-256 in hexadecimal."""

    target: Target
    name: str
    url: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A release as package managers see it: of another line, it has another package and program, so that people can
    install both.

    ``name`` is the package's name, ``scope`` npm's scope with its ``@`` or "". ``revision`` counts releases of the same
    ``number`` of OpenCode, from 1.
    """

    line: Line
    name: str
    scope: str
    number: str
    revision: int
    repository: str
    tag: str
    assets: tuple[Asset, ...]

    @property
    def program(self) -> str:
        """What people type."""
        return self.line.program

    @property
    def description(self) -> str:
        """At most 80 characters, which Homebrew demands."""
        called = "OpenCode" if self.line is OPENCODE_1 else self.line.name
        return f"{called} with combined models: one model, several providers, failover"

    @property
    def homepage(self) -> str:
        """Where the release comes from."""
        return f"https://github.com/{self.repository}"

    @property
    def version(self) -> str:
        """``number``, and ``revision`` after a dash from the second one on."""
        return f"{self.number}-{self.revision}" if self.revision > 1 else self.number

    def asset(self, system: str, machine: str) -> Asset | None:
        """The archive for any computer of a kind: the one that does not need AVX2 if there is one, and glibc on Linux.
        None if the release has nothing for it.
        """
        fitting = [
            one
            for one in self.assets
            if (one.target.system, one.target.machine, one.target.musl) == (system, machine, False)
        ]
        return max(fitting, key=lambda one: one.target.baseline, default=None)

    def named(self, machines: Mapping[str, tuple[str, str]]) -> dict[str, Asset]:
        """The archive for each name in ``machines``, which maps a channel's names to our system and machine. A name is
        left out if the release has no archive for it.
        """
        found = {name: self.asset(*ours) for name, ours in machines.items()}
        return {name: asset for name, asset in found.items() if asset}


class Channel(Protocol):
    """A package manager."""

    @property
    def name(self) -> str:
        """The directory of its files."""
        ...

    def files(self, offer: Offer, render: Render) -> Mapping[str, str]:
        """The text of each file by its path in that directory; none if the release has nothing for this channel."""
        ...


def default_name(line: Line) -> str:
    """The name of a line's package, if no other name is given."""
    return f"{line.program}-combined"


def offer(manifest: Manifest, package: str | None = None) -> Offer:
    """The release of a manifest under the name ``package``, which may have npm's scope.

    Raises UsageError for a name that not every package manager takes, and ReleaseError when the manifest does not say
    where the release is published.
    """
    usual = default_name(manifest.line)
    name = _NAME.fullmatch(usual if package is None else package)
    if name is None:
        raise UsageError(
            f"'{package}' cannot be the name of a package: not every package manager accepts it.",
            why="A name begins with a letter and has lowercase letters, digits and dashes. npm's can have a scope.",
            next_step=f"Try: --package {usual}, or --package @you/{usual}",
        )
    published = manifest.published
    if not published.repository:
        raise ReleaseError(
            "The release does not say where it is published.",
            why="A package manager downloads the archives from there.",
            next_step="Make it again: opencode-patcher release --repository OWNER/NAME --release TAG",
        )
    number = manifest.release.number
    counted = re.fullmatch(rf"v?{re.escape(number)}-(\d+)", published.release)
    base = f"https://github.com/{published.repository}/releases/download/{published.release}"
    return Offer(
        line=manifest.line,
        name=name[2],
        scope=name[1] or "",
        number=number,
        revision=int(counted[1]) if counted else 1,
        repository=published.repository,
        tag=published.release,
        assets=tuple(
            Asset(
                target=manifest.target(one),
                name=one.archive.name,
                url=f"{base}/{one.archive.name}",
                sha256=one.archive.sha256,
            )
            for one in manifest.artifacts
        ),
    )


def as_value(asset: Asset | None) -> dict[str, str] | None:
    """What a template may use of an archive."""
    return {"name": asset.name, "url": asset.url, "sha256": asset.sha256} if asset else None
