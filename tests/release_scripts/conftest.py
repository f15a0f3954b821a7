from __future__ import annotations

import functools
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.release_scripts.script_samples import Machine, make_machine, make_release


@dataclass(frozen=True, kw_only=True)
class Web:
    """A server on 127.0.0.1 that serves ``root``. Of a name in ``cut`` it sends so many bytes, and hangs up."""

    root: Path
    url: str
    asked: list[str] = field(default_factory=list)
    cut: dict[str, int] = field(default_factory=dict)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: Any, web: Web, **others: Any) -> None:
        self.web = web
        super().__init__(*arguments, directory=str(web.root), **others)

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        self.web.asked.append(name)
        if name not in self.web.cut:
            super().do_GET()
            return
        content = (self.web.root / self.path.lstrip("/")).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: self.web.cut[name]])
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Redirecting(_Handler):
    def __init__(self, *arguments: Any, to: str, **others: Any) -> None:
        self.to = to
        super().__init__(*arguments, **others)

    def do_GET(self) -> None:
        if not self.path.startswith("/to-http/"):
            super().do_GET()
            return
        self.send_response(302)
        self.send_header("Location", self.to + self.path.removeprefix("/to-http"))
        self.send_header("Content-Length", "0")
        self.end_headers()


def served(server: ThreadingHTTPServer, web: Web) -> Iterator[Web]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield web
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    root = tmp_path / "web"
    root.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    web = Web(root=root, url=f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = functools.partial(_Handler, web=web)
    yield from served(server, web)


@pytest.fixture
def secure(web: Web, tmp_path: Path) -> Iterator[Web]:
    """The same over https, with an unknown certificate; below ``/to-http`` it redirects to ``web``."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl for a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    secure = Web(root=web.root, url=f"https://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = functools.partial(_Redirecting, web=secure, to=web.url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    yield from served(server, secure)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return make_machine(tmp_path / "machine")


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return make_release(tmp_path / "first", "first")


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return make_release(tmp_path / "second", "second")


@pytest.fixture
def installed(machine: Machine, first: Path) -> Machine:
    """A machine on which the first release is installed."""
    assert machine.install(OPENCODE_RELEASE_URL=first).returncode == 0
    return machine
