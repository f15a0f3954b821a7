"""The command line in processes of its own, which start at once.

To import everything takes longer than most commands. So a server does it once, and forks for each command line: its
child is what a new process would be after the imports, with the caller's environment, directory and output. What
happens before and during the imports is tested with real starts: in ``tests/base/test_base_boundary.py``,
``tests/cli/test_cli_packages.py`` and ``tests/cli/test_cli_planted_files.py``.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

LENGTH = 8


class Fork:
    """A command line that runs, with as much of ``subprocess.Popen`` as the tests use."""

    def __init__(self, args: Sequence[str], pid: int, status: int, stdout: TextIO, stderr: TextIO) -> None:
        self.args, self.pid, self.stdout, self.stderr = list(args), pid, stdout, stderr
        self.returncode: int | None = None
        self._status = status

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = int(os.read(self._status, LENGTH))
            os.close(self._status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def communicate(self) -> tuple[str, str]:
        """The rest of its output, after its end."""
        errors: list[str] = []
        reader = threading.Thread(target=lambda: errors.append(self.stderr.read()))
        reader.start()
        with self.stdout, self.stderr:
            out = self.stdout.read()
            reader.join()
        self.wait()
        return out, errors[0]


Start = Callable[..., Fork]


@contextmanager
def serving() -> Iterator[Start]:
    """A function that starts a command line: ``start(words, env, cwd, stand_in)``.

    ``stand_in`` is the directory that ``tests.cli.launcher`` takes patches and templates from.
    """
    ours, theirs = socket.socketpair()
    server = subprocess.Popen(
        [sys.executable, "-m", __name__, str(theirs.fileno())],
        cwd=Path(__file__).parents[1],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        # Pipes, as the children will have: Python's streams remember whether they can seek.
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    theirs.close()

    def start(
        words: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None, stand_in: Path | None = None
    ) -> Fork:
        (out, to_out), (err, to_err), (status, to_status) = os.pipe(), os.pipe(), os.pipe()
        about = {
            "words": list(words),
            "env": dict(env),
            "cwd": str(cwd or Path.cwd()),
            "stand_in": str(stand_in) if stand_in else None,
        }
        text = json.dumps(about).encode()
        socket.send_fds(ours, [str(len(text)).zfill(LENGTH).encode()], [to_out, to_err, to_status])
        ours.sendall(text)
        for number in (to_out, to_err, to_status):
            os.close(number)
        pid = int(_exactly(ours, LENGTH))
        return Fork(words, pid, status, os.fdopen(out), os.fdopen(err))

    try:
        yield start
    finally:
        ours.close()
        server.communicate()


def _exactly(connection: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        part = connection.recv(length - len(found))
        if not part:
            raise EOFError
        found += part
    return found


# -- in the server -----------------------------------------------------------------------------------------------------


def main() -> None:
    connection = socket.socket(fileno=int(sys.argv[1]))
    _load_everything()
    # What is there now is shared with every child, and not written to by its garbage collection.
    gc.freeze()
    waking, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    running: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([connection.fileno(), waking], [], [])
        if waking in ready:
            os.read(waking, 512)
            _report_ended(running)
        if connection.fileno() in ready:
            head, streams, _, _ = socket.recv_fds(connection, LENGTH, 3)
            if not head:
                return
            about = json.loads(_exactly(connection, int(head)))
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for number in (waking, wake, connection.detach(), *running.values(), streams[2]):
                    os.close(number)
                _become(about, *streams[:2])
            running[pid] = streams[2]
            for number in streams[:2]:
                os.close(number)
            connection.sendall(str(pid).zfill(LENGTH).encode())


def _load_everything() -> None:
    import opencode_patcher

    for found in pkgutil.walk_packages(opencode_patcher.__path__, "opencode_patcher."):
        # What a command imports while it runs, too.
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    from opencode_patcher.failures import table
    from opencode_patcher.models import rules

    # They never change, and it takes as long to read them as to import the rest.
    table.load()
    rules.load()


def _report_ended(running: dict[int, int]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        os.write(running[pid], str(os.waitstatus_to_exitcode(status)).encode())
        os.close(running.pop(pid))


def _become(about: dict[str, object], out: int, err: int) -> None:
    """Run one command line as this process."""
    from opencode_patcher import __main__
    from tests.cli import launcher

    os.dup2(out, 1)
    os.dup2(err, 2)
    os.close(out)
    os.close(err)
    variables, words = about["env"], about["words"]
    assert isinstance(variables, dict)
    assert isinstance(words, list)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(str(about["cwd"]))
    sys.argv = ["opencode-patcher", *words]
    if about["stand_in"]:
        launcher.stand_in(Path(str(about["stand_in"])))
    __main__.main()


if __name__ == "__main__":
    main()
