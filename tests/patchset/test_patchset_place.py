"""A hunk lands exactly where it belongs, or is refused with the right reason."""

from __future__ import annotations

import pytest

from tests.patchset.patchset_samples import KITCHEN, TASTE, hunk, placed, reasons

RETRY = "        Effect.retry(policy),\n"
TASTED = KITCHEN.replace(RETRY, "        Effect.tap(taste),\n" + RETRY)
SERVE = KITCHEN[KITCHEN.index("    const serve") : KITCHEN.index("    return Kitchen.of")]
PREPARE = KITCHEN[KITCHEN.index("    const prepare") : KITCHEN.index("    const serve")]


def test_fits_at_the_stated_line() -> None:
    outcome = placed(KITCHEN, TASTE)
    assert outcome.text == TASTED
    (placement,) = outcome.placements
    assert (placement.line, placement.function, placement.offset) == (27, "layer > serve", 0)
    assert not placement.already


def test_fits_at_another_line_and_reports_the_offset() -> None:
    outcome = placed("// new\n" * 300 + KITCHEN, TASTE)
    assert outcome.text == "// new\n" * 300 + TASTED
    assert outcome.placements[0].offset == 300


def test_replacement_removal_and_several_hunks() -> None:
    outcome = placed(
        KITCHEN,
        hunk("-      yield* oven.heat(180)\n+      yield* oven.heat(200)\n", "prepare"),
        hunk("-      return undefined\n", "call"),
        hunk('+import { taste } from "./taste"\n export * as Kitchens from "./kitchen"\n'),
    )
    expected = KITCHEN.replace("heat(180)", "heat(200)").replace("      return undefined\n", "")
    expected = expected.replace("export * as", 'import { taste } from "./taste"\nexport * as')
    assert outcome.text == expected
    assert [placement.function for placement in outcome.placements] == [
        "layer > prepare",
        "Waiter > call",
        "",
    ]


def test_insertion_at_the_very_end_of_the_file() -> None:
    outcome = placed(KITCHEN, hunk(' export * as Kitchens from "./kitchen"\n+export default 1\n'))
    assert outcome.text == KITCHEN + "export default 1\n"


def test_a_duplicate_in_another_function_does_not_matter() -> None:
    copied = KITCHEN.replace(SERVE, SERVE.replace("serve", "deliver") + SERVE)
    outcome = placed(copied, TASTE)
    head, tail = copied.split("    const serve")
    assert outcome.text == head + "    const serve" + tail.replace(RETRY, "        Effect.tap(taste),\n" + RETRY)


def test_a_duplicate_in_the_same_function_is_refused() -> None:
    doubled = KITCHEN.replace(RETRY, RETRY + "        Effect.tap(wait),\n" + RETRY)
    outcome = placed(doubled, TASTE)
    assert reasons(outcome) == ["AMBIGUOUS"]
    assert [line for line, _ in outcome.misfits[0].found] == [27, 29]
    assert outcome.text == doubled


def test_lines_that_moved_to_another_function_are_refused() -> None:
    moved = KITCHEN.replace(RETRY, "").replace("wait(10)", "wait(10).pipe(\n" + RETRY + "      )")
    outcome = placed(moved, TASTE)
    assert reasons(outcome) == ["OTHER_FUNCTION"]
    assert outcome.misfits[0].found[0][1] == "layer > prepare"


def test_a_renamed_function_is_refused() -> None:
    assert reasons(placed(KITCHEN.replace("const serve", "const bring"), TASTE)) == ["OTHER_FUNCTION"]


def test_lines_in_a_nested_function_are_refused() -> None:
    nested = KITCHEN.replace("return yield* carry", "const inner = () => carry")
    assert reasons(placed(nested, TASTE)) == ["OTHER_FUNCTION"]


def test_a_second_function_of_that_name_is_refused_until_the_heading_says_which() -> None:
    # Upstream removed the line from our function; another function with that name has it now.
    namesake = KITCHEN.replace(RETRY, "") + "function serve() {\n  go(\n" + RETRY + "  )\n}\n"
    outcome = placed(namesake, TASTE)
    assert reasons(outcome) == ["FUNCTION_AMBIGUOUS"]
    assert "line 20 (layer > serve)" in outcome.misfits[0].detail
    taste = "+        Effect.tap(taste),\n" + " " + RETRY
    assert reasons(placed(namesake, hunk(taste, "layer > serve"))) == ["OTHER_FUNCTION"]
    assert (
        placed(KITCHEN + "function serve() {\n}\n", hunk(taste, "layer > serve")).text
        == TASTED + "function serve() {\n}\n"
    )


def test_hooks_follow_reordered_functions() -> None:
    swapped = KITCHEN.replace(PREPARE, "").replace(SERVE, SERVE + PREPARE)
    assert placed(swapped, TASTE).text == swapped.replace(RETRY, "        Effect.tap(taste),\n" + RETRY)


