"""Which native packages a target needs, and what happens when they are not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opencode_patcher.toolchain import natives, targets
from opencode_patcher.toolchain.bun_lock import Package


def native(name: str, system: str, machine: str) -> Package:
    return Package(place=name, name=name, version="1.0.0", systems=(system,), machines=(machine,))


CLOSURE = (
    Package(place="effect", name="effect", version="4.0.0"),
    native("@opentui/core-linux-x64", "linux", "x64"),
    native("@opentui/core-linux-x64-musl", "linux", "x64"),
    native("@parcel/watcher-linux-x64-glibc", "linux", "x64"),
    native("@parcel/watcher-linux-x64-musl", "linux", "x64"),
    native("@ff-labs/fff-bin-linux-x64-gnu", "linux", "x64"),
    native("@ff-labs/fff-bin-linux-x64-musl", "linux", "x64"),
    native("@lydell/node-pty-linux-x64", "linux", "x64"),
    native("@opentui/core-win32-x64", "win32", "x64"),
    native("@ff-labs/fff-bin-darwin-arm64", "darwin", "arm64"),
    native("@parcel/watcher-freebsd-x64", "freebsd", "x64"),
)
ALL = [(package.name, package.version) for package in CLOSURE]


@pytest.mark.parametrize(
    ("target", "names"),
    [
        (
            "linux-x64",
            {
                "@opentui/core-linux-x64",
                "@parcel/watcher-linux-x64-glibc",
                "@ff-labs/fff-bin-linux-x64-gnu",
                "@lydell/node-pty-linux-x64",
            },
        ),
        (
            "linux-x64-baseline-musl",
            {
                "@opentui/core-linux-x64-musl",
                "@parcel/watcher-linux-x64-musl",
                "@ff-labs/fff-bin-linux-x64-musl",
                "@lydell/node-pty-linux-x64",
            },
        ),
        ("windows-x64-baseline", {"@opentui/core-win32-x64"}),
        ("darwin-arm64", {"@ff-labs/fff-bin-darwin-arm64"}),
        ("linux-arm64", set()),
    ],
)
def test_system_machine_and_c_library_decide(target: str, names: set[str]) -> None:
    assert {package.name for package in natives.needed(CLOSURE, targets.parse(target))} == names


def test_a_missing_package_is_reported_once_with_all_its_targets() -> None:
    chosen = targets.select(["linux-x64", "linux-x64-baseline", "darwin-arm64", "windows-x64"])
    there = [key for key in ALL if key[0] not in ("@opentui/core-linux-x64", "@ff-labs/fff-bin-darwin-arm64")]
    found = natives.missing(CLOSURE, chosen, there)
    assert [(one.package.name, [target.name for target in one.targets], one.library) for one in found] == [
        ("@opentui/core-linux-x64", ["linux-x64", "linux-x64-baseline"], ""),
        ("@ff-labs/fff-bin-darwin-arm64", ["darwin-arm64"], "libfff_c.dylib"),
    ]
    assert natives.missing(CLOSURE, chosen, ALL) == []


def test_another_version_is_not_the_package() -> None:
    there = [(name, "0.9.0" if "win32" in name else version) for name, version in ALL]
    found = natives.missing(CLOSURE, targets.select(["windows-x64"]), there)
    assert [one.package.name for one in found] == ["@opentui/core-win32-x64"]


def test_only_the_released_platforms_are_included() -> None:
    chosen = targets.select(["darwin-arm64", "windows-x64"])
    lacking = natives.missing(CLOSURE, chosen, [key for key in ALL if "fff-bin-darwin" not in key[0]])
    names = [package.name for package in natives.included(CLOSURE, chosen, lacking)]
    assert names == ["effect", "@opentui/core-win32-x64"]


def test_a_stand_in_is_an_empty_library_and_still_counts_as_missing(tmp_path: Path) -> None:
    chosen = targets.select(["darwin-arm64"])
    (one,) = natives.missing(CLOSURE, chosen, [])
    natives.put_stand_in(one, tmp_path / "node_modules")

    place = tmp_path / "node_modules" / "@ff-labs" / "fff-bin-darwin-arm64"
    assert (place / "libfff_c.dylib").read_bytes() == b""
    assert natives.missing(CLOSURE, chosen, natives.installed(tmp_path)) == [one]


def test_packages_are_found_in_both_layouts(tmp_path: Path) -> None:
    for directory, name, version in (
        ("node_modules/effect", "effect", "4.0.0"),
        ("node_modules/glob/node_modules/minimatch", "minimatch", "3.0.0"),
        ("node_modules/.bun/@a+b@1.0.0+0f/node_modules/@a/b", "@a/b", "1.0.0"),
    ):
        (tmp_path / directory).mkdir(parents=True)
        (tmp_path / directory / "package.json").write_text(json.dumps({"name": name, "version": version}))
    (tmp_path / "node_modules" / "broken").mkdir()
    (tmp_path / "node_modules" / "broken" / "package.json").write_text("{")
    linked = tmp_path / "packages" / "opencode" / "node_modules"
    linked.mkdir(parents=True)
    (linked / "effect").symlink_to(tmp_path / "node_modules" / "effect")

    found = natives.installed(tmp_path)

    assert set(found) == {("effect", "4.0.0"), ("minimatch", "3.0.0"), ("@a/b", "1.0.0")}


def test_a_machine_that_bun_does_not_run_on_is_no_target() -> None:
    package = Package(place="a", name="a-linux-riscv64-gnu", version="1", systems=("linux",), machines=("none",))
    assert not any(natives.needed([package], target) for target in targets.select(["all"]))
