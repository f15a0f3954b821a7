"""Writing patches back: byte-stable without a change, and never a hunk that could land elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import assume, event, example, given
from hypothesis import strategies as st

from opencode_patcher.base.errors import PatchError
from opencode_patcher.patchset import series
from opencode_patcher.patchset.compose import outcomes
from opencode_patcher.patchset.parse import parse
from opencode_patcher.patchset.refresh import Edited, refreshed
from opencode_patcher.patchset.render import render_patch
from opencode_patcher.patchset.series import Patch
from tests.upkeep.mend_samples import KITCHEN, KITCHEN_TEXT, LABEL, MENU, MENU_TEXT, TASTE

VALUES = {"release_tag": "v1.20.0"}


def applied(patch: Patch, before: str, path: str = KITCHEN) -> str:
    (found,) = outcomes(patch, VALUES, {path: before.encode()}.get)
    assert found.placed is not None
    assert found.placed.misfits == ()
    return found.placed.text


def rewritten(text: str, before: str, after: str, path: str = KITCHEN) -> str:
    """The patch file after it was made to turn ``before`` into ``after``; it does, or this fails."""
    patch = series.parse("sample", text)
    (target,) = patch.header.touches
    made = refreshed(patch, [Edited(target=target, path=path, before=before, after=after)], VALUES)
    assert applied(series.parse("sample", made), before, path) == after
    return made


def rewritten_or_refused(text: str, before: str, after: str) -> str | PatchError:
    try:
        return rewritten(text, before, after)
    except PatchError as error:
        return error


def headings(text: str) -> list[str]:
    return [hunk.heading for hunk in parse(series.parse("sample", text), render_patch("sample", text, VALUES))[0].hunks]


TASTED = applied(series.parse("taste", TASTE), KITCHEN_TEXT)
LABELLED = applied(series.parse("label", LABEL), MENU_TEXT, MENU)


def test_without_a_change_nothing_changes() -> None:
    assert rewritten(TASTE, KITCHEN_TEXT, TASTED) == TASTE
    assert rewritten(LABEL, MENU_TEXT, LABELLED, MENU) == LABEL


def test_another_release_does_not_change_it_either() -> None:
    longer = "// a note\n" * 7 + KITCHEN_TEXT
    assert rewritten(TASTE, longer, applied(series.parse("taste", TASTE), longer)) == TASTE


def test_a_changed_hunk_is_rewritten_and_the_other_stays() -> None:
    made = rewritten(TASTE, KITCHEN_TEXT, TASTED.replace("taste(plate)", "taste(plate, guest)"))
    assert "+  CombinedTaste.taste(plate, guest)\n   return carry(plate, guest)\n" in made
    assert '+import { CombinedTaste } from "./combined/taste"\n export * as Kitchen' in made
    assert headings(made) == ["serve", ""]
    assert made.startswith(TASTE.split("diff --git")[0])


def test_a_new_edit_gets_its_own_hunk_with_its_function() -> None:
    made = rewritten(TASTE, KITCHEN_TEXT, TASTED.replace("oven.heat(180)", "oven.heat(200)"))
    assert headings(made) == ["prepare", "serve", ""]
    assert "@@ -5,1 +5,1 @@ prepare\n-  oven.heat(180)\n+  oven.heat(200)\n" in made
    assert "@@ -14,1 +15,2 @@\n" in made


def test_a_removed_edit_is_removed_from_the_patch() -> None:
    made = rewritten(TASTE, KITCHEN_TEXT, TASTED.replace("  CombinedTaste.taste(plate)\n", ""))
    assert headings(made) == [""]


def test_a_hunk_gets_context_until_it_has_one_place() -> None:
    twice = KITCHEN_TEXT.replace("  oven.heat(180)\n", "  oven.heat(180)\n  wait()\n  oven.heat(180)\n  rest()\n")
    tasted = applied(series.parse("taste", TASTE), twice)
    made = rewritten(TASTE, twice, tasted.replace("heat(180)\n  rest", "heat(90)\n  rest"))
    assert "-  oven.heat(180)\n+  oven.heat(90)\n   rest()\n" in made


def test_variables_stay_where_they_were() -> None:
    edited = LABELLED.replace("return `", "return `# ")
    made = rewritten(LABEL, MENU_TEXT, edited, MENU)
    assert "[= release_tag | tojson =]" in made
    assert "v1.20.0" not in made


def test_an_edit_inside_a_hunk_with_variables_is_for_a_person() -> None:
    with pytest.raises(PatchError, match="has variables") as caught:
        rewritten(LABEL, MENU_TEXT, LABELLED.replace('"v1.20.0"', '"v1.20.0".slice(1)'), MENU)
    assert "label.patch" not in str(caught.value)
    assert "by hand" in caught.value.next_step


def test_a_patch_that_no_longer_does_anything() -> None:
    with pytest.raises(PatchError, match="no longer changes"):
        rewritten(TASTE, KITCHEN_TEXT, KITCHEN_TEXT)


def test_an_ambiguous_change() -> None:
    same = "".join("  wait()\n" for _ in range(40))
    long = KITCHEN_TEXT.replace("  oven.heat(180)\n", same)
    tasted = applied(series.parse("taste", TASTE), long)
    lines = tasted.split("\n")
    lines[20] = "  rest()"
    with pytest.raises(PatchError, match="no place of its own"):
        rewritten(TASTE, long, "\n".join(lines))


def test_a_moved_file_gets_its_new_place_in_touches() -> None:
    patch = series.parse("taste", TASTE)
    (target,) = patch.header.touches
    new = "packages/opencode/src/cooking/kitchen.ts"
    made = refreshed(patch, [Edited(target=target, path=new, before=KITCHEN_TEXT, after=TASTED)], VALUES)
    assert f"Touches: {new} <- {KITCHEN}\n" in made
    again = series.parse("taste", made)
    assert again.header.touches[0].places == (new, KITCHEN)
    assert applied(again, KITCHEN_TEXT, new) == TASTED
    assert applied(again, KITCHEN_TEXT, KITCHEN) == TASTED


def edited(text: str, changes: Sequence[tuple[bool, int, str]]) -> str:
    """A text after changes, one after the other: a line put in before another one, or put in its place."""
    lines = text.splitlines(keepends=True)
    for insert, at, line in changes:
        at %= len(lines)
        lines[at : at if insert else at + 1] = [line]
    return "".join(lines)


TOUCHING = f"""\
Subject: Warm the plate before serving
Why: Guests complain.
Obsolete-When: the kitchen warms plates by itself
Touches: {KITCHEN}

