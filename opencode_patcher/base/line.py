"""The lines of OpenCode that are patched, as data: no room asks which line it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of OpenCode: releases that share their layout, and so their patches and templates.

    ``patches`` is the directory below ``patches/``. ``templates`` maps directories below ``templates/`` to what stands
    before the path of their files in OpenCode's repository; the first directory has to exist. ``combined`` is how
    OpenCode's own modules import from our core: the alias of its directory in the ``tsconfig.json`` of the package.
    """

    name: str
    patches: str
    templates: Mapping[str, str]
    combined: str


OPENCODE_1 = Line(
    name="OpenCode 1",
    patches="opencode-1",
    templates={"opencode-1": "", "combined": "packages/opencode/src/combined/"},
    combined="@/combined",
)
