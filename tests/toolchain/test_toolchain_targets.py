"""Upstream's names of platforms, and which of them runs where."""

from __future__ import annotations

import pytest

from opencode_patcher.base.errors import UsageError
from opencode_patcher.toolchain import targets
from opencode_patcher.toolchain.platforms import PACKAGES, Platform
from opencode_patcher.toolchain.targets import NAMES, parse


def test_every_name_is_read_and_written_the_same() -> None:
    assert [parse(name).name for name in NAMES] == list(NAMES)


def test_each_target_has_a_runtime_that_bun_publishes() -> None:
    assert {f"@oven/{parse(name).runtime}" for name in NAMES} == PACKAGES


@pytest.mark.parametrize(
    ("name", "archive", "binary"),
    [
        ("linux-x64-baseline-musl", "opencode-linux-x64-baseline-musl.tar.gz", "opencode"),
        ("darwin-arm64", "opencode-darwin-arm64.zip", "opencode"),
        ("windows-x64", "opencode-windows-x64.zip", "opencode.exe"),
    ],
)
def test_archives_are_named_as_upstreams_installer_expects(name: str, archive: str, binary: str) -> None:
    assert (parse(name).archive, parse(name).binary) == (archive, binary)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("linux-amd64", "linux-arm64"),
        ("macos-arm64", "darwin-arm64"),
        ("linux-x64-musl-baseline", "linux-x64-baseline-musl"),
    ],
)
def test_an_unknown_name_gets_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}'") as caught:
        parse(name)
    assert near in caught.value.why
    assert "windows-x64-baseline" in caught.value.next_step


def test_a_selection_is_in_upstreams_order_without_duplicates() -> None:
    chosen = targets.select(["windows-x64", "linux-x64", "windows-x64"])
    assert [target.name for target in chosen] == ["linux-x64", "windows-x64"]
    assert [target.name for target in targets.select(["linux-x64", "all"])] == list(NAMES)


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        (Platform(system="linux", machine="x86_64"), "linux-x64"),
        (Platform(system="linux", machine="x86_64", avx2=False), "linux-x64-baseline"),
        (Platform(system="linux", machine="x86_64", musl=True), "linux-x64-musl"),
        (Platform(system="linux", machine="aarch64", avx2=False), "linux-arm64"),
        (Platform(system="darwin", machine="arm64", avx2=False), "darwin-arm64"),
        (Platform(system="windows", machine="amd64"), "windows-x64"),
        (Platform(system="freebsd", machine="amd64"), None),
    ],
)
def test_the_best_target_for_a_machine(platform: Platform, name: str | None) -> None:
    found = targets.runnable(targets.select(["all"]), platform)
    assert (found.name if found else None) == name


def test_a_baseline_binary_is_used_if_there_is_no_other() -> None:
    found = targets.runnable(targets.select(["linux-x64-baseline"]), Platform(system="linux", machine="x86_64"))
    assert found == parse("linux-x64-baseline")
