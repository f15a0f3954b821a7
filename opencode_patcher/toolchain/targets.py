"""The platforms that upstream builds binaries for, under upstream's names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from opencode_patcher.base.errors import UsageError
from opencode_patcher.base.line import OPENCODE_1
from opencode_patcher.toolchain.platforms import MACHINES, Platform

NAMES = (
    "linux-arm64",
    "linux-x64",
    "linux-x64-baseline",
    "linux-arm64-musl",
    "linux-x64-musl",
    "linux-x64-baseline-musl",
    "darwin-arm64",
    "darwin-x64",
    "darwin-x64-baseline",
    "windows-arm64",
    "windows-x64",
    "windows-x64-baseline",
)
"""In the order of upstream's packages/opencode/script/build.ts."""

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Target:
    """One platform. ``system`` is linux, darwin or windows; ``machine`` is x64 or arm64.

    A ``baseline`` binary does not need AVX2; a ``musl`` one is for Linux systems without glibc. ``program`` is what the
    program is called there.
    """

    system: str
    machine: str
    baseline: bool = False
    musl: bool = False
    program: str = OPENCODE_1.program

    @property
    def name(self) -> str:
        """Upstream's name, ``linux-x64-baseline-musl``."""
        return "-".join([self.system, self.machine, *["baseline"] * self.baseline, *["musl"] * self.musl])

    @property
    def package(self) -> str:
        """The name of the archive, without its ending; in OpenCode 1 also of the directory in upstream's build."""
        return f"{self.program}-{self.name}"

    @property
    def binary(self) -> str:
        """The file name of the program."""
        return self.program + self.suffix

    @property
    def suffix(self) -> str:
        """How the names of programs end there."""
        return ".exe" if self.system == "windows" else ""

    @property
    def archive(self) -> str:
        """The file name of the archive (upstream's build.ts and its ``install`` script)."""
        return f"{self.package}{'.tar.gz' if self.system == 'linux' else '.zip'}"

    @property
    def runtime(self) -> str:
        """bun's own name of the platform, as in the npm package ``@oven/bun-linux-x64-musl-baseline``."""
        machine = "aarch64" if self.machine == "arm64" else self.machine
        return "-".join(["bun", self.system, machine, *["musl"] * self.musl, *["baseline"] * self.baseline])


def parse(name: str, program: str = OPENCODE_1.program) -> Target:
    """The target with that name. Raises UsageError with the nearest names when upstream has none."""
    if name not in NAMES:
        near = get_close_matches(name, NAMES, n=3)
        raise UsageError(
            f"OpenCode is not built for '{name}'.",
            # Several, since the parts of a name are easily put in the wrong order.
            why=f"The nearest names: {', '.join(near)}." if near else "",
            next_step=f"Targets: {ALL}, {', '.join(NAMES)}",
        )
    system, machine, *rest = name.split("-")
    return Target(system=system, machine=machine, baseline="baseline" in rest, musl="musl" in rest, program=program)


def select(names: Iterable[str], program: str = OPENCODE_1.program) -> tuple[Target, ...]:
    """The targets with these names, each once, in upstream's order; ``all`` means all of them.

    Raises UsageError for an unknown name.
    """
    every = tuple(parse(name, program) for name in NAMES)
    wanted = {target for name in names for target in (every if name == ALL else (parse(name, program),))}
    return tuple(target for target in every if target in wanted)


def runnable(targets: Iterable[Target], platform: Platform) -> Target | None:
    """The one of ``targets`` that fits ``platform`` best; None when none of them runs there."""
    machine = {"aarch64": "arm64"}.get(MACHINES.get(platform.machine, ""), MACHINES.get(platform.machine, ""))
    fitting = [
        target
        for target in targets
        if (target.system, target.machine, target.musl) == (platform.system, machine, platform.musl)
        and (target.baseline or platform.avx2 or machine != "x64")
    ]
    return min(fitting, key=lambda target: target.baseline, default=None)
