"""Patches and new files that are for some releases only."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencode_patcher.base.errors import PatchError
from opencode_patcher.base.line import Line, Templates
from opencode_patcher.base.version import Range, Version
from opencode_patcher.patchset import newfiles, series
from opencode_patcher.patchset.compose import compose
from opencode_patcher.patchset.series import Series

TEXT = "export const taste = 1\n"

PATCH = """\
Subject: Change the taste
Why: It is for the newer ones.
Obsolete-When: Never.
Releases: {releases}
Touches: a.ts

diff --git a/a.ts b/a.ts
--- a/a.ts
+++ b/a.ts
@@ -1,1 +1,1 @@
-export const taste = 1
+export const taste = 2
"""


def changed(releases: str, version: Version | None, text: str = TEXT) -> bytes | None:
    only = Series(patches=(series.parse("taste", PATCH.format(releases=releases)),))
    return compose(only, (), {}, {"a.ts": text.encode()}.get, version=version).files.get("a.ts")


@pytest.mark.parametrize(
    ("releases", "version", "expected"),
    [
        ("since v1.2.0", (1, 2, 0), True),
        ("since v1.2.0", (1, 1, 9), False),
        ("until v1.2.0", (1, 2, 0), True),
        ("until v1.2.0", (1, 2, 1), False),
        ("since v1.2.0 until v1.3.0", (1, 2, 9), True),
        ("since v1.2.0 until v1.3.0", (1, 4, 0), False),
        ("since v1.2.0", None, True),
        ("until v1.2.0", None, False),
    ],
)
def test_a_patch_is_skipped_in_other_releases(releases: str, version: Version | None, expected: bool) -> None:
    assert (changed(releases, version) is not None) is expected


def test_a_patch_for_others_need_not_fit() -> None:
    assert changed("since v1.2.0", (1, 1, 0), "something else\n") is None
    with pytest.raises(PatchError):
        changed("since v1.2.0", (1, 2, 0), "something else\n")


@pytest.mark.parametrize(
    "releases", ["v1.2.0", "since 1.2.0", "since v1.2", "from v1.2.0", "until v1.2.0 since v1.0.0"]
)
def test_releases_that_cannot_be_read_are_refused(releases: str) -> None:
    with pytest.raises(PatchError, match="expected 'since TAG'"):
        series.parse("taste", PATCH.format(releases=releases))


def line(*templates: Templates) -> Line:
    return Line(
        major=1,
        source="",
        tags="v*",
        package="",
        package_name="",
        program="",
        built="",
        dist="",
        lock="",
        support="",
        build_script="",
        patches="",
        templates=templates,
        combined="",
    )


def test_a_directory_goes_to_each_of_its_places(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core/one.ts").write_text("one\n")
    newer = Range(since=(1, 2, 0))
    found = newfiles.load(
        tmp_path, line(Templates(directory="core", path="a/"), Templates(directory="core", path="b/", releases=newer))
    )

    def paths(version: Version | None) -> list[str]:
        return [file.path for file in newfiles.of_release(found, version)]

    assert paths((1, 2, 0)) == ["a/one.ts", "b/one.ts"]
    assert paths((1, 1, 9)) == ["a/one.ts"]
    assert paths(None) == ["a/one.ts", "b/one.ts"]


def test_one_place_may_have_another_file_in_other_releases(tmp_path: Path) -> None:
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.ts").write_text(f"{name}\n")

    def load(until: Version) -> tuple[newfiles.NewFile, ...]:
        return newfiles.load(
            tmp_path,
            line(
                Templates(directory="new", releases=Range(since=(1, 2, 0))),
                Templates(directory="old", releases=Range(until=until)),
            ),
        )

    [old] = newfiles.of_release(load((1, 1, 9)), (1, 0, 0))
    assert old.content == b"old\n"
    with pytest.raises(PatchError, match="Two templates write the same file"):
        load((1, 2, 0))
