"""The web UI is embedded when its dependencies can be had."""

from __future__ import annotations

from dataclasses import replace

import pytest

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

    def __call__(self, request: Request) -> str:
        self.seen.append(request.web_ui)
        if self.missing and request.embeds_web_ui:
            raise web_ui.MissingError("The dependencies of the web UI are not available.", why="No network.")
        return f"built with the web UI {request.web_ui}"


def decide(store: Store, notes: Notes, attempts: Attempts, wanted: WebUi = "auto") -> str:
    return web_ui.embedded_if_possible(Request(web_ui=wanted), store, notes, attempts)


def test_it_is_embedded_when_everything_is_there(store: Store) -> None:
    notes, attempts = Notes(), Attempts(missing=False)

    assert decide(store, notes, attempts) == "built with the web UI on"
    assert notes.warnings == []


def test_it_is_left_out_with_a_warning_and_not_tried_again_at_once(store: Store) -> None:
    notes, attempts = Notes(), Attempts(missing=True)

    assert decide(store, notes, attempts) == "built with the web UI off"
    assert decide(store, notes, attempts) == "built with the web UI off"

    assert attempts.seen == ["on", "off", "off"]
    (warning,) = notes.warnings
    assert "No network." in warning
    assert "--web-ui on" in warning


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
