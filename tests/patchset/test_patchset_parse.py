"""The gate: what is not a plain edit of the declared files is refused, with the reason."""

from __future__ import annotations

import pytest
from patchset_samples import HEADER, PATH, TASTE, diff, hunk, hunks_of, patch_text

from opencode_patcher.errors import PatchError
from opencode_patcher.patchset import series
from opencode_patcher.patchset.parse import parse

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
        pytest.param(GOOD.replace("@@ -27,1", "@@ -27,2"), "Hunk is shorter", id="source count too large"),
        pytest.param(GOOD.replace("+27,2", "+27,3"), "Hunk is shorter", id="result count too large"),
        pytest.param(patch_text(TASTE.replace("+27,2", "+27,1")), "parse: Hunk is longer", id="count too small"),
        pytest.param(
            patch_text(hunk(LONG).replace("-1,3 +1,3", "-1,2 +1,2")), "line 13 does not belong", id="both too small"
        ),
        pytest.param(GOOD.replace("-27,1 ", "-27 "), "needs its full '@@", id="count left out"),
        pytest.param(GOOD.removesuffix("\n"), "no newline", id="cut"),
        pytest.param(GOOD + "-- \n2.39.5\n", "line 12 does not belong", id="signature"),
        pytest.param(GOOD + "\n", "line 12 does not belong", id="blank line at the end"),
        pytest.param(GOOD.replace("@@ -27", "some words\n@@ -27"), "line 9 does not belong", id="words"),
        pytest.param(patch_text(), "does not belong|no hunk", id="no hunk"),
        pytest.param(patch_text(hunk(" a\n b\n")), "changes nothing", id="only context"),
        pytest.param(patch_text(hunk("-a\n+a\n")), "puts back", id="no difference"),
        pytest.param(patch_text(hunk("+a\n")), "no line of context", id="no context"),
        pytest.param(patch_text(hunk(" \n+a\n")), "no line of context", id="blank context"),
        pytest.param(patch_text(hunk(LONG, "if (x) {")), "names no function", id="heading"),
        pytest.param(
            GOOD + "\\ No newline at end of file\n", "newline at the end of the file", id="no newline marker"
        ),
        pytest.param(GOOD.replace("--- a/", "new file mode 100644\n--- a/"), "does more|differ", id="new file"),
        pytest.param(GOOD.replace("--- a/", "deleted file mode 100644\n--- a/"), "does more|differ", id="deletion"),
        pytest.param(
            GOOD.replace("--- a/", "old mode 100644\nnew mode 100755\n--- a/"), "old mode 100644", id="mode"
        ),
        pytest.param(
            GOOD.replace("--- a/", "similarity index 90%\nrename from a\nrename to b\n--- a/"), "similarity", id="rename"
        ),
        pytest.param(GOOD.replace("--- a/", "index aaaaaaa..bbbbbbb 120000\n--- a/"), "120000", id="symbolic link"),
        pytest.param(GOOD.replace(f"+++ b/{PATH}", "+++ b/src/x.ts"), "does not parse|differ", id="other target"),
        pytest.param(GOOD.replace(f"--- a/{PATH}", "--- a/src/x.ts"), "does not belong|differ", id="other source"),
        pytest.param(GOOD.replace(f"+++ b/{PATH}", f"+++ b/{PATH}\t2026-01-01"), "behind the path", id="time stamp"),
        pytest.param(
            HEADER + f"Touches: {PATH}\n\ndiff --git a/{PATH} b/{PATH}\nGIT binary patch\nliteral 1\nIcmZPo0ssI2\n",
            "does not belong|binary",
            id="binary",
        ),
        pytest.param(GOOD + diff(TASTE), "two parts", id="file twice"),
        pytest.param(patch_text(TASTE, touches=OTHER), f"changes '{PATH}', which its 'Touches'", id="undeclared"),
        pytest.param(
            patch_text(TASTE, touches=f"{PATH}\n {OTHER}"), f"names '{OTHER}', which it does not", id="unchanged"
        ),
        pytest.param(patch_text(TASTE).replace(PATH, "../x.ts").replace("Touches: ../x.ts", f"Touches: {PATH}"),
                     "leads out of the tree", id="path that leads out"),
        pytest.param(patch_text(TASTE).replace(PATH, "/x.ts").replace("Touches: /x.ts", f"Touches: {PATH}"),
                     "absolute", id="absolute path"),
        pytest.param(patch_text(TASTE).replace(PATH, ".git/x").replace("Touches: .git/x", f"Touches: {PATH}"),
                     "git's own", id="git directory"),
    ],
)  # fmt: skip
def test_refused(text: str, expected: str) -> None:
    message = refusal(text)
    assert any(words in message for words in expected.split("|")), message


def test_a_value_cannot_smuggle_a_line_into_a_rendered_diff() -> None:
    patch = series.parse("taste", GOOD)
    with pytest.raises(PatchError, match="does not belong"):
        parse(patch, GOOD + "+smuggled\n")
    with pytest.raises(PatchError, match="carriage return"):
        parse(patch, GOOD.replace("taste)", "taste)\r"))
