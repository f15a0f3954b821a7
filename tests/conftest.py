"""No test may touch the files of the user or leave this machine, and none depends on luck."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import Scheduling

from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import HOME_VARIABLE, Store, open_store
from tests import forks, scheduling
from tests.isolation import NOBODY, PROXIES, Isolation

settings.register_profile(
    "repeatable", derandomize=True, database=None, deadline=None, print_blob=True, max_examples=40
)
settings.register_profile(
    "search", database=None, deadline=None, print_blob=True, max_examples=int(os.environ.get("PROPERTY_RUNS", "1000"))
)
settings.load_profile(os.environ.get("PROPERTY_PROFILE", "repeatable"))
"""``make fuzz`` (tests/fuzz.py) asks for the second. No deadline: how long an example takes depends on the machine."""

TOOLS_VARIABLE = "OPENCODE_PATCHER_TEST_TOOLS"
"""A directory in which tools that tests need (bun) are kept from run to run."""

REQUIRED_BUN = "1.3.14"

NPM_SETTINGS = (".npmrc", ".bunfig.toml")
"""Where a user may have named the package registry that can be reached."""

GUARD = pytest.StashKey[Isolation]()
GITCONFIG = "[user]\n\tname = Test\n\temail = test@example.invalid\n[init]\n\tdefaultBranch = main\n"


def pytest_configure(config: pytest.Config) -> None:
    kept = os.environ.get(TOOLS_VARIABLE)
    allowed = (config.rootpath, *([Path(kept)] if kept else []))
    config.stash[GUARD] = Isolation(Path.home(), os.environ, allowed)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return scheduling.Rooms(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """``make fuzz`` runs what has this mark: every property test, whatever searches for it."""
    items.sort(key=lambda item: scheduling.rank(item.nodeid))
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("property")


@pytest.fixture(scope="session")
def isolation(pytestconfig: pytest.Config) -> Isolation:
    """The guard over the user's home and the network."""
    return pytestconfig.stash[GUARD]


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Ctrl-C reaches the programs that tests start, also where the tests run in the background of a shell."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def session_home(isolation: Isolation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for what several tests share; the user's own is out of reach from here on."""
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(tmp_path_factory.mktemp("session") / "home", patch)
        for name in PROXIES:
            patch.setenv(name, NOBODY)
            patch.setenv(name.upper(), NOBODY)
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, "127.0.0.1,localhost,::1")
        isolation.on = True
        yield home
        isolation.on = False


@pytest.fixture(autouse=True)
def isolated(session_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own."""
    return make_home(tmp_path / "home", monkeypatch)


def make_home(home: Path, patch: pytest.MonkeyPatch) -> Path:
    """An empty home with its git configuration, to which the environment points."""
    home.mkdir()
    config = home / ".gitconfig"
    config.write_text(GITCONFIG)
    for name in [name for name in os.environ if name.startswith(("XDG_", "OPENCODE_"))]:
        if name != TOOLS_VARIABLE:
            patch.delenv(name)
    patch.setenv("HOME", str(home))
    patch.setenv("USERPROFILE", str(home))
    patch.setenv("GIT_CONFIG_GLOBAL", str(config))
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    patch.setenv(HOME_VARIABLE, str(home / "store"))
    return home


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return open_store(tmp_path / "store")


@pytest.fixture(scope="session")
def bun(isolation: Isolation, session_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real bun: the one on PATH, else fetched once from the npm registry."""
    from opencode_patcher.toolchain import bun as toolchain
    from opencode_patcher.upstream.lock import read_lock

    kept = os.environ.get(TOOLS_VARIABLE)
    root = Path(kept) if kept else tmp_path_factory.mktemp("tools")
    isolation.lend(session_home, NPM_SETTINGS)
    with isolation.network():
        return toolchain.ensure(open_store(root / "store"), REQUIRED_BUN, read_lock().bun, SilentReporter()).path


@pytest.fixture(scope="session")
def toolbox(bun: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Variables by which a real bun is found, and by which packages are fetched only once."""
    return {
        "PATH": os.pathsep.join([str(bun.parent), os.environ["PATH"]]),
        "BUN_INSTALL_CACHE_DIR": str(tmp_path_factory.mktemp("bun-cache")),
    }


@pytest.fixture
def registry_access(isolation: Isolation, isolated: Path) -> Iterator[None]:
    """The user's package registry may be asked."""
    isolation.lend(isolated, NPM_SETTINGS)
    with isolation.network():
        yield


@pytest.fixture
def tools(toolbox: Mapping[str, str], registry_access: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real bun on PATH, and the user's package registry."""
    for name, value in toolbox.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def fork(session_home: Path) -> Iterator[forks.Start]:
    """Starts the command line in a process of its own."""
    with forks.serving() as start:
        yield start


@pytest.fixture(scope="session")
def git() -> str:
    """The path of a real git."""
    found = shutil.which("git")
    assert found, "the tests need git"
    return found
