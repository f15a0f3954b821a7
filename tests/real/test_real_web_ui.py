"""Level 3: the web UI in the binary, as a browser shows it, and what is said where there is none.

What upstream takes from GitHub comes from the npm registry here, so that the test needs no more than the other ones.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import shutil
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest

from opencode_patcher import pipeline
from opencode_patcher.base import git, process
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.drill.drivers.home import Home, environment, prepare
from opencode_patcher.drill.drivers.opencode_server import serving
from opencode_patcher.toolchain import npm_registry, npm_settings
from opencode_patcher.upstream import DEFAULT_SOURCE, lock, repository, workspace, worktree
from tests.isolation import NOBODY, Isolation
from tests.pipeline.small_upstream import unproven

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(3600)]

PACKAGE, VERSION = "ghostty-web", "0.4.0"
"""The dependency that upstream takes from GitHub, and a version of it that the npm registry has."""
TAG = "v1.17.99"
"""Older than the lock's release: a newer one would have to pass the whole drill."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPEN = {"OPENCODE_SERVER_PASSWORD": ""}
"""A page cannot ask for what needs a password in its address."""
SITE = "https://app.opencode.ai"
"""From where upstream loads the web UI that is not embedded."""


@pytest.fixture(scope="session")
def web_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(tmp_path_factory.mktemp("web-ui") / "store")


@pytest.fixture(scope="session")
def source(web_store: Store, isolation: Isolation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of the lock's release in which the web UI depends on nothing but the npm registry."""
    release, reporter = lock.read_lock().release, SilentReporter()
    with isolation.network(), repository.opened(web_store, DEFAULT_SOURCE) as upstream:
        upstream.fetch([release], reporter)
        slim = workspace.closure(upstream.snapshot(release).package_texts(), web_ui=True)
        assert set(slim.elsewhere) == {PACKAGE}
        tree = worktree.checkout(web_store, upstream, release, slim, reporter)
        sha512 = npm_registry.find(npm_settings.read_settings(), PACKAGE, VERSION).sha512
    made = tmp_path_factory.mktemp("source") / "opencode"
    shutil.copytree(tree.path, made, symlinks=True, ignore=shutil.ignore_patterns(".git", "node_modules", "dist"))
    locked = [f"{PACKAGE}@{VERSION}", "", {}, f"sha512-{base64.b64encode(sha512).decode()}"]
    wanted = (rf'"{PACKAGE}": "github:[^"]+"', f'"{PACKAGE}": "{VERSION}"')
    replace(made / "packages/app/package.json", *wanted)
    replace(made / "bun.lock", *wanted)
    replace(made / "bun.lock", rf'(?m)^    "{PACKAGE}": \[.*\],$', f'    "{PACKAGE}": {json.dumps(locked)},')
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.invalid")
    git.run("init", "--quiet", made)
    git.run("-C", made, "add", "--all", "--force")
    git.run("-C", made, *identity, "commit", "--quiet", "--message", TAG)
    git.run("-C", made, "tag", TAG)
    for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        git.run("-C", made, "config", name, "true")
    return made


def replace(path: Path, pattern: str, text: str) -> None:
    """Replace what has to be there once."""
    changed, count = re.subn(pattern, lambda _: text, path.read_text())
    assert count == 1, f"{pattern} is {count} times in {path.name}"
    path.write_text(changed)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare(tmp_path / "home", {})


def test_a_browser_shows_the_page_that_is_in_the_binary(
    source: Path, web_store: Store, home: Home, tmp_path: Path
) -> None:
    request = Request(source=str(source), ref=TAG, locked=True, web_ui="auto")
    built = pipeline.build(request, web_store, SilentReporter(), proof=unproven)
    assert built.build.ingredients.web_ui
    assert not any("web UI" in lack for lack in built.build.ingredients.lacks)

    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("NOT TESTED: no browser is here to load the page")
    with serving(built.binary, home, variables=OPEN) as server:
        command: list[str | Path] = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        command += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        command += [f"--user-data-dir={tmp_path / 'browser'}", "--virtual-time-budget=60000", "--dump-dom", server.url]
        shown = process.run(command, env={"HOME": str(tmp_path), "http_proxy": None, "https_proxy": None}).stdout

    assert "<title>OpenCode</title>" in shown
    assert "New session" in shown, "nothing but the frame of the page: its scripts did not run"


@contextmanager
def web(binary: Path, home: Home) -> Iterator[tuple[str, list[str]]]:
    """Run ``opencode web`` without a network: its address, and the lines that it printed before."""
    env = environment(home) | {"HTTPS_PROXY": NOBODY, "NO_PROXY": "127.0.0.1", "BROWSER": "true"}
    command: list[str | Path] = [binary, "web", "--hostname", "127.0.0.1", "--port", "0"]
    lines: Queue[str] = Queue()
    stop = threading.Event()

    def run() -> None:
        process.converse(command, cwd=home.work, env=env, on_line=lambda _, text: lines.put(text), stop=stop)

    thread = threading.Thread(target=run)
    thread.start()
    seen: list[str] = []
    try:
        while not (found := re.search(r"Web interface:.*(http://[\w.:]+)", seen[-1] if seen else "")):
            seen.append(lines.get(timeout=300))
        while not any(SITE in line for line in seen):
            seen.append(lines.get(timeout=60))
        yield found[1], seen
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(("accept", "kind"), [("text/html,*/*", "text/html"), ("*/*", "text/plain")])
def test_without_the_page_it_is_said_why_there_is_none(patched: Path, home: Home, accept: str, kind: str) -> None:
    with web(patched, home) as (url, printed):
        address = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
        connection.request("GET", "/", headers={"accept": accept})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()

    assert answer.status == 503
    assert answer.getheader("content-type", "").startswith(kind)
    assert "was built without its web UI" in text
    assert SITE in text
    assert "opencode-patcher build --web-ui on" in text
    assert any("--web-ui on" in line for line in printed)
