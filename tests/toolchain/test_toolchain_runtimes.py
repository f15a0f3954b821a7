"""bun's runtimes of other platforms come from the registry, checked, under the names that bun looks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencode_patcher.base.errors import ToolchainError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store
from opencode_patcher.toolchain import runtimes, targets
from opencode_patcher.toolchain.bun import Bun
from tests.toolchain.fake_registry import Registry, archive

REPORTER = SilentReporter()
BUN = Bun(path=Path("bun"), version="1.3.14", origin="PATH")
CHOSEN = targets.select(["linux-x64-baseline-musl", "windows-arm64"])


def offer(registry: Registry, **changes: str) -> None:
    registry.add("@oven/bun-linux-x64-musl-baseline", "1.3.14", archive({"package/bin/bun": b"for linux"}))
    registry.add("@oven/bun-windows-aarch64", "1.3.14", archive({"package/bin/bun.exe": b"for windows"}), **changes)


def test_they_are_where_bun_looks_for_them(registry: Registry, store: Store) -> None:
    offer(registry)
    found = runtimes.ensure(store, BUN, CHOSEN, {}, REPORTER)
    assert sorted((path.name, path.read_bytes()) for path in found.directory.glob("*14")) == [
        ("bun-linux-x64-musl-baseline-v1.3.14", b"for linux"),
        ("bun-windows-aarch64-v1.3.14", b"for windows"),
    ]
    assert found.path(CHOSEN[0]).name == "bun-linux-x64-musl-baseline-v1.3.14"


def test_existing_ones_are_not_fetched_again(registry: Registry, store: Store) -> None:
    offer(registry)
    runtimes.ensure(store, BUN, CHOSEN[:1], {}, REPORTER)
    before = len(registry.requests)
    runtimes.ensure(store, BUN, CHOSEN[:1], {}, REPORTER)
    assert len(registry.requests) == before
    runtimes.ensure(store, BUN, CHOSEN, {}, REPORTER)
    asked = [request.path for request in registry.requests[before:]]
    assert asked
    assert all("bun-windows-aarch64" in path for path in asked)


def test_a_damaged_one_is_not_used(registry: Registry, store: Store) -> None:
    offer(registry, integrity="sha512-" + "A" * 86 + "==")
    with pytest.raises(ToolchainError, match="cannot be fetched"):
        runtimes.ensure(store, BUN, CHOSEN, {}, REPORTER)
    assert not (store.toolchains / "runtimes-1.3.14" / "bun-windows-aarch64-v1.3.14").exists()
