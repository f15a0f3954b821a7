"""Our placement against git's: they agree, or ours refuses, or ours is the right one."""

from __future__ import annotations

import pytest

from opencode_patcher.base.errors import PatchError
from opencode_patcher.patchset import series
from tests.patchset.git_opinion import git_result, verify_with_git
from tests.patchset.patchset_samples import KITCHEN, PATH, TASTE, diff, hunk, patch_text, placed

RETRY = "        Effect.retry(policy),\n"
TASTED = KITCHEN.replace(RETRY, "        Effect.tap(taste),\n" + RETRY)
SERVE = KITCHEN[KITCHEN.index("    const serve") : KITCHEN.index("    return Kitchen.of")]
HEAT = hunk("-      yield* oven.heat(180)\n+      yield* oven.heat(90)\n       yield* wait(10)\n", "prepare", 15)


def git_text(text: str, *hunks: str) -> str | None:
    result = git_result(diff("".join(hunks)), {PATH: text.encode()})
    return result[PATH].decode() if result else None


@pytest.mark.parametrize("text", [KITCHEN, "// new\n" * 200 + KITCHEN, KITCHEN.replace("import", "// a\nimport", 1)])
@pytest.mark.parametrize(
    "hunks",
    [
        (TASTE,),
        (HEAT, TASTE),
        (TASTE, hunk('+import { a } from "./a"\n export * as Kitchens from "./kitchen"\n', line=48)),
    ],
    ids=["insert", "replace and insert", "insert and import"],
)
def test_both_agree_if_the_place_is_clear(text: str, hunks: tuple[str, ...]) -> None:
    ours = placed(text, *hunks)
    assert not ours.misfits
    assert ours.text == git_text(text, *hunks)


def test_git_accepts_a_copy_in_another_function_and_ours_does_not() -> None:
    # The intended line changed; a copy still has the same line.
    copy = SERVE.replace("serve", "deliver")
    text = KITCHEN.replace("policy", "plan").replace(
        SERVE.replace("policy", "plan"), copy + SERVE.replace("policy", "plan")
    )
    assert "Effect.tap(taste)" in (git_text(text, TASTE) or "")
    assert placed(text, TASTE).misfits


def test_git_chooses_the_nearest_of_two_and_ours_the_named_one() -> None:
    text = KITCHEN.replace(SERVE, SERVE.replace("serve", "deliver") + SERVE)
    wrong = git_text(text, TASTE)
    ours = placed(text, TASTE)
    assert wrong is not None
    assert wrong != ours.text
    assert wrong.index("tap(taste)") < wrong.index("const serve")
    assert ours.text.index("tap(taste)") > ours.text.index("const serve")


def test_git_accepts_a_line_in_a_comment_and_ours_does_not() -> None:
    text = KITCHEN.replace(RETRY, f"/*\n{RETRY}*/\n")
    assert git_text(text, TASTE) is not None
    assert placed(text, TASTE).misfits


@pytest.mark.parametrize(
    "text", [KITCHEN.replace("policy", "plan"), KITCHEN.replace(RETRY, RETRY.replace("        ", "\t"))]
)
def test_both_refuse(text: str) -> None:
    assert git_text(text, TASTE) is None
    assert placed(text, TASTE).misfits


def test_verify_with_git() -> None:
    patch = series.parse("taste", patch_text(TASTE.replace("taste)", "[= taste =])")))
    values = {"taste": "taste"}
    assert verify_with_git(patch, values, {PATH: KITCHEN.encode()}.get)
    assert not verify_with_git(patch, values, {PATH: KITCHEN.replace("policy", "plan").encode()}.get)
    assert not verify_with_git(patch, values, {PATH: KITCHEN.replace("\n", "\r\n").encode()}.get)
    copied = KITCHEN.replace(SERVE, SERVE.replace("serve", "deliver") + SERVE)
    with pytest.raises(PatchError, match="another place"):
        verify_with_git(patch, values, {PATH: copied.encode()}.get)
