"""Level 3: binaries for other platforms from the real source, released and built again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from opencode_patcher import drill, pipeline
from opencode_patcher.base.progress import Reporter, SilentReporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.drill import Report
from opencode_patcher.release import Made, Order, archives
from opencode_patcher.toolchain import platforms, targets
from tests.isolation import Isolation

pytestmark = pytest.mark.upstream

REPORTER = SilentReporter()
SCENARIO = "429"
_TARGET = re.compile(r"\{([^{}]*\bos: \"[^{}]*)\}")
_FIELD = re.compile(r"(\w+): \"?(\w+)\"?")


def one_scenario(binary: Path, reporter: Reporter) -> Report:
    return drill.run(binary, drill.select([SCENARIO]), reporter=reporter)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with pytest.MonkeyPatch.context() as patch:
        # Programs of 130 MB are packed here four times, only for the tests.
        patch.setattr(archives, "LEVEL", 1)
        yield open_store(tmp_path_factory.mktemp("release") / "store")


@pytest.fixture(scope="module")
def released(store: Store, isolation: Isolation, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """This machine's binary, and that for Alpine on an old processor, whose native packages differ."""
    every = targets.select(["all"])
    native = targets.runnable(every, platforms.detect())
    assert native is not None
    chosen = targets.select([native.name, "linux-x64-baseline-musl"])
    order = Order(request=Request(locked=True), targets=chosen)
    with isolation.network():
        return pipeline.release(order, tmp_path_factory.mktemp("released") / "out", store, REPORTER, one_scenario)


def test_upstream_builds_the_targets_that_we_know(released: Made) -> None:
    script = (Path(released.manifest.place) / "packages/opencode/script/build.ts").read_text()
    listed = script.partition("const allTargets")[2].partition("const targets")[0].partition("}[] = [")[2]
    entries = [dict(_FIELD.findall(entry)) for entry in _TARGET.findall(listed)]
    names = [
        "-".join(
            [
                entry["os"].replace("win32", "windows"),
                entry["arch"],
                *(["baseline"] if entry.get("avx2") == "false" else []),
                *([entry["abi"]] if "abi" in entry else []),
            ]
        )
        for entry in entries
    ]
    assert names == list(targets.NAMES)


def test_cross_built_binaries_are_released_and_the_own_one_drilled(released: Made) -> None:
    assert released.report is not None
    assert released.report.passed
    assert [row.scenario for row in released.report.verdicts] == [SCENARIO]
    sizes = {artifact.target: artifact.binary.size for artifact in released.manifest.artifacts}
    assert all(size > 100_000_000 for size in sizes.values())
    assert all(artifact.without == () for artifact in released.manifest.artifacts)
    bill = json.loads((released.directory / "sbom.cdx.json").read_text())
    names = {component["name"] for component in bill["components"]}
    assert {"effect", "@opentui/core-linux-x64-musl"} <= names
    assert "@opentui/core-darwin-arm64" not in names


def test_it_is_built_again_byte_for_byte(released: Made, store: Store) -> None:
    found = pipeline.reproduce(released.directory, Request(), store, REPORTER)
    assert found.differences == ()
    assert {artifact.archive.name for artifact in released.manifest.artifacts} <= set(found.identical)
