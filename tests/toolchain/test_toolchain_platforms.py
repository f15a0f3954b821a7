"""Which of bun's packages runs on a machine."""

from __future__ import annotations

import pytest

from opencode_patcher.base.errors import ToolchainError
from opencode_patcher.toolchain import platforms
from opencode_patcher.toolchain.platforms import Platform


@pytest.mark.parametrize(
    ("platform", "package"),
    [
        (Platform(system="linux", machine="x86_64"), "@oven/bun-linux-x64"),
        (Platform(system="linux", machine="x86_64", avx2=False), "@oven/bun-linux-x64-baseline"),
        (Platform(system="linux", machine="x86_64", musl=True), "@oven/bun-linux-x64-musl"),
        (Platform(system="linux", machine="x86_64", musl=True, avx2=False), "@oven/bun-linux-x64-musl-baseline"),
        (Platform(system="linux", machine="aarch64", avx2=False), "@oven/bun-linux-aarch64"),
        (Platform(system="linux", machine="aarch64", musl=True), "@oven/bun-linux-aarch64-musl"),
        (Platform(system="darwin", machine="arm64", avx2=False), "@oven/bun-darwin-aarch64"),
        (Platform(system="darwin", machine="x86_64", avx2=False), "@oven/bun-darwin-x64-baseline"),
        (Platform(system="windows", machine="amd64"), "@oven/bun-windows-x64"),
        (Platform(system="windows", machine="arm64"), "@oven/bun-windows-aarch64"),
    ],
)
def test_the_package_for_a_machine(platform: Platform, package: str) -> None:
    assert platforms.bun_package(platform) == package


@pytest.mark.parametrize(
    ("system", "machine"), [("freebsd", "amd64"), ("linux", "riscv64"), ("linux", "i686"), ("", "")]
)
def test_a_machine_without_bun_is_named(system: str, machine: str) -> None:
    with pytest.raises(ToolchainError) as caught:
        platforms.bun_package(Platform(system=system, machine=machine))
    assert f"({system}, {machine})" in caught.value.what


def test_this_machine_has_a_bun() -> None:
    assert platforms.bun_package(platforms.detect()) in platforms.PACKAGES
