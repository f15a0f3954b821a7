"""The one door through which programs are run.

Silent when all is well, the whole end of the output when it is not, streamed when the reporter is verbose.
A program is started in a process group of its own, so that an interrupt or a timeout ends its children too.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from opencode_patcher.errors import ProcessError, ProcessTimeoutError
from opencode_patcher.progress import Reporter, SilentReporter

TAIL_LINES = 40
"""How many lines of a failed program's output stand in the error."""

GRACE_SECONDS = 5.0
"""How long a program may take to end after it was asked to."""

_KEPT_GIT_VARIABLES = frozenset(
    {
        "GIT_ALLOW_PROTOCOL",
        "GIT_ASKPASS",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_EXEC_PATH",
        "GIT_HTTP_PROXY_AUTHMETHOD",
        "GIT_PROXY_SSL_CAINFO",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH",
        "GIT_SSL_NO_VERIFY",
        "GIT_TERMINAL_PROMPT",
    }
)


@dataclass(frozen=True, kw_only=True)
class Completed:
    """A program that ended with exit code 0 (or any code when ``check=False``). ``seconds`` is wall time."""

    code: int
    stdout: str
    stderr: str
    seconds: float


def is_foreign_git_variable(name: str) -> bool:
    """Whether an environment variable would point git at another repository than the one we name.

    A caller that itself runs inside git (a hook, ``git rebase --exec``) exports GIT_DIR, GIT_INDEX_FILE and more.
    How to reach a server (proxy, ssh, certificates) and which configuration to read stay the user's.
    """
    if not name.startswith("GIT_") or name in _KEPT_GIT_VARIABLES:
        return False
    return not name.startswith(("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_TRACE"))


def scrubbed_environment(extra: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """This process's environment without foreign git variables, with ``extra`` on top.

    A variable that ``extra`` maps to None is left out.
    """
    environment = {name: value for name, value in os.environ.items() if not is_foreign_git_variable(name)}
    for name, value in (extra or {}).items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    return environment


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    stdin: str | None = None,
    check: bool = True,
    timeout: float | None = None,
    log: Path | None = None,
    reporter: Reporter | None = None,
    on_line: Callable[[str, str], None] | None = None,
) -> Completed:
    """Run a program to its end and return its output as text (UTF-8, undecodable bytes replaced).

    ``env`` is added to the scrubbed environment as in ``scrubbed_environment``; ``timeout`` is in seconds;
    ``log`` gets stdout and stderr as they come, and ``on_line`` each line (stream name, line without its
    newline) in a thread of its own.
    Raises ProcessError when the program cannot be started or exits non-zero (unless ``check`` is False), and
    ProcessTimeoutError when it runs out of time; KeyboardInterrupt ends the program and its children and is raised
    again.
    """
    reporter = reporter or SilentReporter()
    words = [str(word) for word in argv]
    started = time.monotonic()
    try:
        child = subprocess.Popen(
            words,
            cwd=cwd,
            env=scrubbed_environment(env),
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=sys.platform != "win32",
        )
    except (FileNotFoundError, NotADirectoryError) as error:
        missing = cwd if cwd is not None and not cwd.is_dir() else words[0]
        raise ProcessError(f"{Path(words[0]).name} could not be started.", why=f"{missing} does not exist.") from error
    except OSError as error:
        raise ProcessError(f"{Path(words[0]).name} could not be started.", why=str(error)) from error

    tail: deque[str] = deque(maxlen=TAIL_LINES)
    captured: dict[str, list[str]] = {"stdout": [], "stderr": []}
    writing = threading.Lock()
    log_file = log.open("a", encoding="utf-8") if log else None

    def pump(name: str) -> None:
        stream = child.stdout if name == "stdout" else child.stderr
        assert stream is not None
        for line in stream:
            captured[name].append(line)
            if on_line:
                on_line(name, line.rstrip("\r\n"))
            with writing:
                tail.append(line.rstrip("\r\n"))
                if log_file:
                    log_file.write(line)
                if reporter.verbose:
                    reporter.output(line.rstrip("\r\n"))

    pumps = [threading.Thread(target=pump, args=(name,), daemon=True) for name in captured]
    timed_out = False
    try:
        for thread in pumps:
            thread.start()
        if child.stdin is not None:
            try:
                child.stdin.write(stdin or "")
                child.stdin.close()
            except BrokenPipeError:
                pass
        try:
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            end(child)
        for thread in pumps:
            thread.join(GRACE_SECONDS)
    except BaseException:
        end(child)
        raise
    finally:
        for thread in pumps:
            if thread.ident is not None:
                thread.join(GRACE_SECONDS)
        for stream in (child.stdout, child.stderr):
            if stream is not None:
                stream.close()
        if log_file:
            log_file.close()

    seconds = time.monotonic() - started
    shown = shlex.join(words)
    where = f"Its output is in {log}." if log else ""
    if timed_out:
        raise ProcessTimeoutError(
            f"{Path(words[0]).name} did not end within {timeout:g} s.",
            why="\n".join([f"Command: {shown}", *tail]),
            next_step=where,
            output="\n".join(tail),
        )
    if check and child.returncode != 0:
        raise ProcessError(
            f"{Path(words[0]).name} failed with exit code {child.returncode}.",
            why="\n".join([f"Command: {shown}", *tail]),
            next_step=where,
            output="\n".join(tail),
            code=child.returncode,
        )
    return Completed(
        code=child.returncode,
        stdout="".join(captured["stdout"]),
        stderr="".join(captured["stderr"]),
        seconds=seconds,
    )


def end(child: subprocess.Popen[str]) -> None:
    """Ask a program and its children to end, then make them."""
    if child.poll() is not None:
        return
    _signal(child, signal.SIGTERM)
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal(child, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        child.wait()


def _signal(child: subprocess.Popen[str], number: signal.Signals) -> None:
    try:
        if sys.platform == "win32":
            child.terminate()
        else:
            os.killpg(child.pid, number)
    except ProcessLookupError:
        pass
