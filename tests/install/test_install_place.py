"""Where the program goes, from the environment alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from opencode_patcher.base.errors import UsageError
from opencode_patcher.install.place import choose, claimed
from opencode_patcher.install.systems.posix import Posix
from opencode_patcher.install.systems.windows import Windows

HOME = {"HOME": "/home/ada"}


def chosen(environment: dict[str, str], **known: Path | None) -> Path:
    return choose(Posix(), environment, **{"wanted": None, "active": None, "recorded": None} | known)


def test_the_default_follows_the_environment() -> None:
    assert chosen(HOME) == Path("/home/ada/.local/bin/opencode")
    assert chosen(HOME | {"XDG_BIN_HOME": "/opt/ada"}) == Path("/opt/ada/opencode")
    assert Windows().default_bin_dir({"USERPROFILE": "/users/ada"}) == Path("/users/ada/.bun/bin")


@pytest.mark.parametrize("environment", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_without_a_home_the_directory_has_to_be_named(environment: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="--bin-dir DIR"):
        chosen(environment)
    assert chosen(environment, wanted=Path("/opt/bin")) == Path("/opt/bin/opencode")


def test_windows_without_a_home() -> None:
    with pytest.raises(UsageError, match="USERPROFILE"):
        Windows().default_bin_dir({})


def test_a_relative_xdg_bin_home_is_refused() -> None:
    with pytest.raises(UsageError, match="bin is not an absolute path"):
        chosen(HOME | {"XDG_BIN_HOME": "bin"})


def test_the_last_place_is_the_default_of_the_next_install() -> None:
    assert chosen(HOME, recorded=Path("/opt/bin/opencode")) == Path("/opt/bin/opencode")


def test_a_relative_directory_starts_from_the_current_one() -> None:
    assert chosen(HOME, wanted=Path("bin/../tools")) == Path.cwd() / "tools" / "opencode"


def test_a_directory_that_path_cannot_hold() -> None:
    with pytest.raises(UsageError, match="PATH separates its directories"):
        chosen(HOME, wanted=Path(f"/opt/a{os.pathsep}b"))


@pytest.mark.skipif(sys.platform == "win32", reason="names are no bytes there")
def test_a_directory_whose_name_is_not_utf_8() -> None:
    odd = os.fsdecode(b"/opt/caf\xe9")
    for environment, wanted in ((HOME, Path(odd)), ({"XDG_BIN_HOME": odd}, None), ({"HOME": odd}, None)):
        with pytest.raises(UsageError, match="Its name is not UTF-8"):
            chosen(environment, wanted=wanted)


@pytest.mark.parametrize(
    ("path", "separator", "part"),
    [
        ("/home/ada/.local/share/opencode-patcher/installed/x/opencode", "/", None),
        ("/home/ada/.local/bin/store/installed/x/opencode", "/", ".local/bin"),
        ("/home/ada/.opencode/bin/opencode", "/", ".opencode/bin"),
        ("C:\\Users\\ada\\.bun\\bin\\opencode.exe", "\\", None),
        ("C:\\Users\\ada\\.opencode\\bin\\opencode.exe", "\\", ".opencode\\bin"),
    ],
)
def test_paths_that_upstreams_updater_would_overwrite(path: str, separator: str, part: str | None) -> None:
    assert claimed(path, separator) == part
