"""Reading TypeScript: what is code, and which declaration encloses a place."""

from __future__ import annotations

import pytest

from opencode_patcher.patchset.typescript.lexer import scan
from opencode_patcher.patchset.typescript.outline import Outline, heading_path
from tests.patchset.patchset_samples import KITCHEN


def enclosing(text: str, needle: str) -> str:
    """The full name of what encloses the start of the line with ``needle``."""
    source = scan(text)
    assert not source.problem
    line = source.line_of(text.index(needle))
    found = Outline(source).enclosing(source.starts[line])
    return found.name if found else ""


@pytest.mark.parametrize(
    ("needle", "name"),
    [
        ("import {", ""),
        ("price: number", "type Dish"),
        ("const oven", "layer"),
        ("oven.heat", "layer > prepare"),
        ("guest: string,\n    )", "layer > serve"),
        ("const plate", "layer > serve"),
        ("Effect.retry(policy)", "layer > serve"),
        ("return Kitchen.of", "layer"),
        ("async call", "Waiter"),
        ("return undefined", "Waiter > call"),
        ("return false", "Waiter > busy"),
        ("export * as", ""),
    ],
)
def test_enclosing_declaration(needle: str, name: str) -> None:
    assert enclosing(KITCHEN, needle) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("function a<T>(\n  x: T,\n): T {\n  HERE\n}\n", "a"),
        ("export default async function* a() {\n  HERE\n}\n", "a"),
        ("const a =\n  (x) => {\n    HERE\n  }\n", "a"),
        ("const a = (x) =>\n  run(x, {\n    HERE\n  })\n", "a"),
        ("const a = start\n  .pipe(\n    HERE\n  )\n", "a"),
        ("const a = pipe<\n  X,\n  Y\n>(function* () {\n  HERE\n})\n", "a"),
        ("function a() {\n  const b = {\n    HERE\n  }\n}\n", "a"),
        ("function a() {\n  const b = list.map((x) => {\n    HERE\n  })\n}\n", "a > b"),
        ("function a() {\n  if (x) {\n    y()\n  } else {\n    HERE\n  }\n}\n", "a"),
        ("function a() {\n  return {\n    set: (x) => {\n      HERE\n    },\n  }\n}\n", "a > set"),
        ("function a() {\n  switch (x) {\n    case \"b\": {\n      HERE\n    }\n  }\n}\n", 'a > case "b"'),
        ("function a() {\n  switch (x) {\n    default: {\n      HERE\n    }\n  }\n}\n", "a > default"),
        ("function a() {\n}\nfunction b() {\n  HERE\n}\n", "b"),
        ("function a() {\n  b(() => {\n  })\n  HERE\n}\n", "a"),
        ("class A {\n  static async b(x: { y: number }): Promise<void> {\n    HERE\n  }\n}\n", "A > b"),
        ("class A {\n  b() {\n  }\n\n  HERE\n}\n", "A"),
        ("namespace A {\n  export enum B {\n    HERE\n  }\n}\n", "A > B"),
        ("function a() {\n  // function b() {\n  HERE\n}\n", "a"),
        ("function a() {\n  const s = `function b() {\n  ${() => {\n    HERE\n  }}`\n}\n", "a"),
        ("function a() {\n  const s = \"function b() {\"\n  HERE\n}\n", "a"),
        ("function a() {\n  x = /[`'\"{(]/.test(y)\n  HERE\n}\n", "a"),
        ("function a() {\n  return (\n    <b>\n      Don't\n      {c(() => (\n  HERE\n))}</b>)\n}\n", "a"),
        ("call(function () {\n  HERE\n})\n", ""),
        ("while (a) {\n  HERE\n}\n", ""),
    ],
)  # fmt: skip
def test_enclosing_declaration_of_many_shapes(text: str, name: str) -> None:
    assert enclosing(text, "HERE") == name


def test_a_type_and_a_value_with_one_name_are_distinguished() -> None:
    text = "export const Info = Struct({\n  one,\n})\nexport type Info = {\n  two: string\n}\n"
    assert enclosing(text, "one") == "Info"
    assert enclosing(text, "two") == "type Info"


@pytest.mark.parametrize(
    ("heading", "path"),
    [
        ("", ()),
        ('const process = Effect.fn("S.process")(function* (input: In) {', ("process",)),
        ("export const Info = Schema.Struct({", ("Info",)),
        ("export type Info = {", ("type Info",)),
        ("async call(guest: string) {", ("call",)),
        ("set: (info) => {", ("set",)),
        ('case "tool-call": {', ('case "tool-call"',)),
        ("layer > create > process", ("layer", "create", "process")),
        ('handle > case "tool-call"', ("handle", 'case "tool-call"')),
        ("class Waiter > get busy() {", ("Waiter", "busy")),
        ("return Service.of({", ("",)),
        ("if (x) {", ("",)),
    ],
)
def test_heading(heading: str, path: tuple[str, ...]) -> None:
    assert heading_path(heading) == path


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a(\n", "line 1"),
        ("a\n)\n", "line 2"),
        ("`a\n", "line 1"),
        ("a\n/* b\n", "line 2"),
        ("(a]\n", "line 1"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(text: str, line: str) -> None:
    assert scan(text).problem.startswith(line)


def test_code_keeps_its_length_and_its_lines() -> None:
    text = "a // ü (\nb = `x ${y(`z)`)} (`\r\nc = '(' /* (\n( */ + /\\/(/\n"
    source = scan(text)
    assert not source.problem
    assert len(source.code) == len(text)
    assert [i for i, c in enumerate(source.code) if c == "\n"] == [i for i, c in enumerate(text) if c == "\n"]
    assert "z" not in source.code


def test_lines_inside_comments_and_literals_are_known() -> None:
    text = 'a\n/*\nb\n*/\n`\nc ${\nd\n} e\nf`\n"g\\\nh"\ni\n'
    source = scan(text)
    kinds = {line: source.text_around(number) for number, line in enumerate(text.splitlines()) if line.strip()}
    assert kinds["b"] == "comment"
    assert kinds["c ${"] == "template literal"
    assert kinds["d"] == ""
    assert kinds["f`"] == "template literal"
    assert kinds['h"'] == "string"
    assert kinds["a"] == kinds["i"] == ""
