"""The error boundary: every way to end has its exit code, and none shows a traceback."""

from __future__ import annotations

import errno
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from opencode_patcher import __main__, pipeline
from opencode_patcher.base import errors
from opencode_patcher.base.errors import PatcherError

Program = Callable[[str], list[str]]
Raise = Callable[[BaseException], None]

KINDS = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, PatcherError)
]  # fmt: skip


@pytest.fixture
def build_raises(monkeypatch: pytest.MonkeyPatch) -> Raise:
    """Makes ``opencode-patcher build`` end with an exception."""

    def make(error: BaseException) -> None:
        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr(pipeline, "build", fail)

    return make


def test_each_kind_of_error_has_an_exit_code_of_its_own() -> None:
    codes = [kind.exit_code for kind in KINDS if kind is not errors.ProcessTimeoutError]

    assert len(codes) == len(set(codes)) > 10
    assert not {0, errors.INTERRUPTED, errors.OUTPUT_CLOSED, errors.UNEXPECTED} & set(codes)


@pytest.mark.parametrize("kind", KINDS)
def test_an_expected_error_is_shown_in_three_parts(
    kind: type[PatcherError], build_raises: Raise, capsys: pytest.CaptureFixture[str]
) -> None:
    build_raises(kind("It failed.", why="The reason.", next_step="Run this."))

    assert __main__.run(["build"]) == kind.exit_code

    shown = capsys.readouterr()
    assert shown.err == "Error: It failed.\n  The reason.\n  Run this.\n"
    assert shown.out == ""


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not errors.OutputError])
def test_json_prints_the_same_as_one_object(
    kind: type[PatcherError], build_raises: Raise, capsys: pytest.CaptureFixture[str]
) -> None:
    build_raises(kind("Es ging nicht: ü.", why="The reason."))

    assert __main__.run(["build", "--json"]) == kind.exit_code

    shown = capsys.readouterr()
    assert json.loads(shown.out) == {
        "error": {
            "kind": kind.__name__,
            "exit_code": kind.exit_code,
            "what": "Es ging nicht: ü.",
            "why": "The reason.",
            "next_step": "",
        }
    }
    assert shown.err == ""


def test_json_reports_a_wrong_command_line_as_an_object_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.run(["build", "--json", "--no-such-option"]) == 2

    error = json.loads(capsys.readouterr().out)["error"]
    assert error["kind"] == "UsageError"
    assert "--no-such-option" in error["what"]


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where logs of unexpected errors go."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


