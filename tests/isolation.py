"""Raises when a test would touch the user's home, start a program that would, or leave this machine.

Python reports each file that is opened, each program that is started and each address that is looked up or connected to
(audit events, PEP 578). What a test does not do in its own process is held by the environment that it hands on: a home
of its own, and a proxy that refuses every connection.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

NOBODY = "http://127.0.0.1:9"
"""A proxy without a listener (port 9 is discard, RFC 863): requests through it fail at once."""

PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0", "::ffff:127.")
_WRITES = frozenset({"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link", "os.truncate"})
_READS = frozenset({"os.listdir", "os.scandir"})
_HOMES = ("HOME", "USERPROFILE", "GIT_CONFIG_GLOBAL")


class Isolation:
    """The guard of one run. ``home`` is the real home of the user; ``allowed`` are the places below it that the tests
    may use: the checkout, Python, programs on PATH, temporary files.
    """

    def __init__(self, home: Path, environment: Mapping[str, str], allowed: tuple[Path, ...]) -> None:
        self.home = home
        self.environment = dict(environment)
        """What the tests were started with."""
        self._root = str(home.resolve())
        roots = [*allowed, Path(sys.prefix), Path(sys.base_prefix), Path(tempfile.gettempdir())]
        roots += [Path(path) for path in (*sys.path, *sysconfig.get_paths().values()) if path]
        # A whole home on PATH or sys.path would allow everything.
        self._writable = _below(self._root, [*allowed, Path(tempfile.gettempdir())])
        self._readable = _below(self._root, [*roots, *map(Path, os.get_exec_path(self.environment))])
        self._open_doors = 0
        self.on = False
        sys.addaudithook(self._audit)

    @contextmanager
    def network(self) -> Iterator[None]:
        """For what may reach the package registries, with the user's own way of reaching them."""
        self._open_doors += 1
        with pytest.MonkeyPatch.context() as patch:
            for name in PROXIES:
                for spelled in (name, name.upper()):
                    if (value := self.environment.get(spelled)) is None:
                        patch.delenv(spelled, raising=False)
                    else:
                        patch.setenv(spelled, value)
            try:
                yield
            finally:
                self._open_doors -= 1

    def lend(self, home: Path, names: Sequence[str]) -> None:
        """Copy the user's files of these names, where there are any, to a home of the tests."""
        before, self.on = self.on, False
        try:
            for name in names:
                if (self.home / name).is_file():
                    shutil.copy(self.home / name, home / name)
        finally:
            self.on = before

    def _audit(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            path, mode, flags = arguments
            writes = isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
            self._file(path, writes=writes or (isinstance(mode, str) and any(letter in mode for letter in "wax+")))
        elif event in _WRITES or event in _READS:
            for path in arguments:
                self._file(path, writes=event in _WRITES)
        elif event == "subprocess.Popen":
            self._program(arguments[3])
        elif event in ("socket.connect", "socket.sendto"):
            self._address(arguments[0], arguments[1])
        elif event == "socket.getaddrinfo":
            self._host(arguments[0])

    def _file(self, path: object, *, writes: bool) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # an open file
        full = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 (a link that leads out of the home is not followed)
        if not _within(full, self._root) or full == self._root:
            return
        if writes and not any(_within(full, root) for root in self._writable):
            _refuse(f"A test would write {full}, in the home of the user.")
        # Names without a dot are for people; settings, keys and caches have a dot.
        if full[len(self._root) + 1 :].startswith(".") and not any(_within(full, root) for root in self._readable):
            _refuse(f"A test would read {full}, in the home of the user.")

    def _program(self, environment: object) -> None:
        variables = os.environ if environment is None else environment
        for name in _HOMES:
            value = variables.get(name) if isinstance(variables, Mapping) else None
            if value and (value == self._root or _within(value, f"{self._root}/.gitconfig")):
                _refuse(f"A test would start a program with {name}={value}, the home of the user.")

    def _address(self, connection: object, address: object) -> None:
        unix = getattr(socket, "AF_UNIX", None)
        if isinstance(connection, socket.socket) and connection.family != unix and isinstance(address, tuple):
            self._host(address[0])

    def _host(self, host: object) -> None:
        name = os.fsdecode(host) if isinstance(host, str | bytes) else ""
        if name and not self._open_doors and not name.startswith(_LOOPBACK):
            _refuse(f"A test would connect to {name}. If it may ask the package registries, use registry_access.")


def _refuse(why: str) -> NoReturn:
    pytest.fail(why)


def _within(path: str, root: str) -> bool:
    return path == root or path.startswith(root + os.sep)


def _below(home: str, paths: list[Path]) -> tuple[str, ...]:
    """The paths below the home, not the home itself or anything outside it."""
    found = {str(path.resolve()) for path in paths} | {str(path.absolute()) for path in paths}
    return tuple(path for path in found if _within(path, home) and path != home)
