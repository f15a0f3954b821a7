"""Inserts that have their place and cannot work there."""

from __future__ import annotations

import pytest

from opencode_patcher.base.errors import PatchError
from opencode_patcher.patchset import series
from opencode_patcher.patchset.compose import compose, outcomes
from opencode_patcher.patchset.series import Series
from tests.patchset.patchset_samples import PATH, hunk, patch_text

WAITER = """\
import { Oven } from "./oven"

type Taste = string

export class Waiter {
  handle(event: Event) {
    switch (event.type) {
      case "order":
        this.order(event)
        return
      case "bill": {
        const sum = this.sum(event)
        return this.bill(sum)
      }
      case "ring":
      case "call":
        return this.call(event)
    }
  }

  call(guest: string) {
    if (guest === "nobody")
      return undefined
    const table = find(guest)
    return table
  }

  bring(dish: string, { guest, table }: Order) {
    for (const taste of tastes(dish)) {
      log(`the ${taste} of ${dish}`)
    }
    try {
      carry(dish, table)
    } catch (fault) {
      report(fault)
      throw fault
    }
    return dishes.map((plate) => {
      wash(plate)
      return plate
    })
  }
}

export * as Waiters from "./waiter"
"""


END = 'export * as Waiters from "./waiter"'


def found(*hunks: str, text: str = WAITER) -> list[tuple[int, str]]:
    """What is wrong with the hunks, with the lines in the text that they make."""
    patch = series.parse("sample", patch_text(*hunks))
    (outcome,) = outcomes(patch, {}, {PATH: text.encode()}.get)
    assert outcome.placed is not None
    assert outcome.placed.misfits == ()
    return [(flaw.line, flaw.what) for flaw in outcome.flaws]


def insert(lines: str, before: str, heading: str) -> str:
    """A hunk that puts ``lines`` before one line of the text."""
    return hunk("".join(f"+{line}\n" for line in lines.splitlines()) + f" {before}\n", heading)


@pytest.mark.parametrize("label", ['case "order":', "case 'order':", 'case "bill": {', 'case "call":'])
def test_a_label_that_the_switch_already_has(label: str) -> None:
    end = "        break\n      }" if label.endswith("{") else "        break"
    [(line, what)] = found(insert(f"      {label}\n{end}", '      case "ring":', "handle"))
    assert line == 15
    name = label.rstrip(" {").rstrip(":").replace("'", '"')
    assert f"the switch already has '{name}', on line" in what


def test_a_new_label_is_fine_even_twice_in_nested_switches() -> None:
    inner = """\
      case "tip":
        switch (event.coin) {
          case "order":
            return
        }
        break"""
    assert found(insert(inner, '      case "ring":', "handle")) == []


def test_two_hunks_with_one_label() -> None:
    one = insert('      case "tip":\n        return', '      case "order":', "handle")
    other = insert('      case "tip":\n        break', '      case "ring":', "handle")
    assert [line for line, _ in found(one, other)] == [8, 17]


@pytest.mark.parametrize(
    ("hunks", "line"),
    [
        pytest.param([insert("        this.tip()", '      case "bill": {', "handle")], 11, id="behind a return"),
        pytest.param([hunk("     return table\n+    this.tip()\n", "call")], 26, id="at the end of a function"),
        pytest.param([hunk("       throw fault\n+      rest()\n", "bring")], 37, id="behind a throw"),
        pytest.param([hunk("       return plate\n+      rest()\n", "bring")], 41, id="in a callback"),
        pytest.param(
            [hunk("         return this.bill(sum)\n+        rest()\n", 'case "bill"')], 14, id="in a case block"
        ),
    ],
)
def test_a_statement_that_is_never_reached(hunks: list[str], line: int) -> None:
    assert [(at, "never reached" in what) for at, what in found(*hunks)] == [(line, True)]


def test_a_return_that_cuts_off_what_follows() -> None:
    [(line, what)] = found(insert("    return", "    const table = find(guest)", "call"))
    assert (line, what) == (24, "it leaves the block, so that line 25 is never reached")


