"""Upstream's build is run with everything pinned, and its result is found and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_patcher.errors import BuildError
from opencode_patcher.progress import SilentReporter
from opencode_patcher.toolchain import build
from opencode_patcher.toolchain.build import BuildOptions
from opencode_patcher.toolchain.bun import Bun
from opencode_patcher.upstream.tree import Tree

REPORTER = SilentReporter()
MakeBun = Callable[[str], Bun]
BUILD = """
echo "in $(basename "$PWD"): $*"
env | grep -E '^(OPENCODE|MODELS|VITE|XDG|NODE_ENV)' | sort
out=dist/opencode-linux-x64
mkdir -p $out/bin
printf program > $out/bin/opencode
echo '{"version": "'$OPENCODE_VERSION'"}' > $out/package.json
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "build.log"


@pytest.fixture
def options(tmp_path: Path) -> BuildOptions:
    models = tmp_path / "models.json"
    models.write_text("{}")
    return BuildOptions(version="1.18.3", models_json=models)


def test_the_binary_is_found_with_its_digest(tree: Tree, make_bun: MakeBun, log: Path, options: BuildOptions) -> None:
    binary = build.build(make_bun(BUILD), tree, options, REPORTER, log)
    assert binary.path == tree.path / "packages/opencode/dist/opencode-linux-x64/bin/opencode"
    assert binary.version == "1.18.3"
    assert binary.sha256 == hashlib.sha256(b"program").hexdigest()
    assert binary.seconds > 0


@pytest.mark.parametrize("web_ui", [False, True])
def test_the_flags(tree: Tree, make_bun: MakeBun, log: Path, options: BuildOptions, web_ui: bool) -> None:
    chosen = BuildOptions(version=options.version, models_json=options.models_json, web_ui=web_ui)
    build.build(make_bun(BUILD), tree, chosen, REPORTER, log)
    flags = "--single --skip-install" + ("" if web_ui else " --skip-embed-web-ui")
    assert log.read_text().splitlines()[0] == f"in opencode: run build {flags}"


def test_the_environment_is_pinned_and_the_users_left_out(
    tree: Tree, make_bun: MakeBun, log: Path, options: BuildOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENCODE_RELEASE", "OPENCODE_BUMP", "OPENCODE_MODELS_URL", "NODE_ENV", "VITE_X", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, "the user's")
    monkeypatch.setenv("OPENCODE_CHANNEL", "dev")
    build.build(make_bun(BUILD), tree, options, REPORTER, log)
    seen = dict(line.split("=", 1) for line in log.read_text().splitlines()[1:])
    scratch = {name: seen.pop(name) for name in list(seen) if name.startswith("XDG_")}
    assert seen == {
        "MODELS_DEV_API_JSON": str(options.models_json),
        "OPENCODE_CHANNEL": "latest",
        "OPENCODE_VERSION": "1.18.3",
    }
    assert set(scratch) == {"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"}
    assert "the user's" not in scratch.values()


def test_a_failing_build_shows_its_end_and_the_log(
    tree: Tree, make_bun: MakeBun, log: Path, options: BuildOptions
) -> None:
    script = "i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); done; echo 'error: no such module' >&2; exit 3"
    with pytest.raises(BuildError) as caught:
        build.build(make_bun(script), tree, options, REPORTER, log)
    assert "error: no such module" in caught.value.why
    assert "line 0\n" not in caught.value.why
    assert str(log) in caught.value.next_step
    assert "line 0\n" in log.read_text()


def test_a_failing_build_with_web_ui_says_how_to_do_without(
    tree: Tree, make_bun: MakeBun, log: Path, options: BuildOptions
) -> None:
    chosen = BuildOptions(version="1.18.3", models_json=options.models_json, web_ui=True)
    with pytest.raises(BuildError) as caught:
        build.build(make_bun("exit 1"), tree, chosen, REPORTER, log)
    assert "--no-web-ui" in caught.value.next_step


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("true", "no binary"),
        (BUILD + "mkdir -p dist/opencode-x/bin; touch dist/opencode-x/bin/opencode", "no binary"),
        (BUILD + "rm $out/package.json", "which version"),
        (BUILD + "echo '[]' > $out/package.json", "which version"),
        (BUILD.replace("$OPENCODE_VERSION", "0.0.0-dev-1"), "0.0.0-dev-1 instead of 1.18.3"),
    ],
)
def test_a_build_that_leaves_something_else(
    tree: Tree, make_bun: MakeBun, log: Path, options: BuildOptions, script: str, reason: str
) -> None:
    with pytest.raises(BuildError) as caught:
        build.build(make_bun(script), tree, options, REPORTER, log)
    assert reason in caught.value.what
    assert str(log) in caught.value.next_step
