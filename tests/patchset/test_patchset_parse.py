"""Parsing: anything but a plain edit of the declared files is refused, with the reason."""

from __future__ import annotations

import pytest

from opencode_patcher.base.errors import PatchError
from opencode_patcher.patchset import series
from opencode_patcher.patchset.parse import parse
from tests.patchset.patchset_samples import PATH, TASTE, diff, hunk, hunks_of, patch_text

GOOD = patch_text(TASTE)
OTHER = "src/bar.ts"
LONG = " a\n-b\n+c\n d\n"


def refusal(text: str) -> str:
    patch = series.parse("taste", text)
    with pytest.raises(PatchError) as caught:
        parse(patch, text)
    assert "opencode-patcher patches show taste" in caught.value.next_step
    return str(caught.value)


def test_hunks_as_data() -> None:
    first, second = hunks_of(TASTE, hunk(LONG, "prepare", 40)).hunks
    assert first.source == ("        Effect.retry(policy),",)
    assert first.result == ("        Effect.tap(taste),", "        Effect.retry(policy),")
    assert (first.number, first.line, first.heading[:11]) == (1, 27, "const serve")
    assert (second.number, second.source, second.result) == (2, ("a", "b", "d"), ("a", "c", "d"))


def test_index_lines_are_welcome() -> None:
    text = GOOD.replace("--- a/", f"index {'a' * 40}..{'b' * 40} 100644\n--- a/", 1)
    assert parse(series.parse("taste", text), text)[0].path == PATH


def test_two_files_in_one_patch() -> None:
    text = patch_text(TASTE, touches=f"{PATH}\n  {OTHER}") + diff(hunk(LONG), OTHER)
    assert [file.path for file in parse(series.parse("taste", text), text)] == [PATH, OTHER]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD.replace("@@ -27,1", "@@ -27,2"), "Hunk is shorter"),
        (GOOD.replace("+27,2", "+27,3"), "Hunk is shorter"),
        (GOOD.replace("+27,2", "+27,1"), "Hunk is longer"),
        (patch_text(hunk(LONG).replace("-1,3 +1,3", "-1,2 +1,2")), "Line 13 does not belong"),
        (GOOD.replace("-27,1 ", "-27 "), "needs its full '@@"),
        (GOOD.removesuffix("\n"), "no newline"),
        (GOOD + "-- \n2.39.5\n", "Line 12 does not belong"),
        (GOOD + "\n", "blank line after hunk 1"),
        (GOOD.replace("@@ -27", "some words\n@@ -27"), "does not belong"),
        (patch_text(), "Line 7 does not belong"),
    ],
    ids=[
        "source count too large",
        "result count too large",
        "result count too small",
        "both counts too small",
        "count left out",
        "cut",
        "signature",
        "blank line at the end",
        "words",
        "no hunk",
    ],
)
def test_an_inexact_diff_is_refused(text: str, expected: str) -> None:
    assert expected in refusal(text)


@pytest.mark.parametrize(
    ("lines", "heading", "expected"),
    [
        (" a\n b\n", "", "changes nothing"),
        ("-a\n+a\n", "", "adds back"),
        ("+a\n", "", "no line of context"),
        (" \n+a\n", "", "no line of context"),
        (LONG, "if (x) {", "'if (x) {', names no function"),
        (LONG, "return Service.of({", "names no function"),
    ],
)
def test_a_hunk_with_too_little_context(lines: str, heading: str, expected: str) -> None:
    assert expected in refusal(patch_text(hunk(lines, heading)))


@pytest.mark.parametrize(
    "extra",
    [
        "new file mode 100644",
        "deleted file mode 100644",
        "old mode 100644\nnew mode 100755",
        "similarity index 90%\nrename from a\nrename to b",
        "copy from a\ncopy to b",
        "index aaaaaaa..bbbbbbb 120000",
        "GIT binary patch",
    ],
)
def test_more_than_edits(extra: str) -> None:
    message = refusal(GOOD.replace("--- a/", f"{extra}\n--- a/"))
    assert "does more" in message
    assert extra.splitlines()[0] in message


def test_the_newline_at_the_end_of_a_file_cannot_be_changed() -> None:
    assert "newline at the end of the file" in refusal(GOOD + "\\ No newline at end of file\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD.replace(f"+++ b/{PATH}", "+++ b/src/x.ts"), "does not parse"),
        (GOOD.replace(f"--- a/{PATH}", "--- a/src/x.ts"), "does not belong"),
        (GOOD.replace(f"b/{PATH}", "b/src/x.ts"), "old and new path differ"),
        (GOOD.replace(f"+++ b/{PATH}", f"+++ b/{PATH}\t2026-01-01"), "after the path"),
        (GOOD + diff(TASTE), "two parts"),
        (patch_text(TASTE, touches=OTHER), f"changes '{PATH}', which its 'Touches'"),
        (patch_text(TASTE, touches=f"{PATH}\n {OTHER}"), f"names '{OTHER}', which it does not"),
        (patch_text(TASTE, path="../x.ts", touches=PATH), "leads out of the tree"),
        (patch_text(TASTE, path="a/../../x.ts", touches=PATH), "leads out of the tree"),
        (patch_text(TASTE, path="/x.ts", touches=PATH), "absolute"),
        (patch_text(TASTE, path=".git/hooks/x", touches=PATH), "git's own"),
    ],
    ids=[
        "other target",
        "other source",
        "moved",
        "time stamp",
        "file twice",
        "undeclared",
        "declared only",
        "parent directory",
        "parent directory inside",
        "absolute",
        "git directory",
    ],
)
def test_paths_are_the_declared_ones(text: str, expected: str) -> None:
    assert expected in refusal(text)


def test_a_value_cannot_smuggle_a_line_into_a_rendered_diff() -> None:
    patch = series.parse("taste", GOOD)
    with pytest.raises(PatchError, match="does not belong"):
        parse(patch, GOOD + "+smuggled\n")
    with pytest.raises(PatchError, match="carriage return"):
        parse(patch, GOOD.replace("taste)", "taste)\r"))
