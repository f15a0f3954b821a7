"""Nothing of the drill outlives it, and nothing of it listens without a password."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_patcher.base.errors import DrillError
from opencode_patcher.drill.drivers.home import Home, environment
from opencode_patcher.drill.drivers.opencode_server import serving
from tests.base.test_base_guard import is_running, posix_only

Fake = Callable[[str], Path]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.05)


@posix_only
def test_a_killed_drill_leaves_no_server_and_no_home(fake_opencode: Fake, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "opencode_patcher", "verify", "--binary", str(fake_opencode("slow"))]
    env = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as drill:
        until(lambda: [*temporary.rglob("serve.pid")] and [*temporary.rglob("ses_*.json")])
        [server] = [int(path.read_text()) for path in temporary.rglob("serve.pid")]
        drill.send_signal(signal.SIGKILL)
    until(lambda: not is_running(server))
    until(lambda: not [*temporary.iterdir()])


def test_the_server_refuses_requests_without_the_password(fake_opencode: Fake, tmp_path: Path) -> None:
    home = Home(root=tmp_path)
    home.work.mkdir(parents=True)
    with serving(fake_opencode("patched"), home) as server:
        assert server.call("GET", "/global/health") == {"healthy": True, "version": "9.9.9"}
        for password in ("", "guessed"):
            with pytest.raises(DrillError, match="401"):
                type(server)(url=server.url, password=password).call("GET", "/global/health")
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc)
        connection.request("GET", "/global/health")
        assert connection.getresponse().status == 401
        connection.close()


def test_each_home_has_its_own_password(tmp_path: Path) -> None:
    homes = [Home(root=tmp_path), Home(root=tmp_path)]
    passwords = {environment(home, password=True)["OPENCODE_SERVER_PASSWORD"] for home in homes}
    assert len(passwords) == 2
    assert min(len(password or "") for password in passwords) >= 32
    assert environment(homes[0].at("other"), password=True)["OPENCODE_SERVER_PASSWORD"] in passwords
    assert homes[0].password not in repr(homes[0])
