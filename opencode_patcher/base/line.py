"""The lines of OpenCode that are patched, as data: no other code asks which line it has."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from opencode_patcher.base.version import Range, Version


@dataclass(frozen=True, kw_only=True)
class Templates:
    """Whole new files: those in ``directory`` (below ``templates/``) go to ``path`` in OpenCode's repository, in the
    given ``releases``. A path that is not empty ends in a slash.
    """

    directory: str
    path: str = ""
    releases: Range = field(default_factory=Range)


@dataclass(frozen=True, kw_only=True)
class Names:
    """The names that a line's releases have for its parts ``since`` one of them; the fields are those of ``Line``."""

    since: Version
    package_name: str
    built: str
    combined: str
    ending: str
    without_web_ui: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of OpenCode: releases that share their layout, and so their patches and templates.

    Its releases are those from ``since`` to the end of the major version ``major``; with ``pre_releases`` also those
    before the first one. ``source`` is the address of the repository, ``tags`` a pattern (git's glob) that matches all
    its release tags, those of other lines included. ``package`` is the workspace package that is built,
    ``package_name`` its name in package.json. Its file ``build_script`` is called with ``build_flags``, and leaves the
    program under ``dist/DIST-linux-x64/bin/BUILT``. ``web_ui`` is the package that can be embedded ("" for none), and
    ``without_web_ui`` the flags that leave it out. ``program`` is the name under which the program is installed.

    ``patches`` is the directory below ``patches/``. Of ``templates``, only the first directory has to exist.
    ``combined`` is how OpenCode's own modules import ours, ``ending`` what they write after the path of a module of
    their own package. ``lock`` and ``support`` name files beside ``upstream/lock.py``. ``suffix`` is at the end of the
    names of the line's workflows, and of the branches and labels that they make. ``asks`` are the arguments with which
    the patched program prints what it combines. ``checks`` are the arguments with which it fails if it refuses its
    configuration (none if it has no such command). ``login`` is how people log in to a provider. ``login_tables`` are
    the tables that its database needs for these logins (none if they are in a file). ``experimental`` says what is not
    proven yet ("" for nothing). Some releases have other names for these parts; ``later`` lists those names, oldest
    first (see ``at``).
    """

    major: int
    source: str
    tags: str
    package: str
    package_name: str
    program: str
    built: str
    dist: str
    build_script: str
    patches: str
    templates: tuple[Templates, ...]
    combined: str
    ending: str = ""
    lock: str
    support: str
    suffix: str = ""
    asks: tuple[str, ...] = ("combined", "list", "--json")
    checks: tuple[str, ...] = ()
    login: str = "opencode auth login"
    login_tables: tuple[str, ...] = ()
    since: Version = (0, 0, 0)
    pre_releases: bool = False
    build_flags: tuple[str, ...] = ("--skip-install",)
    web_ui: str = ""
    without_web_ui: tuple[str, ...] = ()
    experimental: str = ""
    later: tuple[Names, ...] = ()

    @property
    def name(self) -> str:
        """What the line is called in messages."""
        return f"OpenCode {self.major}"

    @property
    def release_workflow(self) -> str:
        """The workflow that makes the line's releases: nothing else may have attested them."""
        return f"release{self.suffix}.yml"

    def has(self, version: Version) -> bool:
        """Whether a release of this version is one of the line."""
        return self.since <= version and version[0] <= self.major

    def at(self, version: Version) -> Line:
        """The line with the names that a release of this version has."""
        names = next((names for names in reversed(self.later) if names.since <= version), None)
        if names is None:
            return self
        return replace(
            self,
            package_name=names.package_name,
            built=names.built,
            combined=names.combined,
            ending=names.ending,
            without_web_ui=names.without_web_ui,
        )


RUNNER = Range(since=(1, 17, 12))
"""The releases of OpenCode 1 whose second API (packages/core/src/session/runner) our adapters fit."""

TUI = Range(since=(1, 17, 0))
"""The releases of OpenCode 1 whose TUI is a package of its own, which takes the core from packages/core."""

NO_RUNNER = Range(since=(1, 17, 0), until=(1, 17, 11))
"""The releases that have that API, but for which it refuses combined models."""

JULY = Range(until=(2, 0, 0))
"""The releases of OpenCode 2 that count as the state of July 2026."""

OCTOBER = Range(since=(2, 0, 1))
"""The releases of OpenCode 2 that count as the state of October 2026."""

OPENCODE_1 = Line(
    major=1,
    source="https://github.com/anomalyco/opencode",
    tags="v*",
    package="packages/opencode",
    package_name="opencode",
    web_ui="packages/app",
    without_web_ui=("--skip-embed-web-ui",),
    program="opencode",
    built="opencode",
    dist="opencode",
    build_script="script/build.ts",
    lock="upstream.lock.json",
    support="support.json",
    checks=("debug", "config"),
    patches="opencode-1",
    templates=(
        Templates(directory="opencode-1"),
        Templates(directory="combined", path="packages/opencode/src/combined/"),
        Templates(directory="host", path="packages/opencode/src/combined/host/"),
        Templates(directory="host-earlier", path="packages/opencode/src/combined/host/"),
        Templates(directory="combined", path="packages/core/src/combined/", releases=TUI),
        Templates(directory="host", path="packages/core/src/combined/host/", releases=RUNNER),
        Templates(directory="host-earlier", path="packages/core/src/combined/host/", releases=RUNNER),
        Templates(directory="runner", path="packages/core/src/combined/runner/", releases=RUNNER),
        Templates(directory="runner-both", path="packages/core/src/combined/runner/", releases=RUNNER),
        Templates(directory="runner-refused", path="packages/core/src/combined/runner/", releases=NO_RUNNER),
        Templates(directory="tui-both", path="packages/tui/src/combined/"),
    ),
    combined="@/combined",
)

OPENCODE_2 = Line(
    major=2,
    since=(2, 0, 0),
    pre_releases=True,
    source="https://github.com/anomalyco/opencode",
    tags="v*",
    package="packages/cli",
    package_name="@opencode-ai/cli",
    program="opencode2",
    built="opencode2",
    dist="cli",
    build_script="script/build.ts",
    lock="upstream-2.lock.json",
    support="support-2.json",
    suffix="-2",
    # Not the server that may run in the background, which has the user's data.
    asks=("combined", "list", "--json", "--standalone"),
    login="/connect in opencode2",
    login_tables=("account", "account_state", "control_account", "credential", "data_migration", "migration"),
    patches="opencode-2",
    templates=(
        Templates(directory="opencode-2"),
        Templates(directory="opencode-2-earlier", releases=JULY),
        Templates(directory="opencode-2-later", releases=OCTOBER),
        Templates(directory="combined", path="packages/core/src/combined/"),
        Templates(directory="host", path="packages/core/src/combined/host/"),
        Templates(directory="host-earlier", path="packages/core/src/combined/host/", releases=JULY),
        Templates(directory="runner-both", path="packages/core/src/combined/runner/"),
        Templates(directory="screen", path="packages/core/src/combined/runner/"),
        Templates(directory="screen", path="packages/client/src/combined/", releases=OCTOBER),
        Templates(directory="tui-both", path="packages/tui/src/combined/", releases=JULY),
    ),
    combined="@opencode-ai/core/combined",
    experimental="OpenCode 2 is experimental: what is proven of it, and how, is in docs/opencode-2.md.",
    later=(
        Names(
            since=(2, 0, 1),
            package_name="@opencode/cli",
            built="opencode",
            combined="@opencode/core/combined",
            ending=".js",
            without_web_ui=("--skip-web-ui",),
        ),
    ),
)

LINES = (OPENCODE_1, OPENCODE_2)


def of_version(version: Version | None) -> Line | None:
    """The line that a version belongs to; None for a later one that is not known yet, or for None."""
    return next((line for line in LINES if version and line.has(version)), None)


def of_program(program: str) -> Line:
    """The line whose programs have this name by default; the first for any other name."""
    return next((line for line in LINES if line.program == program.removesuffix(".exe")), OPENCODE_1)


def of_major(major: int) -> Line:
    """The line of this major version, which has to be one of ``LINES``."""
    return next(line for line in LINES if line.major == major)