def test_hunks_of_one_patch_stay_in_order() -> None:
    heat = hunk("+      // hot\n       yield* oven.heat(180)\n", "prepare")
    assert not placed(KITCHEN, heat, TASTE).misfits
    outcome = placed(KITCHEN, TASTE, heat)
    assert reasons(outcome) == ["OUT_OF_ORDER"]
    assert outcome.text == KITCHEN


def test_hunks_do_not_overlap() -> None:
    assert reasons(placed(KITCHEN, TASTE, TASTE.replace("taste", "smell"))) == ["OUT_OF_ORDER"]


@pytest.mark.parametrize(
    "changed",
    [
        KITCHEN.replace("Effect.retry(policy)", "Effect.retry(plan)"),
        KITCHEN.replace(RETRY, RETRY.replace("        ", "\t\t\t\t")),
        KITCHEN.replace(RETRY, RETRY.replace("        ", "      ")),
        KITCHEN.replace(RETRY, RETRY.replace(",\n", ", \n")),
    ],
    ids=["renamed variable", "tabs", "other indentation", "trailing blank"],
)
def test_lines_that_differ_at_all_are_refused(changed: str) -> None:
    outcome = placed(changed, TASTE)
    assert reasons(outcome) == ["NOT_FOUND"]
    assert outcome.text == changed


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("/*\n", "*/\n", "comment"),
        ("const text = `\n", "`\n", "template literal"),
        ("/** a\n", " */\n", "comment"),
    ],
)
def test_a_target_inside_a_comment_or_literal_is_refused(before: str, after: str, kind: str) -> None:
    hidden = KITCHEN.replace(RETRY, before + RETRY + after)
    outcome = placed(hidden, TASTE)
    assert reasons(outcome) == ["IN_TEXT"]
    assert kind in outcome.misfits[0].detail


def test_a_copy_inside_a_comment_does_not_count() -> None:
    commented = KITCHEN.replace("      const plate", "/*\n" + RETRY + "*/\n      const plate")
    outcome = placed(commented, TASTE)
    head, tail = commented.split("const plate")
    assert outcome.text == head + "const plate" + tail.replace(RETRY, "        Effect.tap(taste),\n" + RETRY)


def test_an_insertion_into_a_literal_that_opens_on_its_context_is_refused() -> None:
    text = KITCHEN.replace("return dish\n", "const s = `\n  x\n`\n")
    assert reasons(placed(text, hunk("       const s = `\n+  added\n", "prepare"))) == ["IN_TEXT"]


def test_crlf_stays_crlf() -> None:
    outcome = placed(KITCHEN.replace("\n", "\r\n"), TASTE)
    assert outcome.text == TASTED.replace("\n", "\r\n")


def test_mixed_line_endings_follow_the_neighbour() -> None:
    mixed = KITCHEN.replace(RETRY, RETRY.replace("\n", "\r\n"))
    assert placed(mixed, TASTE).text == mixed.replace(
        "        Effect.retry", "        Effect.tap(taste),\r\n        Effect.retry"
    )


def test_a_last_line_without_newline_does_not_match() -> None:
    text = KITCHEN.removesuffix("\n")
    assert reasons(placed(text, hunk('+x\n export * as Kitchens from "./kitchen"\n'))) == ["NOT_FOUND"]
    assert placed(text, TASTE).text == TASTED.removesuffix("\n")


def test_an_existing_result_is_left_alone() -> None:
    outcome = placed("\n" + TASTED, TASTE)
    assert outcome.text == "\n" + TASTED
    assert [placement.already for placement in outcome.placements] == [True]
    assert outcome.placements[0].line == 28


def test_a_result_in_another_function_is_not_already() -> None:
    elsewhere = TASTED.replace("const serve", "const bring").replace(
        "    return Kitchen.of", SERVE + "    return Kitchen.of"
    )
    outcome = placed(elsewhere, TASTE)
    assert [placement.already for placement in outcome.placements] == [False]
    assert outcome.text.count("Effect.tap(taste)") == 2


def test_a_changed_line_does_not_count_as_removed() -> None:
    remove = hunk("       const plate = yield* oven.take(dish)\n-      return dish\n", "serve")
    assert reasons(placed(KITCHEN, remove)) == ["NOT_FOUND"]


def test_a_file_whose_brackets_do_not_match_is_refused() -> None:
    outcome = placed(KITCHEN + ")\n", TASTE)
    assert reasons(outcome) == ["UNREADABLE"]
    assert "line 49" in outcome.misfits[0].detail


def test_a_missing_function_is_reported_as_missing() -> None:
    assert reasons(placed(KITCHEN.replace(SERVE, ""), TASTE)) == ["FUNCTION_GONE"]


def test_a_file_that_is_not_typescript_has_only_a_top_level() -> None:
    text = '{\n  "a": 1,\n  "b": 2\n}\n'
    insert = '+  "c": 3,\n   "b": 2\n'
    assert placed(text, hunk(insert), path="a.json").text == text.replace('  "b"', '  "c": 3,\n  "b"')
    assert reasons(placed(text, hunk(insert, "const a = {"), path="a.json")) == ["OTHER_FUNCTION"]
