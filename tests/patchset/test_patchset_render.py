"""Templates: values go in safely, or the error says which, where and why."""

from __future__ import annotations

import json

import pytest

from opencode_patcher.base.errors import PatchError
from opencode_patcher.patchset.render import render_file, render_patch


def refusal(text: str, values: dict[str, str]) -> str:
    with pytest.raises(PatchError) as caught:
        render_patch("taste", text, values)
    return str(caught.value)


def test_a_text_without_variables_is_kept_to_the_byte() -> None:
    text = "a {{ b }} {% c %} {# d #}\n\n+\t x \n \n"
    assert render_patch("taste", text, {}) == text
    assert render_file("a.ts.j2", text.removesuffix("\n"), {}) == text.removesuffix("\n")
    assert render_file("a.ts.j2", text.replace("\n", "\r\n"), {}) == text.replace("\n", "\r\n")


def test_values_blocks_and_comments() -> None:
    text = "[# a note #]\n+a [= dish =]\n[% if guest == 'king' %]\n+b\n[% endif %]\n+c\n"
    assert render_patch("taste", text, {"dish": "soup", "guest": "king"}) == "+a soup\n+b\n+c\n"
    assert render_patch("taste", text, {"dish": "soup", "guest": "fool"}) == "+a soup\n+c\n"


def test_an_undefined_variable_is_named_with_its_line_and_the_nearest() -> None:
    message = refusal("+a\n+b [= dihs =]\n", {"dish": "soup"})
    assert "'dihs'" in message
    assert "the patch 'taste', line 2" in message
    assert "Did you mean 'dish'?" in message


def test_an_undefined_variable_in_a_new_file() -> None:
    with pytest.raises(
        PatchError, match=r"(?s)'guest'.*the template 'opencode/a.ts.j2', line 3.*Known variables: dish"
    ):
        render_file("opencode/a.ts.j2", "\n\n[% if guest %]x[% endif %]\n", {"dish": "soup"})


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "a\u2028b", "a\x0bb", "a\x85b"])
@pytest.mark.parametrize("use", ["[= dish =]", "[= dish | tojson =]", "[= dish | join =]"])
def test_a_line_break_in_a_value_never_gets_into_a_patch(value: str, use: str) -> None:
    message = refusal(f"+x = {use}\n", {"dish": value})
    assert "'dish'" in message
    assert "'taste'" in message


@pytest.mark.parametrize("value", ['a"b', "a'b", "a`b", "a\\b", "a${b}"])
def test_a_quote_is_refused_as_it_is_and_works_as_a_literal(value: str) -> None:
    message = refusal('+x = "[= dish =]"\n', {"dish": value})
    assert "variable 'dish'" in message
    assert "tojson" in message
    rendered = render_patch("taste", "+x = [= dish | tojson =]\n", {"dish": value})
    assert json.loads(rendered.removeprefix("+x = ")) == value


def test_a_value_that_is_not_used_may_be_anything() -> None:
    assert render_patch("taste", "+x\n", {"dish": 'a\n"'}) == "+x\n"


def test_new_files_take_any_value_raw_or_as_a_literal() -> None:
    value = 'line "one"\nline ${two}\u2028'
    text = render_file("a.ts.j2", "[= dish =]|[= dish | tojson =]\n", {"dish": value})
    raw, literal = text.removesuffix("\n").split("|")
    assert raw == value
    assert json.loads(literal) == value
    assert "\u2028" not in literal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+a\n+[= dish\n", "line 2"),
        ("+[% if dish %]\n", "line 1"),
        ("+[= dish | shout =]\n", "shout"),
        ("+[= dish.name.first =]\n", "cannot be rendered"),
        ("+a\n+[= dish + 1 =]\n", "line 2"),
        ("+[= range(9) =]\n", "'call' is not allowed"),
    ],
)
def test_an_error_in_the_template_itself(text: str, expected: str) -> None:
    message = refusal(text, {"dish": "soup"})
    assert expected in message
    assert "'taste'" in message


def test_mixed_line_endings_of_a_new_file_are_refused() -> None:
    with pytest.raises(PatchError, match="mixed"):
        render_file("a.ts.j2", "a\r\nb\n", {})
