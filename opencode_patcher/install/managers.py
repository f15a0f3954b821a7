"""Which package manager has installed a patched program, judging by its path, and its command for an update."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.install import path_search
from opencode_patcher.install.systems.protocol import System

_NPM = (
    r"/node_modules/((?:@[^/]+/)?[^/]+?)(?:-(?:linux|darwin|windows)-(?:x64|arm64)(?:-baseline)?(?:-musl)?)?/bin/[^/]+$"
)

RULES = (
    ("bun", rf"/\.bun/.*{_NPM}", "bun add --global NAME@latest"),
    ("pnpm", rf"/\.?pnpm/.*{_NPM}", "pnpm add --global NAME@latest"),
    ("npm", _NPM, "npm install --global NAME@latest"),
    ("Homebrew", r"/Cellar/([^/]+)/", "brew upgrade NAME"),
    ("Scoop", r"(?i)/scoop/apps/([^/]+)/", "scoop update NAME"),
    ("Nix", r"^/nix/store/[^/-]+-([^/]+?)-\d[^/]*/", "nix profile upgrade NAME"),
    ("the AUR", r"^/usr/lib/([^/]+-bin)/opencode2?$", "yay -Syu NAME"),
    ("mise", r"/mise/installs/([^/]+)/", "mise upgrade NAME"),
)
"""Name, where the program is (the group is the package), and the command. Twin of ``MANAGERS`` in
``combined/seam/installation.ts``, which a patched OpenCode has for `opencode upgrade`."""

STOCK = frozenset({"opencode", "opencode-ai", "opencode-bin"})
"""The packages of upstream, which have no combined models."""


@dataclass(frozen=True, kw_only=True)
class Manager:
    """A package manager, the package, and the command that updates it."""

    name: str
    package: str
    update: str


def manager(program: Path | str) -> Manager | None:
    """The package manager of the program at that path, with links resolved; None for any other program."""
    at = str(program).replace("\\", "/")
    for name, place, command in RULES:
        if found := re.search(place, at):
            return Manager(name=name, package=found[1], update=command.replace("NAME", found[1]))
    return None


def on_path(system: System, environment: Mapping[str, str]) -> Manager | None:
    """The package manager of the `opencode` that a shell starts; None if it has none, or if the package is
    upstream's.
    """
    nowhere = Path("/").resolve() / "opencode-patcher" / "nowhere"
    found = path_search.search(environment.get("PATH", ""), system.search_names(environment), nowhere)
    first = manager(found[0].real) if found else None
    return first if first and first.package not in STOCK else None