@pytest.mark.parametrize(
    ("lines", "before", "heading"),
    [
        ("    if (closed) return", "    const table = find(guest)", "call"),
        ("    rest()", "    const table = find(guest)", "call"),
        ("    if (closed) {\n      return\n    }", "    const table = find(guest)", "call"),
        ("    function later() {}", "    return table", "call"),
        ('      case "tip":\n        return', '      case "order":', "handle"),
        ('      case "tip":\n        return', '      case "ring":', "handle"),
        ("      rest()", "      throw fault", "bring"),
    ],
)
def test_reachable_code_is_fine(lines: str, before: str, heading: str) -> None:
    assert found(insert(lines, before, heading)) == []


@pytest.mark.parametrize(
    ("lines", "before", "heading", "what"),
    [
        ("    const table = 1", "    return table", "call", "table, which line 24 already declares"),
        ("    const guest = 1", "    return table", "call", "guest, which line 21 already declares"),
        ("    let table = 1", "    return dishes.map((plate) => {", "bring", "table, which line 28 already declares"),
        ("      const dish = 1", "      carry(dish, table)", "bring", "dish, which line 28 already declares"),
        ("      const fault = 1", "      report(fault)", "bring", "fault, which line 34 already declares"),
        ("    const Oven = 1", "    return table", "call", "Oven, which line 1 already declares"),
        (
            'import { Oven } from "@/combined/oven"',
            'export * as Waiters from "./waiter"',
            "",
            "Oven, which line 1 already declares",
        ),
        ("type Taste = number", 'export * as Waiters from "./waiter"', "", "Taste, which line 3 already declares"),
    ],
)
def test_a_name_that_is_already_declared_there(lines: str, before: str, heading: str, what: str) -> None:
    assert [said for _, said in found(insert(lines, before, heading))] == [f"it declares {what}"]


@pytest.mark.parametrize(
    ("lines", "before", "heading"),
    [
        ("    const sum = 1", "    return table", "call"),
        ("    const taste = 1", "    return dishes.map((plate) => {", "bring"),
        ("    const plate = 1", "    return dishes.map((plate) => {", "bring"),
        ("    const plates = dishes.map((table) => table)", "    return table", "call"),
        ("    function later() {\n      const rest = 1\n    }", "    return table", "call"),
        ("const Taste = 1", END, ""),
    ],
)
def test_the_same_name_elsewhere_is_fine(lines: str, before: str, heading: str) -> None:
    assert found(insert(lines, before, heading)) == []


def test_the_word_type_of_an_import_is_not_a_name() -> None:
    first = insert('import { Table, type Chair } from "./room"', 'import { Oven } from "./oven"', "")
    second = insert('import type { Plate } from "@/combined/plate"', "type Taste = string", "")
    assert found(first, second) == []


def test_a_member_called_type_declares_nothing_on_the_next_line() -> None:
    lines = "    if (isHost(guest)) return guest.type\n    if (Oven.ready) carry(guest)"
    assert found(insert(lines, "    return table", "call")) == []


def test_an_import_that_is_hidden_where_it_is_used() -> None:
    imported = insert('import { plate } from "@/combined/plate"', 'export * as Waiters from "./waiter"', "")
    used = insert("      plate.warm()", "      wash(plate)", "bring")
    assert [what for _, what in found(used, imported)] == ["plate is not the import there, but what line 38 declares"]
    elsewhere = insert("    plate.warm()", "    return table", "call")
    assert found(elsewhere, imported) == []


def test_a_build_is_refused_with_the_place() -> None:
    patch = series.parse(
        "sample", patch_text(insert('      case "order":\n        break', '      case "ring":', "handle"))
    )
    with pytest.raises(PatchError, match=r"the switch already has 'case \"order\"', on line 8") as caught:
        compose(Series(patches=(patch,)), [], {}, {PATH: WAITER.encode()}.get)
    assert f"{PATH}:15 in Waiter > handle" in caught.value.what
    assert caught.value.next_step
