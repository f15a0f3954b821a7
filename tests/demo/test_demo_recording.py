"""Recordings: what a program shows in its terminal, as a file that moves."""

from __future__ import annotations

import json
import os
import re
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.base.errors import DrillError
from opencode_patcher.demo import film
from opencode_patcher.demo.tape import Cell, Picture, Tape

PROGRAM = r"""
stty -echo
printf '\033]0;a title\007\033[>1u\033[?2026$p\033[2J\033[1;1H\033[38;2;255;0;0mred\033[0m \033[1mbold <&>\033[0m'
sleep 0.3
printf '\033[2;1H\342\226\210\342'; sleep 0.1; printf '\226\210 second'
printf '\033[6n'
read -r answer
printf '\033[3;1H'
printf 'asked for: %s' "$answer" | tr -d '\033'
sleep 60
"""


def tape() -> Tape:
    from opencode_patcher.demo.terminal import Terminal

    environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color"}
    with Terminal(["/bin/sh", "-c", PROGRAM], Path("/"), environment, columns=40, rows=5) as terminal:
        terminal.until(lambda screen: "bold" in screen, seconds=20, what="the first line")
        terminal.until(lambda screen: "second" in screen, seconds=20, what="the second line")
        # Before the question is answered, Enter would be all that the program reads.
        printed = terminal.tape.printed
        terminal.until(lambda _: any(b"\x1b[6n" in data for _, data in printed), seconds=20, what="a question")
        terminal.press(b"\r")
        terminal.until(lambda screen: "asked for: [2;10R" in screen, seconds=20, what="the answer")
        assert terminal.text.splitlines()[:2] == ["red bold <&>".ljust(40), "██ second".ljust(40)]
        with pytest.raises(DrillError, match="did not show more"):
            terminal.until(lambda screen: "more" in screen, seconds=0.1, what="more")
        return terminal.tape


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo terminal is needed")
def test_a_program_in_a_terminal_becomes_files() -> None:
    pytest.importorskip("pyte")
    found = tape()

    lines = [json.loads(line) for line in film.cast(found, "A title").splitlines()]
    assert (lines[0]["version"], lines[0]["width"], lines[0]["height"]) == (2, 40, 5)
    moments = [moment for moment, _, _ in lines[1:]]
    assert moments == sorted(moments)
    assert moments[0] == 0
    assert all(later - earlier <= film.LONGEST_PAUSE for earlier, later in pairwise(moments))
    printed = "".join(text for _, kind, text in lines[1:] if kind == "o")
    assert printed.encode() == b"".join(data for _, data in found.printed), "no character is cut in two"

    picture = film.svg(found, "A <title>")
    root = ET.fromstring(picture)
    texts = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "A <title>"
    assert {"red", "bold <&>", "second"} <= {text.strip() for text in texts}
    assert 'style="fill:#ff0000"' in picture
    assert "<script" not in picture
    names = set(re.findall(r"@keyframes (t\d+)", picture))
    assert names
    assert names == set(re.findall(r'class="s (t\d+)', picture))


def test_what_is_shown_for_a_moment_only_is_left_out() -> None:
    def row(text: str) -> tuple[Cell, ...]:
        return tuple(Cell(text=char) for char in text)

    pictures: list[tuple[float, Picture]] = [
        (0.0, (row("a"),)),
        (0.5, (row(" "),)),
        (0.51, (row("b"),)),
        (9.0, (row("c"),)),
    ]
    picture = film.svg(Tape(columns=1, rows=1, pictures=pictures), "x")
    assert re.findall(r">([abc])</text>", picture) == ["a", "b", "c"]
    assert f"animation-duration:{0.51 + film.LONGEST_PAUSE + film.LAST:.2f}s" in picture, "a long pause is cut"


@pytest.mark.skipif(sys.platform == "win32", reason="refused as a whole")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--record", "x.gif"], "x.gif is neither an .svg nor a .cast file."),
        (["--record", "x.svg"], "A recording needs a patched OpenCode, and there is none here."),
    ],
)
def test_what_cannot_be_recorded(
    words: list[str], said: str, isolated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", *words]) == 2
    assert said in capsys.readouterr().err


def test_the_picture_of_the_readme_is_small_and_whole() -> None:
    path = Path(__file__).parents[2] / "docs" / "failover.svg"
    assert path.stat().st_size < 300_000
    text = path.read_text(encoding="utf-8")
    assert "Failover: " in text
    assert "(Alpha)" in text
    assert "(Beta)" in text
