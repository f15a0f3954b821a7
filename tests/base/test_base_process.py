"""Programs are run to their end, fail with what they said, and never outlive us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_patcher.base import child, git, process
from opencode_patcher.base.errors import ProcessError, ProcessTimeoutError, StoreError
from opencode_patcher.base.progress import SilentReporter

Program = Callable[[str], list[str]]
AllGone = Callable[[list[int]], bool]

posix = pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")

FAMILY = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {child!r}])
open({pids!r}, "w").write(f"{{os.getpid()}} {{child.pid}}\\n")
print("ready", flush=True)
{parent}
"""
"""A program with a child. Both their process ids are in a file once it is ready."""

SLEEP = "import time; time.sleep(600)"
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
nowhere = os.open(os.devnull, os.O_RDWR)
os.dup2(nowhere, 1)
os.dup2(nowhere, 2)
time.sleep(600)
"""
"""Does not end when asked to, and does not keep its output open."""


def pids(path: Path) -> list[int]:
    text = path.read_text() if path.exists() else ""
    return [int(word) for word in text.split()] if text.endswith("\n") else []


class Loud(SilentReporter):
    """Wants the programs' output, and keeps it."""

    verbose = True

    def __init__(self) -> None:
        self.lines: list[str] = []

    def output(self, line: str) -> None:
        self.lines.append(line)


def test_both_streams_are_returned_completely_and_separately(python: Program) -> None:
    done = process.run(python("import sys; print('out'); print('err', file=sys.stderr); print('more')"))

    assert (done.code, done.stdout, done.stderr) == (0, "out\nmore\n", "err\n")


def test_much_output_on_both_streams_does_not_block(python: Program) -> None:
    done = process.run(python("import sys\nfor n in range(20000): print('x' * 50); print('y' * 50, file=sys.stderr)"))

    assert len(done.stdout) == len(done.stderr) == 20000 * 51


def test_a_failure_shows_the_command_and_what_the_program_said(python: Program) -> None:
    with pytest.raises(ProcessError) as caught:
        process.run(python("import sys; print('half way'); print('no such thing', file=sys.stderr); sys.exit(3)"))

    error = caught.value
    assert error.code == 3
    assert "failed with exit code 3" in error.what
    assert "half way\nno such thing" in error.why
    assert sys.executable in error.why
    assert error.output == "half way\nno such thing"


def test_an_error_message_is_not_pushed_out_by_later_output(python: Program) -> None:
    text = "import sys\nprint('the reason', file=sys.stderr)\nfor n in range(500): print(n)\nsys.exit(1)"

    with pytest.raises(ProcessError) as caught:
        process.run(python(text))

    lines = caught.value.output.splitlines()
    assert "the reason" in lines
    assert "499" in lines
    assert "459" not in lines
    assert len(lines) == child.TAIL_LINES + 1


def test_a_failure_can_be_allowed(python: Program) -> None:
    assert process.run(python("raise SystemExit(3)"), check=False).code == 3


@posix
def test_the_signal_that_ended_a_program_is_named(python: Program) -> None:
    with pytest.raises(ProcessError, match=r"was ended by SIGKILL .*memory"):
        process.run(python("import os; os.kill(os.getpid(), 9)"))