diff --git a/{KITCHEN} b/{KITCHEN}
--- a/{KITCHEN}
+++ b/{KITCHEN}
@@ -10,1 +10,2 @@ serve
   const plate = prepare(dish)
+  rest()
@@ -11,1 +12,2 @@ serve
+  rest()
   return carry(plate, guest)
"""
"""Two hunks without a line between them, which add the same line."""

REPEATED = [(True, 5, "  rest()\n"), (True, 7, "  rest()\n"), (True, 11, "  rest()\n"), (True, 15, "\n")]
"""Edits that put in lines like those beside them; a refresh once ended in StopIteration with them."""


@pytest.mark.parametrize("text", [TASTE, TOUCHING], ids=["apart", "touching"])
def test_edits_that_repeat_a_line_beside_a_hunk(text: str) -> None:
    after = edited(applied(series.parse("sample", text), KITCHEN_TEXT), REPEATED)
    made = rewritten(text, KITCHEN_TEXT, after)
    assert rewritten(made, KITCHEN_TEXT, after) == made


def test_an_insert_between_adjacent_hunks_is_written_with_one_of_them() -> None:
    warmed = applied(series.parse("sample", TOUCHING), KITCHEN_TEXT)
    made = rewritten(TOUCHING, KITCHEN_TEXT, warmed.replace("  rest()\n  rest()\n", "  rest()\n  x()\n  rest()\n"))
    assert "+  x()\n" in made


def test_changes_without_separate_places_share_a_hunk() -> None:
    same = KITCHEN_TEXT.replace("  oven.heat(180)\n", "  wait()\n" * 20)
    tasted = applied(series.parse("taste", TASTE), same)
    lines = tasted.split("\n")
    lines[6], lines[8] = "  x()", "  y()"
    made = rewritten(TASTE, same, "\n".join(lines))
    assert headings(made) == ["prepare", "serve", ""]


lines = st.sampled_from(
    [
        "  rest()\n",
        "\n",
        "  oven.heat(180)\n",
        "}\n",
        "  const plate = prepare(dish)\n",
        "// it's\n",
        "  CombinedTaste.taste(plate)\n",
        "  return carry(plate, guest)\n",
    ]
)
edits = st.lists(st.tuples(st.booleans(), st.integers(0, 20), lines), min_size=1, max_size=6)


@given(st.sampled_from([TASTE, TOUCHING]), edits, st.booleans())
@example(TASTE, REPEATED, False)
@example(TASTE, [(False, 2, "}\n"), (False, 15, "}\n"), (False, 12, "  rest()\n")], False)
def test_the_patch_makes_exactly_the_edit_or_is_refused(
    text: str, changes: list[tuple[bool, int, str]], crlf: bool
) -> None:
    before, after = KITCHEN_TEXT, edited(applied(series.parse("sample", text), KITCHEN_TEXT), changes)
    if crlf:
        before, after = before.replace("\n", "\r\n"), after.replace("\n", "\r\n")
    assume(before != after)
    made = rewritten_or_refused(text, before, after)
    if isinstance(made, PatchError):
        event("refused")
        assert made.why
        assert made.next_step
    else:
        assert rewritten(made, before, after) == made
