"""JSON with comments: values, and the place of each in the text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_patcher.base import jsonc

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param('{"a": [1, 2,], }', {"a": [1, 2]}, id="commas before a bracket"),
        pytest.param('{"a": 1, // , ]\n /* , } */ }', {"a": 1}, id="a comma before comments"),
        pytest.param('{"a": "// no /* comment */ ,]"}', {"a": "// no /* comment */ ,]"}, id="a string like a comment"),
        pytest.param('{"a": "\\\\"} // "', {"a": "\\"}, id="an escaped backslash"),
        pytest.param("\ufeff{}", {}, id="a byte order mark"),
        pytest.param("/**/ 7 //", 7, id="comments around"),
    ],
)
def test_values(text: str, value: object) -> None:
    assert jsonc.loads(text) == value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{\n  "a": 1\n  "b": 2\n}', "line 3 column 3"),
        ('{\n  // one\n  "a": /* two\n lines */ tru\n}', "line 4 column 11"),
        ('{"a": [1,,2]}', "line 1 column 10"),
        ('{"a": 1} /* no end', "line 1 column 10"),
        ("", "line 1 column 1"),
    ],
)
def test_a_mistake_is_where_the_message_says(text: str, place: str) -> None:
    with pytest.raises(ValueError, match=place):
        jsonc.loads(text)


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": -Infinity}', "[" * 100_000])
def test_what_only_python_accepts_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not JSON|too deeply"):
        jsonc.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '"\\"' * 100_000,
        '"' + '\\"' * 100_000,
        "/*/" * 100_000,
        ",]" * 100_000,
        '"\n' * 100_000,
    ],
    ids=["lists", "objects", "strings", "a string that breaks off", "comments", "commas", "half strings"],
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    """In time or memory in proportion to the square, this would not end."""
    with pytest.raises(ValueError, match=r"line 1 column|too deeply|Invalid control character"):
        jsonc.loads(text)
    assert sum(1 for _ in jsonc.entries(text)) <= len(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e999", float("inf")),
        ("1" * 400, float("inf")),
        ("1" * 5000, float("inf")),
        ("-1234567890123456789", -1234567890123456789),
    ],
)
def test_numbers_are_those_of_javascript(text: str, value: float) -> None:
    assert jsonc.loads(text) == value


@given(VALUES)
def test_plain_json_is_the_same(value: object) -> None:
    assert jsonc.loads(json.dumps(value, indent=1)) == value


TEXT = """\
{ // mine
  "a": "x",
  "b":
    ["y", { "c": 1 },
     "z"],
  "d": {
  },
}
"""


def test_every_value_has_its_lines() -> None:
    found = {entry.path: (entry.first, entry.last, entry.string) for entry in jsonc.entries(TEXT)}
    assert found == {
        (): (1, 8, None),
        ("a",): (2, 2, "x"),
        ("b",): (3, 5, None),
        ("b", 0): (4, 4, "y"),
        ("b", 1): (4, 4, None),
        ("b", 1, "c"): (4, 4, None),
        ("b", 2): (5, 5, "z"),
        ("d",): (6, 7, None),
    }


def test_every_value_has_its_span() -> None:
    found = {entry.path: TEXT[entry.start : entry.end] for entry in jsonc.entries(TEXT)}
    assert found[()] == TEXT[:-1]
    assert found["a",] == '"a": "x"'
    assert found["b",] == '"b":\n    ["y", { "c": 1 },\n     "z"]'
    assert found["b", 1] == '{ "c": 1 }'
    assert found["b", 1, "c"] == '"c": 1'
    assert found["b", 2] == '"z"'
    assert found["d",] == '"d": {\n  }'


@given(VALUES)
def test_the_paths_are_those_of_the_value(value: object) -> None:
    def walk(inner: object, path: jsonc.Path) -> set[jsonc.Path]:
        pairs = enumerate(inner) if isinstance(inner, list) else inner.items() if isinstance(inner, dict) else ()
        return {path}.union(*(walk(part, (*path, key)) for key, part in pairs))

    assert {entry.path for entry in jsonc.entries(json.dumps(value, indent=1))} == walk(value, ())


@given(st.text(alphabet='{}[]",:/*\n a1\\'))
def test_any_text_can_be_read(text: str) -> None:
    rows = text.count("\n") + 1
    for entry in jsonc.entries(text):
        assert 1 <= entry.first <= entry.last <= rows
        assert 0 <= entry.start < entry.end <= len(text)