def test_the_log_has_all_output_and_the_error_names_it(python: Program, tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    log.write_text("from an earlier run\n")

    text = "import sys\nfor n in range(100): print(n)\nprint('bad', file=sys.stderr); sys.exit(1)"
    with pytest.raises(ProcessError) as caught:
        process.run_logged(python(text), log, SilentReporter())

    lines = log.read_text().splitlines()
    assert lines[0] == "from an earlier run"
    assert {"0", "99", "bad"} <= set(lines)
    assert str(log) in caught.value.next_step


def test_a_log_that_cannot_be_opened_starts_nothing(python: Program, tmp_path: Path) -> None:
    made = tmp_path / "made"

    with pytest.raises(StoreError) as caught:
        process.run_logged(python(f"open({str(made)!r}, 'w')"), tmp_path, SilentReporter())

    assert str(tmp_path) in caught.value.what
    assert not made.exists()


@posix
def test_a_log_that_is_a_link_or_a_pipe_is_refused(python: Program, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "link.log").symlink_to(tmp_path / "precious")
    os.mkfifo(tmp_path / "pipe.log")

    for name in ("link.log", "pipe.log"):
        with pytest.raises(StoreError, match="cannot be written"):
            process.run_logged(python("print('ours')"), tmp_path / name, SilentReporter())
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_under_the_log_ends_the_program(python: Program, tmp_path: Path, all_gone: AllGone) -> None:
    text = FAMILY.format(child=SLEEP, pids=str(tmp_path / "pids"), parent=SLEEP)

    with pytest.raises(StoreError) as caught:
        process.run_logged(python(text), Path("/dev/full"), SilentReporter())

    assert "No space left" in caught.value.why
    assert all_gone(pids(tmp_path / "pids"))


def test_verbose_streams_the_output(python: Program) -> None:
    reporter = Loud()

    process.run(python("import sys; print('one'); print('two', file=sys.stderr)"), reporter=reporter)

    assert sorted(reporter.lines) == ["one", "two"]


def test_each_line_is_passed_on_as_it_comes(python: Program) -> None:
    seen: list[tuple[str, str]] = []

    text = "import sys; print('a'); sys.stderr.write('b\\r\\nc')"
    process.converse(python(text), on_line=lambda *line: seen.append(line))

    assert sorted(seen) == [("stderr", "b"), ("stderr", "c"), ("stdout", "a")]


def test_an_error_in_a_line_handler_ends_the_program_and_is_raised(
    python: Program, tmp_path: Path, all_gone: AllGone
) -> None:
    def refuse(stream: str, line: str) -> None:
        raise BrokenPipeError(f"nobody reads {stream}")

    text = FAMILY.format(child=SLEEP, pids=str(tmp_path / "pids"), parent=SLEEP)
    with pytest.raises(BrokenPipeError, match="nobody reads stdout"):
        process.converse(python(text), on_line=refuse)

    assert len(pids(tmp_path / "pids")) == 2
    assert all_gone(pids(tmp_path / "pids"))


def test_undecodable_bytes_are_replaced(python: Program, tmp_path: Path) -> None:
    text = "import sys; sys.stdout.buffer.write(b'caf\\xe9 \\xff\\n'); sys.stderr.buffer.write(b'\\xfe')"

    done = process.run_logged(python(text), tmp_path / "log", SilentReporter())

    assert done.stdout == "caf\ufffd \ufffd\n"
    assert done.stderr == "\ufffd"
    assert "caf\ufffd" in (tmp_path / "log").read_text(encoding="utf-8")


def test_input_is_given_as_utf8_and_else_there_is_none(python: Program) -> None:
    echo = python("import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())")

    assert process.run(echo, stdin="grün\n").stdout == "grün\n"
    assert process.run(echo).stdout == ""


def test_a_program_need_not_read_its_input(python: Program) -> None:
    assert process.run(python("print('done')"), stdin="x" * 1_000_000).stdout == "done\n"


def test_a_program_that_never_reads_its_input_still_runs_out_of_time(python: Program) -> None:
    with pytest.raises(ProcessTimeoutError):
        process.run(python(SLEEP), stdin="x" * 1_000_000, timeout=0.3)


def test_a_missing_program_and_a_missing_directory_are_told_apart(python: Program, tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="no-such-program could not be started") as program:
        process.run(["no-such-program"], cwd=tmp_path)
    assert "no-such-program on PATH" in program.value.why

    with pytest.raises(ProcessError) as path:
        process.run([tmp_path / "gone"])
    assert str(tmp_path / "gone") in path.value.why

    with pytest.raises(ProcessError) as directory:
        process.run(python(""), cwd=tmp_path / "nowhere")
    assert f"directory {tmp_path / 'nowhere'} does not exist" in directory.value.why


@posix
def test_the_error_for_a_program_that_cannot_run_says_why(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    with pytest.raises(ProcessError) as caught:
        process.run([script])
    assert "Permission denied" in caught.value.why

    script.chmod(0o755)
    with pytest.raises(ProcessError) as caught:
        process.run([script])
    assert "interpreter" in caught.value.why


@posix
def test_a_timeout_ends_the_children_too(python: Program, tmp_path: Path, all_gone: AllGone) -> None:
    text = FAMILY.format(child=STUBBORN, pids=str(tmp_path / "pids"), parent=SLEEP)

    with pytest.raises(ProcessTimeoutError) as caught:
        process.run(python(text), timeout=3)

    assert "did not end within 3 s" in caught.value.what
    assert "ready" in caught.value.output
    assert len(pids(tmp_path / "pids")) == 2
    assert all_gone(pids(tmp_path / "pids"))


@posix
def test_a_child_in_the_background_does_not_delay_us(
    python: Program, tmp_path: Path, all_gone: AllGone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "GRACE_SECONDS", 0.2)
    text = FAMILY.format(child=SLEEP, pids=str(tmp_path / "pids"), parent="")

    done = process.run(python(text))

    assert done.stdout == "ready\n"
    assert all_gone(pids(tmp_path / "pids"))


RUNNER = """
import signal, sys
from pathlib import Path
from opencode_patcher.base import child, process
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    process.run([sys.executable, "-c", Path({program!r}).read_text()])
except KeyboardInterrupt:
    print("raised again")
"""


@posix
@pytest.mark.parametrize("child", [SLEEP, STUBBORN], ids=["willing", "stubborn"])
def test_an_interrupt_ends_the_program_and_its_children(
    python: Program,
    tmp_path: Path,
    all_gone: AllGone,
    eventually: Callable[[Callable[[], bool]], bool],
    child: str,
) -> None:
    program = tmp_path / "program.py"
    program.write_text(FAMILY.format(child=child, pids=str(tmp_path / "pids"), parent=SLEEP))
    runner = subprocess.Popen(python(RUNNER.format(program=str(program))), stdout=subprocess.PIPE, text=True)
    assert eventually(lambda: len(pids(tmp_path / "pids")) == 2)

    runner.send_signal(signal.SIGINT)

    assert runner.communicate()[0] == "raised again\n"
    assert all_gone(pids(tmp_path / "pids"))


def test_a_callers_git_variables_do_not_reach_programs_but_the_users_do(
    python: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG_PARAMETERS"):
        monkeypatch.setenv(name, "/elsewhere")
    for name in ("GIT_SSH_COMMAND", "GIT_SSL_CERT", "GIT_PROXY_COMMAND", "GIT_HTTP_PROXY_AUTHMETHOD", "LANG"):
        monkeypatch.setenv(name, "kept")
    monkeypatch.setenv("UNWANTED", "1")

    done = process.run(
        python("import os; print('\\n'.join(sorted(os.environ)))"), env={"UNWANTED": None, "WANTED": "1"}
    )

    names = set(done.stdout.split())
    assert not names & {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG_PARAMETERS"}
    assert names >= {"GIT_SSH_COMMAND", "GIT_SSL_CERT", "GIT_PROXY_COMMAND", "GIT_HTTP_PROXY_AUTHMETHOD", "LANG"}
    assert "WANTED" in names
    assert "UNWANTED" not in names


def test_git_works_on_the_named_repository_even_when_called_from_a_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim, ours = tmp_path / "victim", tmp_path / "ours"
    for path in (victim, ours):
        git.run("init", "--quiet", path)
    monkeypatch.setenv("GIT_DIR", str(victim / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(victim))
    monkeypatch.setenv("GIT_INDEX_FILE", str(victim / ".git" / "index"))

    git.run("commit", "--quiet", "--allow-empty", "--message=one", cwd=ours)

    assert git.run("rev-parse", "--show-toplevel", cwd=ours).stdout.strip() == str(ours)
    with pytest.raises(ProcessError):
        git.run("rev-parse", "--verify", "HEAD", cwd=victim)


def test_git_uses_english_and_never_prompts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")

    with pytest.raises(ProcessError) as caught:
        git.run("status", cwd=tmp_path)

    assert "not a git repository" in caught.value.output


def test_a_program_that_prints_endlessly_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "OUTPUT_LIMIT", 100_000)
    monkeypatch.setattr(child, "LINE_LIMIT", 10_000)
    for text in ("x" * 1000, "many lines\n" * 100):
        script = f"import sys\nwhile True: sys.stdout.write({text!r})"
        with pytest.raises(ProcessError, match="was ended") as caught:
            process.run([sys.executable, "-c", script])
        assert "more than 0.1 million characters" in caught.value.why


def test_output_without_line_breaks_is_passed_on_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "LINE_LIMIT", 10)
    seen: list[str] = []
    script = "print('0123456789' * 2 + 'end')"
    done = process.converse([sys.executable, "-c", script], on_line=lambda _, line: seen.append(line))
    assert seen == ["0123456789", "0123456789", "end"]
    assert done.stdout == "01234567890123456789end\n"


def test_a_program_in_the_current_directory_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "planted").write_text("#!/bin/sh\necho planted\n")
    (tmp_path / "planted").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    for path in ("", ".", "./", f"{os.pathsep}relative{os.pathsep}."):
        monkeypatch.setenv("PATH", path)
        with pytest.raises(ProcessError, match="could not be started"):
            process.run(["planted"])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert process.run(["planted"]).stdout == "planted\n"


def test_a_program_only_runs_in_the_current_directory_if_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ask = [sys.executable, "-c", "import os; print(os.getcwd(), os.environ['PWD'])"]
    root = Path(sys.executable).anchor
    assert process.run(ask).stdout.split() == [root, root]
    assert process.run(ask, cwd=tmp_path).stdout.split() == [str(tmp_path), str(tmp_path)]
