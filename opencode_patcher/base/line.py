"""The lines of OpenCode that are patched, as data: no other code asks which line it has."""

from __future__ import annotations

from dataclasses import dataclass, field

from opencode_patcher.base.version import Range


@dataclass(frozen=True, kw_only=True)
class Templates:
    """Whole new files: those in ``directory`` (below ``templates/``) go to ``path`` in OpenCode's repository, in the
    given ``releases``. A path that is not empty ends in a slash.
    """

    directory: str
    path: str = ""
    releases: Range = field(default_factory=Range)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of OpenCode: releases that share their layout, and so their patches and templates.

    Its releases are those of the major version ``major``, and of older ones, which are too old. ``source`` is the
    address of the repository, ``tags`` a pattern (git's glob) of all its release tags, those of other lines included.
    ``package`` is the workspace package that is built, by its file ``build_script``, and ``web_ui`` the package that
    can be embedded; ``program`` names the program, and the package in package.json. ``patches`` is the directory
    below ``patches/``. Of ``templates`` the first directory has to exist. ``combined`` is how OpenCode's own modules
    import ours: an alias in the package's ``tsconfig.json``.
    """

    major: int
    source: str
    tags: str
    package: str
    web_ui: str
    program: str
    build_script: str
    patches: str
    templates: tuple[Templates, ...]
    combined: str

    @property
    def name(self) -> str:
        """What the line is called in messages."""
        return f"OpenCode {self.major}"


RUNNER = Range(since=(1, 17, 12))
"""The releases of OpenCode 1 whose second API (packages/core/src/session/runner) our adapters fit."""

NO_RUNNER = Range(since=(1, 17, 0), until=(1, 17, 11))
"""The releases that have that API, but for which it refuses combined models."""

OPENCODE_1 = Line(
    major=1,
    source="https://github.com/anomalyco/opencode",
    tags="v*",
    package="packages/opencode",
    web_ui="packages/app",
    program="opencode",
    build_script="script/build.ts",
    patches="opencode-1",
    templates=(
        Templates(directory="opencode-1"),
        Templates(directory="combined", path="packages/opencode/src/combined/"),
        Templates(directory="host", path="packages/opencode/src/combined/host/"),
        Templates(directory="combined", path="packages/core/src/combined/", releases=RUNNER),
        Templates(directory="host", path="packages/core/src/combined/host/", releases=RUNNER),
        Templates(directory="runner", path="packages/core/src/combined/runner/", releases=RUNNER),
        Templates(directory="runner-refused", path="packages/core/src/combined/runner/", releases=NO_RUNNER),
    ),
    combined="@/combined",
)
