"""An npm registry on 127.0.0.1 that can be told to misbehave, and that remembers what it was asked."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import ssl
import tarfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


def archive(files: Mapping[str, str | bytes]) -> bytes:
    """A package's archive. A name that starts with ``link:`` makes a symbolic link with the content as its target."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name.removeprefix("link:"))
            if name.startswith("link:"):
                member.type, member.linkname = tarfile.SYMTYPE, data.decode()
                made.addfile(member)
                continue
            member.size = len(data)
            made.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@dataclass
class Request:
    path: str
    authorization: str | None
    host: str


@dataclass
class Registry:
    """Answers at ``url`` and records requests in ``requests``."""

    url: str = ""
    documents: dict[str, dict[str, object]] = field(default_factory=dict)
    archives: dict[str, bytes] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    token: str | None = None
    failures: list[int] = field(default_factory=list)
    """Status codes to answer with before answering properly."""
    cut_archives: bool = False
    """Whether an archive's connection ends half-way."""
    redirect_archives_to: str | None = None

    def add(self, package: str, version: str, data: bytes, *, integrity: str | None = None, host: str = "") -> None:
        """Offer a version; ``integrity`` and ``host`` replace what the package's document would truly say."""
        name = f"{package}/-/{version}.tgz"
        self.archives[f"/{name}"] = data
        digest = base64.b64encode(hashlib.sha512(data).digest()).decode()
        versions = self.documents.setdefault(package, {"versions": {}})["versions"]
        assert isinstance(versions, dict)
        versions[version] = {
            "dist": {"tarball": f"{host or self.url}{name}", "integrity": integrity or f"sha512-{digest}"}
        }

    def answer(self, request: Request) -> tuple[int, bytes, dict[str, str]]:
        if self.failures:
            return self.failures.pop(0), b"", {}
        if self.token is not None and request.authorization != self.token:
            return 401, b"", {}
        path = unquote(urlsplit(request.path).path)
        if path in self.archives:
            if self.redirect_archives_to:
                return 302, b"", {"Location": self.redirect_archives_to + path.removeprefix("/")}
            return 200, self.archives[path], {}
        if (document := self.documents.get(path.removeprefix("/"))) is not None:
            return 200, json.dumps(document).encode(), {}
        return 404, b"{}", {}


def serve(registry: Registry, tls: ssl.SSLContext | None = None) -> ThreadingHTTPServer:
    """Start a server for ``registry``, with ``tls`` an encrypted one, which also serves as a proxy for any host. The
    caller shuts it down.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            request = Request(self.path, self.headers.get("Authorization"), self.headers.get("Host", ""))
            registry.requests.append(request)
            code, body, headers = registry.answer(request)
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            cut = registry.cut_archives and self.path in registry.archives
            self.wfile.write(body[: len(body) // 2] if cut else body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    registry.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server
