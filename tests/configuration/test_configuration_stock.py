"""Lines that a stock OpenCode refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencode_patcher.configuration.stock_config import find, foreign_lines


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        pytest.param("", [], id="empty"),
        pytest.param('{"provider_priority": ["a"]}', [1], id="one line"),
        pytest.param('{\n"provider_priority": [\n"a",\n"b"\n],\n"theme": "x"\n}', [2, 3, 4, 5], id="many lines"),
        pytest.param('{\n"combined": {\n"models": {}\n}\n}', [2, 3, 4], id="object"),
        pytest.param('{\n// "provider_priority": ["a"],\n/* "combined": 1 */\n"a": 1}', [], id="comments"),
        pytest.param('{"url": "https://x/y",\n"provider_priority": []}', [2], id="no comment in a string"),
        pytest.param('{"a": "\\"", \n"combined": {}}', [2], id="escaped quote"),
        pytest.param('{"provider": {\n"combined": {}}}', [], id="a provider of that name"),
        pytest.param('{"a": "provider_priority"}', [], id="a value of that name"),
        pytest.param(
            '{\n"model": "combined/opus",\n"agent": {\n"plan": {"model": "combined/x"}}}', [2, 4], id="models"
        ),
        pytest.param('{\n"provider_priority": ["a"\n', [2], id="unfinished"),
    ],
)
def test_lines(text: str, numbers: list[int]) -> None:
    assert [number for number, _ in foreign_lines(text)] == numbers


KEY = '"provider":{"openrouter":{"options":{"apiKey":"sk-or-SECRET"}}}'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(f'{{{KEY},"provider_priority":["a"]}}', [(1, '"provider_priority":["a"]')], id="behind a key"),
        pytest.param(f'{{"provider_priority":["a"],{KEY}}}', [(1, '"provider_priority":["a"]')], id="before a key"),
        pytest.param(
            f'{{"combined":{{"x":"combined/y"}},{KEY},"model":"combined/opus"}}',
            [(1, '"combined":{"x":"combined/y"} ... "model":"combined/opus"')],
            id="around a key",
        ),
        pytest.param(
            f'{{\n  "combined": {{\n    "stickiness": 0\n  }}, {KEY}\n}}',
            [(2, '  "combined": {'), (3, '    "stickiness": 0'), (4, "  }")],
            id="many lines",
        ),
        pytest.param(
            f'{{\n  {KEY}, "provider_priority": [\n    "a"\n  ]\n}}',
            [(2, '"provider_priority": ['), (3, '    "a"'), (4, "  ]")],
            id="begins behind a key",
        ),
        pytest.param('{\n\t"model": "combined/x", // sk-SECRET\n}', [(2, '\t"model": "combined/x"')], id="comment"),
        pytest.param(f'{{"provider_priority":["a",{KEY}}}', [(1, '"provider_priority"')], id="a bracket is missing"),
        pytest.param(f'{{"combined":{{"x":1,\n{KEY}', [(1, '"combined"')], id="breaks off"),
        pytest.param(f'{{"combined" {{}}, {KEY}', [(1, '"combined"')], id="a colon is missing"),
    ],
)
def test_nothing_else_of_a_line_is_shown(text: str, shown: list[tuple[int, str]]) -> None:
    assert list(foreign_lines(text)) == shown


def test_what_opencode_reads_is_searched(tmp_path: Path) -> None:
    user, work = tmp_path / "config" / "opencode", tmp_path / "work"
    for path in (user / "opencode.jsonc", work / "opencode.json"):
        path.parent.mkdir(parents=True)
        path.write_text('{\n"provider_priority": [] // mine\n}')
        path.with_name("combined.json").write_text('{"provider_priority": []}')
    environment = {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "OPENCODE_TEST_MANAGED_CONFIG_DIR": str(tmp_path / "none"),
        "OPENCODE_CONFIG_CONTENT": '{"model": "combined/x"}',
    }
    assert [(one.name, one.lines) for one in find(environment, work)] == [
        (str(user / "opencode.jsonc"), ((2, '"provider_priority": []'),)),
        (str(work / "opencode.json"), ((2, '"provider_priority": []'),)),
        ("OPENCODE_CONFIG_CONTENT", ((1, '"model": "combined/x"'),)),
    ]
