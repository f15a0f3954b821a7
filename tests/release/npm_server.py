"""A registry for npm on 127.0.0.1 that has the packages of one directory."""

from __future__ import annotations

import base64
import hashlib
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote


def pack(package: Path, place: Path) -> Path:
    """The package as npm would upload it. npm's own ``pack`` takes ten seconds for a program of 90 MB."""
    archive = place / f"{package.name}.tgz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(package, "package")
    return archive


@contextmanager
def serving(packages: list[Path], place: Path) -> Iterator[str]:
    """The address of the registry."""
    known: dict[str, tuple[dict[str, object], Path]] = {}
    for package in packages:
        about = json.loads((package / "package.json").read_text())
        known[about["name"]] = about, pack(package, place)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path.split("?")[0]).lstrip("/")
            data = None
            if path in known:
                data = json.dumps(self.packument(path)).encode()
            elif path.removesuffix(".tgz") in known:
                data = known[path.removesuffix(".tgz")][1].read_bytes()
            self.send_response(200 if data is not None else 404)
            self.send_header("content-length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def packument(self, name: str) -> dict[str, object]:
            about, archive = known[name]
            digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
            address = f"http://{self.headers['host']}/{name}.tgz"
            version = {**about, "dist": {"tarball": address, "integrity": f"sha512-{digest}"}}
            return {"name": name, "dist-tags": {"latest": about["version"]}, "versions": {about["version"]: version}}

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
