"""The web UI is embedded if its dependencies are available, and it is said why if they are not."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from opencode_patcher import pipeline
from opencode_patcher.base.line import OPENCODE_1
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.request import Request, WebUi
from opencode_patcher.base.store import Store
from opencode_patcher.toolchain import web_ui
from opencode_patcher.upstream.workspace import NoWebUIError


class Notes(SilentReporter):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


class Attempts:
    """Builds that fail with the web UI as long as something is ``missing``."""

    def __init__(self, *, missing: bool) -> None:
        self.missing = missing
        self.seen: list[WebUi] = []
        self.told: list[str] = []

    def __call__(self, request: Request) -> str:
        self.seen.append(request.web_ui)
        self.told.append(request.web_ui_missing)
        if self.missing and request.embeds_web_ui:
            raise web_ui.MissingError("The dependencies are not available.", why="$ bun install\nerror: No network.")
        return f"built with the web UI {'on' if request.embeds_web_ui else 'off'}"


def decide(store: Store, notes: Notes, attempts: Attempts, wanted: WebUi = "auto") -> str:
    return web_ui.embedded_if_possible(Request(web_ui=wanted), store, notes, attempts)


def test_it_is_embedded_when_everything_is_there(store: Store) -> None:
    notes, attempts = Notes(), Attempts(missing=False)

    assert decide(store, notes, attempts) == "built with the web UI on"
    assert notes.warnings == []
    assert decide(store, notes, attempts) == "built with the web UI on"
    assert attempts.seen == ["auto", "on"], "what was there need not be looked for again"


def test_it_is_left_out_with_a_warning_and_not_tried_again_at_once(store: Store) -> None:
    notes, attempts = Notes(), Attempts(missing=True)

    assert decide(store, notes, attempts) == "built with the web UI off"
    assert decide(store, notes, attempts) == "built with the web UI off"

    assert attempts.seen == ["auto", "off", "off"]
    missing = "The dependencies are not available. error: No network."
    assert attempts.told == ["", missing, missing]
    assert notes.warnings == [f"The web UI is left out. {missing} To insist on it: --web-ui on"]
    assert pipeline.lacks(Request(web_ui_missing=missing), "") == (f"The web UI is not embedded. {missing}",)


def test_after_a_day_it_is_tried_again(store: Store) -> None:
    decide(store, Notes(), Attempts(missing=True))
    (note,) = store.toolchains.iterdir()
    yesterday = time.time() - web_ui.TRY_AGAIN_SECONDS - 1
    os.utime(note, (yesterday, yesterday))

    assert decide(store, Notes(), Attempts(missing=False)) == "built with the web UI on"


def test_a_web_ui_that_does_not_build_is_left_out_too(store: Store) -> None:
    def attempt(request: Request) -> str:
        if request.embeds_web_ui:
            raise web_ui.FailedError("The web UI could not be built.", why="error: out of memory")
        return "built"

    notes = Notes()

    assert web_ui.embedded_if_possible(Request(web_ui="auto"), store, notes, attempt) == "built"
    assert "could not be built. error: out of memory" in notes.warnings[0]


def test_it_is_tried_again_when_the_build_without_it_failed_too(store: Store) -> None:
    def attempt(request: Request) -> str:
        raise web_ui.MissingError("The dependencies are not available.", why="No network.")

    with pytest.raises(web_ui.MissingError):
        web_ui.embedded_if_possible(Request(web_ui="auto"), store, Notes(), attempt)

    assert decide(store, Notes(), Attempts(missing=False)) == "built with the web UI on"


@pytest.mark.parametrize("wanted", ["on", "off"])
def test_what_is_asked_for_is_not_decided_again(store: Store, wanted: WebUi) -> None:
    attempts = Attempts(missing=True)
    if wanted == "on":
        with pytest.raises(web_ui.MissingError):
            decide(store, Notes(), attempts, wanted)
    else:
        decide(store, Notes(), attempts, wanted)
    assert attempts.seen == [wanted]


def test_a_line_without_a_web_ui_is_built_without_a_warning(store: Store) -> None:
    notes, attempts = Notes(), Attempts(missing=True)
    request = Request(web_ui="auto", line=replace(OPENCODE_1, web_ui=""))

    assert web_ui.embedded_if_possible(request, store, notes, attempts) == "built with the web UI off"
    assert (attempts.seen, notes.warnings) == (["off"], [])


def test_a_release_without_a_web_ui_is_built_without_a_warning(store: Store) -> None:
    def attempt(request: Request) -> str:
        if request.embeds_web_ui:
            raise NoWebUIError("This release has no web UI to embed.")
        return "built"

    notes = Notes()

    assert web_ui.embedded_if_possible(Request(web_ui="auto"), store, notes, attempt) == "built"
    assert notes.warnings == []


@pytest.fixture
def host() -> Iterator[str]:
    """A host that has one archive."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200 if self.path == "/there.tgz" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_dependency_that_is_there_is_not_missing(host: str) -> None:
    web_ui.require_reachable({"there": f"{host}/there.tgz", "unknown": "git+ssh://git@example.invalid/x.git"})


def test_a_dependency_that_its_host_does_not_have_is_named(host: str) -> None:
    with pytest.raises(web_ui.MissingError) as caught:
        web_ui.require_reachable({"there": f"{host}/there.tgz", "gone": f"{host}/gone.tgz"})
    assert (
        web_ui.reason(caught.value)
        == "It needs gone, which is not available from 127.0.0.1. HTTP Error 404: Not Found."
    )


def test_a_host_that_never_answers_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_ui, "PATIENCE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(web_ui.MissingError, match="timed out"):
        web_ui.require_reachable({"slow": f"http://127.0.0.1:{silent.getsockname()[1]}/slow.tgz"})


@pytest.mark.parametrize(
    ("wanted", "address"),
    [
        ("github:owner/name#0123abc", "https://api.github.com/repos/owner/name/tarball/0123abc"),
        ("owner/name", "https://api.github.com/repos/owner/name/tarball/"),
        ("https://pkg.example.invalid/x@1", "https://pkg.example.invalid/x@1"),
        ("git+https://example.invalid/x.git#main", "https://example.invalid/x.git"),
        ("git+ssh://git@example.invalid/x.git", None),
    ],
)
def test_where_a_dependency_comes_from(wanted: str, address: str | None) -> None:
    assert web_ui.address(wanted) == address
