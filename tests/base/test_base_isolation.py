"""The guard over the tests: the user's home and the network are out of reach, and the error says why."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from _pytest.outcomes import Failed

from opencode_patcher.base import git, process
from tests.isolation import Isolation

ELSEWHERE = "192.0.2.1"
"""An address that belongs to nobody (RFC 5737)."""


def test_each_test_has_its_own_home(isolation: Isolation, tmp_path: Path) -> None:
    assert Path.home() == tmp_path / "home"
    assert isolation.home not in (Path.home(), *Path.home().parents)
    shown = git.run("config", "--global", "--list", "--show-origin").stdout
    assert str(isolation.home / ".gitconfig") not in shown
    assert "user.name=Test" in shown


def test_a_program_started_with_the_home_of_the_user_is_an_error(isolation: Isolation) -> None:
    with pytest.raises(Failed, match="with HOME="):
        process.run(["git", "--version"], env={"HOME": str(isolation.home)})
    with pytest.raises(Failed, match="with GIT_CONFIG_GLOBAL="):
        process.run(["git", "--version"], env={"GIT_CONFIG_GLOBAL": str(isolation.home / ".gitconfig")})


@pytest.mark.parametrize("name", [".gitconfig", ".config/opencode/opencode.json", ".local/share/opencode/auth.json"])
def test_a_setting_of_the_user_is_not_read(isolation: Isolation, name: str) -> None:
    with pytest.raises(Failed, match="would read"):
        (isolation.home / name).read_bytes()


def test_nothing_is_written_into_the_home_of_the_user(isolation: Isolation) -> None:
    place = isolation.home / "opencode-patcher-test"
    for act in (place.mkdir, place.touch, lambda: place.write_text(""), lambda: shutil.copy(__file__, place)):
        with pytest.raises(Failed, match="would write"):
            act()
    assert not place.exists()


def test_other_machines_are_out_of_reach() -> None:
    with pytest.raises(Failed, match="would connect to"):
        socket.create_connection((ELSEWHERE, 443), timeout=1)
    with pytest.raises(Failed, match="would connect to"):
        socket.getaddrinfo("registry.npmjs.org", 443)


def test_other_machines_are_out_of_reach_of_programs() -> None:
    """Python's own client, git and curl go by the same variables."""
    fetch = f"import urllib.request; urllib.request.urlopen('http://{ELSEWHERE}', timeout=20)"
    done = subprocess.run([sys.executable, "-c", fetch], capture_output=True, text=True, check=False)
    assert "Connection refused" in done.stderr
    assert urllib.request.getproxies()["https"] == "http://127.0.0.1:9"


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as found:
        assert found.getpeername()[0] == "127.0.0.1"


def test_a_test_that_asks_for_the_registry_reaches_it(isolation: Isolation, registry_access: None) -> None:
    with socket.socket() as asked:
        asked.settimeout(0.01)
        assert asked.connect_ex((ELSEWHERE, 9)) != 0
    assert os.environ.get("https_proxy") == isolation.environment.get("https_proxy")
