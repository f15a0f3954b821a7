"""Which of bun's builds runs on a machine."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.base import process
from opencode_patcher.base.errors import ProcessError, ToolchainError

PACKAGES = frozenset(
    {
        "@oven/bun-darwin-aarch64",
        "@oven/bun-darwin-x64",
        "@oven/bun-darwin-x64-baseline",
        "@oven/bun-linux-aarch64",
        "@oven/bun-linux-aarch64-musl",
        "@oven/bun-linux-x64",
        "@oven/bun-linux-x64-baseline",
        "@oven/bun-linux-x64-musl",
        "@oven/bun-linux-x64-musl-baseline",
        "@oven/bun-windows-aarch64",
        "@oven/bun-windows-x64",
        "@oven/bun-windows-x64-baseline",
    }
)
"""The npm packages that carry bun; the optional dependencies of the npm package ``bun``."""

MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "aarch64", "arm64": "aarch64"}
"""bun's names of machines by Python's."""
_PF_AVX2_INSTRUCTIONS_AVAILABLE = 40
"""Argument of Windows' IsProcessorFeaturePresent (winnt.h)."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A kind of machine, as bun distinguishes them; ``avx2`` matters on x64 only. ``system`` and ``machine`` are
    Python's names in lower case.
    """

    system: str
    machine: str
    musl: bool = False
    avx2: bool = True


def bun_package(wanted: Platform) -> str:
    """The npm package with bun for a platform. Raises ToolchainError when there is none."""
    machine = MACHINES.get(wanted.machine)
    musl = "-musl" if wanted.musl else ""
    baseline = "-baseline" if machine == "x64" and not wanted.avx2 else ""
    package = f"@oven/bun-{wanted.system}-{machine}{musl}{baseline}"
    if package not in PACKAGES:
        raise ToolchainError(
            f"bun is not available for this machine ({wanted.system}, {wanted.machine}).",
            why="bun is available for Linux, macOS and Windows on x64 and arm64.",
            next_step="Build on such a machine, or put a bun that works here on your PATH.",
        )
    return package


def detect() -> Platform:
    """The platform that this process runs on; under Rosetta, the real one."""
    system = platform.system().lower()
    machine = platform.machine().lower()
    if system == "darwin" and machine == "x86_64" and _sysctl("sysctl.proc_translated") == "1":
        machine = "arm64"
    musl = system == "linux" and _has_musl()
    return Platform(system=system, machine=machine, musl=musl, avx2=_has_avx2(system))


def _has_musl() -> bool:
    return platform.libc_ver()[0] != "glibc" and any(Path("/lib").glob("ld-musl-*.so.1"))


def _has_avx2(system: str) -> bool:
    if system == "linux":
        try:
            return "avx2" in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
        except OSError:
            return False
    if system == "darwin":
        return _sysctl("hw.optional.avx2_0") == "1"
    if sys.platform == "win32":
        import ctypes

        return bool(ctypes.windll.kernel32.IsProcessorFeaturePresent(_PF_AVX2_INSTRUCTIONS_AVAILABLE))
    return False


def _sysctl(name: str) -> str:
    try:
        return process.run(["sysctl", "-n", name]).stdout.strip()
    except ProcessError:
        return ""


def target(wanted: Platform | None = None) -> str:
    """The name that upstream's build gives to a platform: ``linux-x64``, ``darwin-arm64``, ``windows-x64``."""
    wanted = wanted or detect()
    machine = {"aarch64": "arm64"}.get(MACHINES.get(wanted.machine, wanted.machine), "x64")
    return f"{wanted.system}-{machine}"
