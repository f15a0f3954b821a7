"""Progress and results on a terminal, in a pipe, quiet, verbose and without colours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from opencode_patcher.cli import output
from opencode_patcher.cli.output import TerminalReporter

LINE = re.compile(r"(done|failed)  (.+)  (\d+\.\d) s")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_a_phase_is_one_line_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = TerminalReporter()

    with reporter.phase("Fetching v1.0.0") as phase:
        phase.detail("3.1 MB")

    shown = capsys.readouterr()
    assert shown.out == ""
    assert LINE.fullmatch(shown.err.rstrip("\n"))
    assert "done  Fetching v1.0.0 (3.1 MB)  " in shown.err


def test_nested_phases_end_innermost_first(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = TerminalReporter()

    with reporter.phase("Outer"), reporter.phase("Inner"):
        pass

    names = [match[2] for line in capsys.readouterr().err.splitlines() if (match := LINE.fullmatch(line))]
    assert names == ["Inner", "Outer"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failing_phase_says_so_and_hides_nothing(
    failure: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    reporter = TerminalReporter()

    def work() -> None:
        with reporter.phase("Building"):
            raise failure

    with pytest.raises(failure):
        work()

    assert "failed  Building  " in capsys.readouterr().err


def test_quiet_shows_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = TerminalReporter(quiet=True)

    with reporter.phase("Building"):
        reporter.note("by the way")
        reporter.warn("look out")

    assert capsys.readouterr().err == "Warning: look out\n"


def test_verbose_shows_the_output_of_programs(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = TerminalReporter(verbose=True)

    with reporter.phase("Building"):
        reporter.output("compiling [bold]x[/bold]")

    assert capsys.readouterr().err.startswith("  | compiling [bold]x[/bold]\n")


def test_json_is_one_object_and_keeps_other_writing_systems(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    output.show_json({"name": "grün"})

    shown = capsys.readouterr().out
    assert json.loads(shown) == {"name": "grün"}
    assert "grün" in shown


def test_a_table_in_a_pipe_is_plain_text_with_whole_cells(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_table(("name", "what"), [("one", "[red]not markup[/red]"), ("two", "x" * 60)])

    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "[red]not markup[/red]" in shown
    assert "x" * 60 in shown


PROGRAM = """
from opencode_patcher.cli import output
reporter = output.TerminalReporter()
with reporter.phase("Outer") as phase:
    with reporter.phase("Inner"):
        reporter.note("a note")
    reporter.warn("a warning")
"""


def on_a_terminal(variables: dict[str, str]) -> str:
    """What PROGRAM writes to a terminal."""
    import pty

    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **variables}
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so when the other side is closed.
            part = b""
        if not part:
            break
        shown += part
    os.close(ours)
    assert child.wait() == 0
    return shown.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
def test_a_terminal_gets_colours_a_spinner_and_every_line() -> None:
    shown = on_a_terminal({})

    assert "\x1b[32mdone" in shown
    assert "Outer > Inner" in shown
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert "a note" in plain
    assert "Warning: a warning" in plain
    assert re.search(r"done  Inner  \d", plain)
    assert re.search(r"done  Outer  \d", plain)
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h"), "the cursor stays hidden"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_a_terminal_without_colours_gets_plain_lines(variables: dict[str, str]) -> None:
    shown = on_a_terminal(variables)

    assert "\x1b" not in shown
    assert [line.split("  ")[:2] for line in shown.splitlines() if LINE.fullmatch(line)] == [
        ["done", "Inner"],
        ["done", "Outer"],
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
def test_an_empty_no_color_means_nothing() -> None:
    assert "\x1b[32mdone" in on_a_terminal({"NO_COLOR": ""})


def test_a_pipe_gets_one_line_a_phase(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env={**os.environ, "TERM": "xterm"}
    )

    assert done.stdout == ""
    assert "\x1b" not in done.stderr
    assert [line.partition("  ")[0] for line in done.stderr.splitlines()] == [
        "a note",
        "done",
        "Warning: a warning",
        "done",
    ]
