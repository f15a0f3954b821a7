"""Two builds of the same release are compared digest by digest."""

from __future__ import annotations

from release_samples import manifest as sample
from release_samples import product

from opencode_patcher.release.verify import Difference, compare

LINUX, MACOS = "opencode-linux-x64.tar.gz", "opencode-darwin-arm64.zip"
BEFORE = {
    LINUX: "1" * 64,
    MACOS: "1" * 64,
    "LICENSE": "4" * 64,
    "manifest.json": "5" * 64,
    "RELEASE-NOTES.md": "6" * 64,
}
NO_MATTER = {"manifest.json": "7" * 64, "RELEASE-NOTES.md": "8" * 64}


def test_notes_and_the_manifests_own_digest_do_not_matter() -> None:
    found = compare(sample(), BEFORE, sample(zlib="1.4"), BEFORE | NO_MATTER)
    assert found.differences == ()
    assert found.identical == ("LICENSE", MACOS, LINUX)


def test_an_archive_that_is_only_packed_otherwise_is_told_from_another_program() -> None:
    rebuilt = sample(products=(product("linux-x64", archive="9"), product("darwin-arm64", archive="9", binary="9")))
    found = compare(sample(), BEFORE, rebuilt, BEFORE | {LINUX: "9" * 64, MACOS: "9" * 64})
    assert found.differences == (
        Difference(name=MACOS, released="1" * 64, rebuilt="9" * 64, binary=True),
        Difference(name=LINUX, released="1" * 64, rebuilt="9" * 64, binary=False),
    )


def test_a_file_that_only_one_of_them_has_is_a_difference() -> None:
    found = compare(sample(), BEFORE | {"install.sh": "a" * 64}, sample(), BEFORE | {"new.txt": "b" * 64})
    assert [(one.name, one.released[:1], one.rebuilt[:1]) for one in found.differences] == [
        ("install.sh", "a", ""),
        ("new.txt", "", "b"),
    ]


def test_what_the_manifest_says_besides_is_compared_too() -> None:
    found = compare(sample(), BEFORE, sample(channel="beta"), BEFORE)
    assert [one.name for one in found.differences] == ["manifest.json"]
