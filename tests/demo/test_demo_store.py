"""The demonstration's store inside the user's: builds apart, toolchains in common."""

from __future__ import annotations

from opencode_patcher.base.store import Store


def test_an_inner_store_shares_the_toolchains_and_nothing_else(store: Store) -> None:
    inner = store.inner("demo")

    assert inner.toolchains == store.toolchains
    for mine, theirs in ((inner.builds, store.builds), (inner.trees, store.trees), (inner.sources, store.sources)):
        assert mine != theirs
        assert mine.is_relative_to(store.root)


def test_an_inner_store_of_an_inner_store_shares_the_outermost_toolchains(store: Store) -> None:
    assert store.inner("demo").inner("again").toolchains == store.toolchains


def test_locks_of_inner_and_outer_store_are_independent(store: Store) -> None:
    with store.mutex("build", wait=False), store.inner("demo").mutex("build", wait=False):
        pass
