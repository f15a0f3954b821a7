"""Fixtures of the room: a release of the small upstream for two platforms, made once by the real pipeline and bun."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from opencode_patcher.base.store import open_store
from opencode_patcher.demo.run import request as demo_request
from opencode_patcher.release import Made, archives
from opencode_patcher.toolchain import platforms, targets
from tests.isolation import Isolation
from tests.release.release_workshop import Workshop


@pytest.fixture(scope="session")
def shared_workshop(
    toolbox: Mapping[str, str], isolation: Isolation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workshop]:
    store = open_store(tmp_path_factory.mktemp("release") / "store")
    every = targets.select(["all"])
    native = targets.runnable(every, platforms.detect())
    assert native is not None
    foreign = next(target for target in every if target.system == "darwin" and target != native)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in toolbox.items():
            patch.setenv(name, value)
        # Two programs of 90 MB are packed again and again here, only for the tests.
        patch.setattr(archives, "LEVEL", 0)
        with isolation.network():
            request, lock = demo_request(store)
        yield Workshop(store=store, request=request, lock=lock, native=native, foreign=foreign)


@pytest.fixture
def workshop(shared_workshop: Workshop, tools: None) -> Workshop:
    return shared_workshop


@pytest.fixture(scope="session")
def released(shared_workshop: Workshop, isolation: Isolation, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The release; tests that change it take a copy (``copied``)."""
    with isolation.network():
        return shared_workshop.release(tmp_path_factory.mktemp("released") / "out")


@pytest.fixture
def copied(released: Made, tmp_path: Path) -> Callable[[], Path]:
    def copy() -> Path:
        return Path(shutil.copytree(released.directory, tmp_path / "copy"))

    return copy