def test_an_unexpected_error_leaves_a_log_and_shows_no_traceback(
    build_raises: Raise, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build_raises(ZeroDivisionError("never thought of"))

    code = __main__.run(["build", "v1.0.0", "--source", "https://me:secret@example.invalid/x"])

    shown = capsys.readouterr()
    [log] = logs.iterdir()
    assert code == errors.UNEXPECTED
    assert "ZeroDivisionError: never thought of" in shown.err
    assert str(log) in shown.err
    assert "Traceback" not in shown.err + shown.out
    text = log.read_text()
    assert "Traceback (most recent call last)" in text
    assert "command: build v1.0.0 --source https://example.invalid/x" in text
    assert "secret" not in text


def test_an_unexpected_error_is_an_object_for_machines(
    build_raises: Raise, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build_raises(RuntimeError("odd"))

    assert __main__.run(["build", "--json"]) == errors.UNEXPECTED

    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["kind"], error["exit_code"], error["why"]) == ("Unexpected", errors.UNEXPECTED, "RuntimeError: odd")
    assert str(next(logs.iterdir())) in error["next_step"]


def test_an_unexpected_error_is_shown_even_if_no_log_can_be_written(
    build_raises: Raise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    build_raises(RuntimeError("odd"))

    assert __main__.run(["build"]) == errors.UNEXPECTED

    assert "could not be written" in capsys.readouterr().err


def test_an_unexpected_full_disk_is_a_clear_error(
    build_raises: Raise, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build_raises(OSError(errno.ENOSPC, "No space left on device", "/some/file"))

    assert __main__.run(["build"]) == errors.StoreError.exit_code

    shown = capsys.readouterr().err
    assert "/some/file cannot be written." in shown
    assert "No space left on device." in shown
    assert not list(logs.iterdir())


@pytest.mark.parametrize(
    "said",
    [
        "error: unable to write file src/a.ts",
        "fatal: sha1 file '.git/index.lock' write error. Out of diskspace",
        "fatal: cannot create directory at 'a': No space left on device",
        "error: ENOSPC: no space left on device, write",
    ],
)
def test_a_program_that_fails_on_a_full_disk_is_a_clear_error(
    said: str, build_raises: Raise, capsys: pytest.CaptureFixture[str]
) -> None:
    build_raises(errors.ProcessError("git failed.", why=said, output=said))

    assert __main__.run(["build"]) == errors.StoreError.exit_code

    assert "the disk is full" in capsys.readouterr().err.lower()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_has_the_exit_code_of_one(
    error: BaseException, build_raises: Raise, capsys: pytest.CaptureFixture[str]
) -> None:
    build_raises(error)

    assert __main__.run(["build"]) == 130

    assert "Interrupted" in capsys.readouterr().err


SLOW = """
import signal, sys
# The test may itself run where these are ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from opencode_patcher import __main__, pipeline
from opencode_patcher.base import process
def slow(*arguments):
    print("started", flush=True)
    process.run([sys.executable, "-c", "import time; time.sleep(600)"])
pipeline.build = slow
__main__.main(["build"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_without_a_traceback(python: Program, number: signal.Signals) -> None:
    run = subprocess.Popen(python(SLOW), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdout is not None
    assert run.stdout.readline() == "started\n"

    run.send_signal(number)
    _, shown = run.communicate()

    assert run.returncode == 130
    assert "Interrupted. Nothing was left half done" in shown
    assert "Traceback" not in shown


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_nohup_is_respected(python: Program, tmp_path: Path) -> None:
    text = """
import os, signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
from opencode_patcher import __main__, pipeline
def hang_up(*arguments):
    os.kill(os.getpid(), signal.SIGHUP)
    raise RuntimeError("went on")
pipeline.build = hang_up
__main__.main(["build"])
"""
    variables = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(python(text), env=variables, capture_output=True, text=True, check=False)

    assert "went on" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("patches", "list"), ("patches", "list", "--json"), ("build", "--json", "--latest", "v1.0.0")],
    ids=["help", "table", "json", "error"],
)
def test_a_reader_that_stops_reading_is_not_an_error(arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "opencode_patcher", *arguments],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)

    assert done.stderr == ""
    assert done.returncode == errors.OUTPUT_CLOSED


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
def test_a_closed_error_stream_causes_no_traceback(python: Program) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "opencode_patcher", "build", "v1.0.0", "--source", "/no/such"],
        stdout=subprocess.PIPE,
        stderr=writing,
        text=True,
        check=False,
    )
    os.close(writing)

    assert done.stdout == ""
    assert done.returncode == errors.OUTPUT_CLOSED


def test_messages_end_like_sentences() -> None:
    """The first line shown is always a complete sentence."""
    package = Path(errors.__file__).parents[1]
    short = []
    for path in package.rglob("*.py"):
        for found in re.finditer(r'Error\(\s*f?"((?:[^"\\]|\\.)*)"\s*,', path.read_text(encoding="utf-8")):
            if not found[1].rstrip().endswith((".", "?", ":", "}")):
                short.append(f"{path.relative_to(package)}: {found[1]}")
    assert not short


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
@pytest.mark.parametrize(
    "arguments",
    [("list",), ("list", "--json"), ("patches", "list"), ("--help",), ("--version",), ("build", "--help")],
    ids=" ".join,
)
def test_an_output_that_cannot_be_written_is_one_clear_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "opencode_patcher", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "OPENCODE_PATCHER_HOME": str(tmp_path / "store")},
            text=True,
            check=False,
        )

    assert done.stderr == "Error: The output cannot be written.\n  No space left on device.\n"
    assert done.returncode == errors.OutputError.exit_code


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file descriptors")
@pytest.mark.parametrize(
    "arguments",
    [("list",), ("list", "--json"), ("patches", "list"), ("--help",), ("--version",), ("build", "--help")],
    ids=" ".join,
)
def test_a_closed_output_is_one_clear_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -m opencode_patcher "$@" >&-', sys.executable, *arguments],
        stderr=subprocess.PIPE,
        env={**os.environ, "OPENCODE_PATCHER_HOME": str(tmp_path / "store")},
        text=True,
        check=False,
    )

    assert done.stderr == "Error: The output cannot be written.\n  Standard output is closed.\n"
    assert done.returncode == errors.OutputError.exit_code


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file descriptors")
def test_a_closed_error_stream_changes_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -m opencode_patcher "$@" 2>&-', sys.executable, "build", "--no-such-option"],
        stdout=subprocess.PIPE,
        env={**os.environ, "OPENCODE_PATCHER_HOME": str(tmp_path / "store")},
        text=True,
        check=False,
    )

    assert done.stdout == ""
    assert done.returncode == 2


def test_an_error_cannot_control_the_terminal(build_raises: Raise, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b]0;owned\x07\x9b\u202e"
    build_raises(PatcherError(f"what {hostile}\nError: forged", why=f"why {hostile}", next_step=f"next {hostile}"))

    assert __main__.run(["build"]) == 1

    shown = "\\x1b]0;owned\\x07\\x9b\\u202e"
    assert capsys.readouterr().err == f"Error: what {shown}\\nError: forged\n  why {shown}\n  next {shown}\n"


def test_a_wrong_option_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.run(["build", "--\x1b[2Jx"]) == 2

    assert "\x1b" not in capsys.readouterr().err
