"""Writing patches back: byte-stable without a change, and never a hunk that could land elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from opencode_patcher.base.errors import PatchError
from opencode_patcher.patchset import series
from opencode_patcher.patchset.compose import outcomes
from opencode_patcher.patchset.parse import parse
from opencode_patcher.patchset.refresh import Edited, refreshed
from opencode_patcher.patchset.render import render_patch
from opencode_patcher.patchset.series import Patch
from tests.upkeep.mend_samples import KITCHEN, KITCHEN_TEXT, LABEL, MENU, MENU_TEXT, TASTE

VALUES = {"release_tag": "v2.0.0"}


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


def test_a_changed_hunk_is_written_anew_and_the_other_stays() -> None:
    made = rewritten(TASTE, KITCHEN_TEXT, TASTED.replace("taste(plate)", "taste(plate, guest)"))
    assert "+  CombinedTaste.taste(plate, guest)\n   return carry(plate, guest)\n" in made
    assert '+import { CombinedTaste } from "./combined/taste"\n export * as Kitchen' in made
    assert headings(made) == ["serve", ""]
    assert made.startswith(TASTE.split("diff --git")[0])


def test_a_new_edit_gets_a_hunk_of_its_own_with_the_function_that_it_is_in() -> None:
    made = rewritten(TASTE, KITCHEN_TEXT, TASTED.replace("oven.heat(180)", "oven.heat(200)"))
    assert headings(made) == ["prepare", "serve", ""]
    assert "@@ -5,1 +5,1 @@ prepare\n-  oven.heat(180)\n+  oven.heat(200)\n" in made
    assert "@@ -14,1 +15,2 @@\n" in made


def test_an_edit_that_was_taken_out_is_taken_out() -> None:
    made = rewritten(TASTE, KITCHEN_TEXT, TASTED.replace("  CombinedTaste.taste(plate)\n", ""))
    assert headings(made) == [""]


def test_a_hunk_grows_until_it_has_one_place() -> None:
    twice = KITCHEN_TEXT.replace("  oven.heat(180)\n", "  oven.heat(180)\n  wait()\n  oven.heat(180)\n  rest()\n")
    tasted = applied(series.parse("taste", TASTE), twice)
    made = rewritten(TASTE, twice, tasted.replace("heat(180)\n  rest", "heat(90)\n  rest"))
    assert "-  oven.heat(180)\n+  oven.heat(90)\n   rest()\n" in made


def test_variables_stay_where_they_were() -> None:
    edited = LABELLED.replace("return `", "return `# ")
    made = rewritten(LABEL, MENU_TEXT, edited, MENU)
    assert "[= release_tag | tojson =]" in made
    assert "v2.0.0" not in made


def test_an_edit_inside_a_hunk_with_variables_is_for_a_person() -> None:
    with pytest.raises(PatchError, match="holds variables") as caught:
        rewritten(LABEL, MENU_TEXT, LABELLED.replace('"v2.0.0"', '"v2.0.0".slice(1)'), MENU)
    assert "label.patch" not in str(caught.value)
    assert "by hand" in caught.value.next_step


def test_a_patch_that_does_nothing_any_more() -> None:
    with pytest.raises(PatchError, match="no longer changes"):
        rewritten(TASTE, KITCHEN_TEXT, KITCHEN_TEXT)


def test_a_change_that_cannot_be_told_apart() -> None:
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


LINES = TASTED.splitlines(keepends=True)
lines = st.sampled_from(
    ["  rest()\n", "\n", "  oven.heat(180)\n", "}\n", "  const plate = prepare(dish)\n", "// it's\n"]
)
edits = st.lists(st.tuples(st.booleans(), st.integers(0, len(LINES) - 1), lines), min_size=1, max_size=4)


@settings(deadline=None)
@given(edits, st.booleans())
def test_whatever_was_edited_the_patch_makes_exactly_that_or_is_refused(
    changes: list[tuple[bool, int, str]], crlf: bool
) -> None:
    after = list(LINES)
    for insert, at, text in changes:
        after[at : at if insert else at + 1] = [text]
    before, edited = KITCHEN_TEXT, "".join(after)
    if crlf:
        before, edited = before.replace("\n", "\r\n"), edited.replace("\n", "\r\n")
    assume(before != edited)
    try:
        made = rewritten(TASTE, before, edited)
    except PatchError:
        return
    assert rewritten(made, before, edited) == made
