"""No test may touch the files of the user: HOME, git configuration and store are in a directory of the test's own."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import HOME_VARIABLE, Store, open_store

TOOLS_VARIABLE = "OPENCODE_PATCHER_TEST_TOOLS"
"""A directory in which tools that tests need (bun) are kept from run to run."""

REQUIRED_BUN = "1.3.14"

REAL_HOME = Path.home()
NPM_SETTINGS = (".npmrc", ".bunfig.toml")
"""Where a user may have named the package registry that can be reached."""


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Ctrl-C reaches the programs that tests start, also where the tests run in the background of a shell."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A HOME of the test's own. The test fails when something was written into the real one's git configuration."""
    real = Path.home() / ".gitconfig"
    before = real.read_bytes() if real.is_file() else None
    home = tmp_path / "home"
    home.mkdir()
    config = home / ".gitconfig"
    config.write_text("[user]\n\tname = Test\n\temail = test@example.invalid\n[init]\n\tdefaultBranch = main\n")
    for name in [name for name in os.environ if name.startswith(("XDG_", "OPENCODE_"))]:
        if name != TOOLS_VARIABLE:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv(HOME_VARIABLE, str(home / "store"))
    yield home
    after = real.read_bytes() if real.is_file() else None
    assert before == after, "a test changed the user's git configuration"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return open_store(tmp_path / "store")


@pytest.fixture(scope="session")
def bun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real bun: the one on PATH, else fetched once from the npm registry."""
    from opencode_patcher.toolchain import bun as toolchain

    kept = os.environ.get(TOOLS_VARIABLE)
    root = Path(kept) if kept else tmp_path_factory.mktemp("tools")
    return toolchain.ensure(open_store(root / "store"), REQUIRED_BUN, SilentReporter()).path


@pytest.fixture(scope="session")
def toolbox(bun: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Variables by which a real bun is found, and by which packages are fetched only once."""
    return {
        "PATH": os.pathsep.join([str(bun.parent), os.environ["PATH"]]),
        "BUN_INSTALL_CACHE_DIR": str(tmp_path_factory.mktemp("bun-cache")),
    }


@pytest.fixture
def tools(toolbox: Mapping[str, str], isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real bun on PATH, and the user's package registry."""
    for name, value in toolbox.items():
        monkeypatch.setenv(name, value)
    for name in NPM_SETTINGS:
        if (REAL_HOME / name).is_file():
            shutil.copy(REAL_HOME / name, isolated / name)


@pytest.fixture(scope="session")
def git() -> str:
    """The path of a real git."""
    found = shutil.which("git")
    assert found, "the tests need git"
    return found
