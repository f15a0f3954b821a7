"""The lines of OpenCode that are patched, as data: no room asks which line it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of OpenCode: releases that share their layout, and so their patches and templates.

    ``source`` is the address of the repository, ``tags`` a pattern (git's glob) of its release tags. ``package`` is the
    workspace package that is built, by its file ``build_script``, and ``web_ui`` the package that can be embedded;
    ``program`` names the program, and the package in package.json. ``patches`` is the directory below ``patches/``.
    ``templates`` maps directories below ``templates/`` to what stands before the path of their files in OpenCode's
    repository; the first directory has to exist. ``combined`` is how OpenCode's own modules import ours: an alias in
    the package's ``tsconfig.json``.
    """

    source: str
    tags: str
    package: str
    web_ui: str
    program: str
    build_script: str
    patches: str
    templates: Mapping[str, str]
    combined: str


OPENCODE_1 = Line(
    source="https://github.com/anomalyco/opencode",
    tags="v*",
    package="packages/opencode",
    web_ui="packages/app",
    program="opencode",
    build_script="script/build.ts",
    patches="opencode-1",
    templates={"opencode-1": "", "combined": "packages/opencode/src/combined/"},
    combined="@/combined",
)
