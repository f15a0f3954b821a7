"""Reading the series and the headers of its patches."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencode_patcher.base.errors import PatchError
from opencode_patcher.base.version import Version
from opencode_patcher.patchset import series
from tests.patchset.patchset_samples import HEADER, TASTE, diff, patch_text


def make(directory: Path, names: str, **patches: str) -> Path:
    (directory / "series").write_text(names)
    for name, text in patches.items():
        (directory / f"{name}.patch").write_text(text)
    return directory


def refusal(directory: Path) -> str:
    with pytest.raises(PatchError) as caught:
        series.load(directory)
    return str(caught.value)


def test_series_in_order_with_comments(tmp_path: Path) -> None:
    text = patch_text(TASTE)
    loaded = series.load(make(tmp_path, "# first\n\nserve # the hook\ncook\n", cook=text, serve=text))
    assert [patch.name for patch in loaded.patches] == ["serve", "cook"]
    assert loaded.find("cook").text == text


def test_header_with_continued_values_and_older_places(tmp_path: Path) -> None:
    header = (
        "Subject: Taste\nWhy: Guests complain\n  about the soup.\nObsolete-When:\n  it is good\n"
        "Touches: src/kitchen.ts <- app/kitchen.ts <- kitchen.ts\n\tsrc/bar.ts\n"
    )
    loaded = series.load(make(tmp_path, "taste\n", taste=f"{header}\n{diff(TASTE)}"))
    found = loaded.patches[0].header
    assert (found.subject, found.why, found.obsolete_when) == (
        "Taste",
        "Guests complain about the soup.",
        "it is good",
    )
    assert [target.places for target in found.touches] == [
        ("src/kitchen.ts", "app/kitchen.ts", "kitchen.ts"),
        ("src/bar.ts",),
    ]


@pytest.mark.parametrize(
    ("marker", "having", "lacking"),
    [
        ("", [(0, 0, 1), (9, 0, 0)], []),
        (" since v1.2.0", [(1, 2, 0), (9, 0, 0)], [(1, 1, 9)]),
        (" until v1.2.0", [(0, 0, 1), (1, 2, 0)], [(1, 2, 1)]),
        (" since v1.1.0 until v1.1.9", [(1, 1, 0), (1, 1, 9)], [(1, 0, 9), (1, 2, 0)]),
    ],
)
def test_which_releases_have_a_file(marker: str, having: list[Version], lacking: list[Version]) -> None:
    touches = f"Touches: src/kitchen.ts <- kitchen.ts{marker}\n\n"
    (target,) = series.parse("taste", HEADER + touches + diff(TASTE)).header.touches
    assert target.places == ("src/kitchen.ts", "kitchen.ts")
    assert not target.may_lack(None)
    assert not any(target.may_lack(version) for version in having)
    assert all(target.may_lack(version) for version in lacking)


def test_a_place_from_history_comes_last() -> None:
    patch = series.parse("taste", HEADER + "Touches: src/kitchen.ts <- kitchen.ts\n\n" + diff(TASTE))
    followed = series.Series(patches=(patch,)).following({"src/kitchen.ts": "new/kitchen.ts"})
    assert followed.patches[0].header.touches[0].places == ("src/kitchen.ts", "kitchen.ts", "new/kitchen.ts")
    assert followed.places() == {"src/kitchen.ts", "kitchen.ts", "new/kitchen.ts"}


def test_series_that_names_a_missing_file(tmp_path: Path) -> None:
    message = refusal(make(tmp_path, "tast\n", taste=patch_text(TASTE)))
    assert "'tast'" in message
    assert "Did you mean 'taste'?" in message


def test_file_that_the_series_leaves_out(tmp_path: Path) -> None:
    message = refusal(make(tmp_path, "taste\n", taste=patch_text(TASTE), extra=patch_text(TASTE)))
    assert "extra.patch is not in the series" in message


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("taste\ntaste\n", "line 2: 'taste' is listed twice"),
        ("../taste\n", "'../taste' is not a valid patch name"),
        ("/etc/taste\n", "'/etc/taste' is not a valid patch name"),
        ("taste.patch\n", "Write 'taste'."),
        ("taste again\n", "'taste again' is not a valid patch name"),
    ],
)
def test_bad_line_in_the_series(tmp_path: Path, names: str, expected: str) -> None:
    assert expected in refusal(make(tmp_path, names, taste=patch_text(TASTE)))


def test_no_series_at_all(tmp_path: Path) -> None:
    assert "series" in refusal(tmp_path)


def test_find_names_the_nearest(tmp_path: Path) -> None:
    loaded = series.load(make(tmp_path, "taste\n", taste=patch_text(TASTE)))
    with pytest.raises(PatchError, match=r"(?s)'tasty'.*Did you mean 'taste'"):
        loaded.find("tasty")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "No line starts with 'diff --git'"),
        ("this is no patch\n", "No line starts with 'diff --git'"),
        (diff(TASTE), "no 'Subject:' line"),
        (HEADER + diff(TASTE), "no 'Touches:' line"),
        (HEADER + "Touches:\n" + diff(TASTE), "no 'Touches:' line"),
        (HEADER + "Subject: again\n" + diff(TASTE), "Line 4: 'Subject' is given twice"),
        (HEADER + "Touch: a\n" + diff(TASTE), "Did you mean 'Touches'?"),
        (HEADER + "some words\n" + diff(TASTE), "Line 4: expected 'Key: value', found 'some words'"),
        ("  indented\n" + diff(TASTE), "Line 1: an indented line"),
        (HEADER + "Touches: [= path =]\n" + diff(TASTE), "Line 4: variables are only allowed in the diff"),
        (HEADER + "Touches: /etc/passwd\n" + diff(TASTE), "'/etc/passwd': it is absolute"),
        (HEADER + "Touches: src/../../a\n" + diff(TASTE), "it leads out of the tree"),
        (HEADER + "Touches: a <- ../b\n" + diff(TASTE), "'../b': it leads out of the tree"),
        (HEADER + "Touches: a/.GIT/hooks/x\n" + diff(TASTE), "git's own directory"),
        (HEADER + "Touches: C:/a\n" + diff(TASTE), "Windows path"),
        (HEADER + "Touches: a since 1.2.3\n" + diff(TASTE), "each with a release tag"),
        (HEADER + "Touches: a since v1.2.3 <- b\n" + diff(TASTE), "each with a release tag"),
        (HEADER + "Touches: a\\b\n" + diff(TASTE), "Windows path"),
        (HEADER + "Touches: a//b\n" + diff(TASTE), "empty"),
        (HEADER + "Touches: a <- a\n" + diff(TASTE), "names 'a' twice"),
        (patch_text(TASTE).replace("\n", "\r\n"), "CRLF"),
    ],
)
def test_malformed_patch(text: str, expected: str) -> None:
    with pytest.raises(PatchError) as caught:
        series.parse("taste", text)
    assert expected in str(caught.value)
    assert "opencode-patcher patches show taste" in caught.value.next_step


def test_a_patch_that_is_not_text(tmp_path: Path) -> None:
    make(tmp_path, "taste\n")
    (tmp_path / "taste.patch").write_bytes(b"Subject: \xff\n")
    assert "not UTF-8" in refusal(tmp_path)
