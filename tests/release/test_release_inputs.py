"""A target that lacks a native package is not built, unless it may do without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencode_patcher.base.errors import ToolchainError
from opencode_patcher.base.request import Request
from opencode_patcher.release.inputs import Order, require_complete, stand_in
from opencode_patcher.toolchain import targets
from opencode_patcher.toolchain.bun_lock import Package
from opencode_patcher.toolchain.natives import MissingPackage

LOG = Path("install.log")
CHOSEN = targets.select(["linux-x64", "linux-arm64-musl", "darwin-arm64"])


def missing(name: str, target: str, library: str = "") -> MissingPackage:
    package = Package(place=name, name=name, version="1.0.0", systems=("x",))
    return MissingPackage(package=package, targets=targets.select([target]), library=library)


SCREEN = missing("@opentui/core-linux-arm64-musl", "linux-arm64-musl")
SEARCH = missing("@ff-labs/fff-bin-darwin-arm64", "darwin-arm64", "libfff_c.dylib")


def order(*, allow_missing: bool) -> Order:
    return Order(request=Request(), targets=CHOSEN, allow_missing=allow_missing)


def test_each_missing_package_is_named_with_both_solutions() -> None:
    with pytest.raises(ToolchainError, match="2 of 3 targets cannot be built") as caught:
        require_complete(order(allow_missing=False), [SCREEN, SEARCH], LOG)
    assert "@opentui/core-linux-arm64-musl 1.0.0 for linux-arm64-musl\n" in caught.value.why
    assert "@ff-labs/fff-bin-darwin-arm64 1.0.0 for darwin-arm64 (optional)" in caught.value.why
    assert "--target linux-x64\n" in caught.value.next_step
    assert "--allow-missing" in caught.value.next_step


def test_a_required_package_may_not_be_missing() -> None:
    with pytest.raises(ToolchainError, match="1 of 3 targets cannot be built") as caught:
        require_complete(order(allow_missing=True), [SCREEN, SEARCH], LOG)
    assert "fff-bin" not in caught.value.why
    assert "--target linux-x64 --target darwin-arm64\n" in caught.value.next_step
    assert "--allow-missing" not in caught.value.next_step


def test_a_complete_order_or_allowed_gaps_are_accepted() -> None:
    require_complete(order(allow_missing=False), [], LOG)
    require_complete(order(allow_missing=True), [SEARCH], LOG)


@pytest.mark.parametrize("place", ["node_modules", "node_modules/.bun/@ff-labs+fff-bun@1.0.0/node_modules"])
def test_a_stand_in_is_where_the_package_is_looked_for(tmp_path: Path, place: str) -> None:
    """Beside the package that needs it, with scopes and in both layouts."""
    user = Package(
        place="@ff-labs/fff-bun", name="@ff-labs/fff-bun", version="1.0.0", optional=("@ff-labs/fff-bin-darwin-arm64",)
    )
    directory = tmp_path / place / user.name
    directory.mkdir(parents=True)

    stand_in(SEARCH, [Package(place="other", name="other", version="1.0.0"), user], {(user.name, "1.0.0"): directory})

    assert (tmp_path / place / "@ff-labs" / "fff-bin-darwin-arm64" / "libfff_c.dylib").is_file()
