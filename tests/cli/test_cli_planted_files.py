"""Nothing in the current directory is run, or affects what is run, with any command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opencode_patcher import __main__
from opencode_patcher.base import errors
from opencode_patcher.base.store import open_store
from opencode_patcher.cli import COMMANDS
from tests.cli.cli_samples import CommandLine
from tests.install.install_samples import make_build
from tests.toolchain.fake_registry import Registry, serve
from tests.upstream.fake_upstream import Upstream

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the traps are shell scripts")

PROGRAMS = ("git", "bun", "bunx", "node", "npm", "uv", "pip", "python", "python3", "gh", "ssh", "codesign", "sysctl")
MODULES = ("pip", "sitecustomize", "usercustomize", "click", "git", "json", "jinja2")


@pytest.fixture
def elsewhere() -> Iterator[Registry]:
    """The registry that the planted settings name."""
    registry = Registry()
    server = serve(registry)
    yield registry
    server.shutdown()
    server.server_close()


@pytest.fixture
def trap(tmp_path: Path, elsewhere: Registry, git: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """A project full of traps as the current directory; tells which of them were triggered."""
    project, sprung = tmp_path / "project", tmp_path / "sprung"
    (project / "node_modules" / ".bin").mkdir(parents=True)
    sprung.mkdir()

    def plant(path: Path) -> Path:
        name = path.relative_to(project).as_posix().replace("/", "-")
        path.write_text(f"#!/bin/sh\n: > '{sprung}/{name}'\nexit 1\n")
        path.chmod(0o755)
        return path

    for program in PROGRAMS:
        plant(project / program)
        plant(project / "node_modules" / ".bin" / program)
    for module in MODULES:
        (project / f"{module}.py").write_text(f"open({str(sprung / module)!r}, 'w')\n")
    (project / "evil.ts").write_text(f'require("fs").writeFileSync({json.dumps(str(sprung / "evil.ts"))}, "")\n')
    (project / "bunfig.toml").write_text(f'preload = ["./evil.ts"]\n[install]\nregistry = "{elsewhere.url}"\n')
    (project / ".npmrc").write_text(f"registry={elsewhere.url}\n@oven:registry={elsewhere.url}\n")
    (project / "uv.toml").write_text(f'index-url = "{elsewhere.url}"\n')
    (project / "pip.conf").write_text(f"[global]\nindex-url = {elsewhere.url}\n")
    (project / ".env").write_text(f"npm_config_registry={elsewhere.url}\n")
    subprocess.run([git, "init", "--quiet", str(project)], check=True)
    monitor, hook = plant(project / "monitor"), plant(project / "hook")
    (project / "hooks").mkdir()
    for name in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction", "pre-push"):
        plant(project / "hooks" / name)
        (project / ".git" / "hooks" / name).write_text(hook.read_text())
        (project / ".git" / "hooks" / name).chmod(0o755)
    with (project / ".git" / "config").open("a") as config:
        config.write(
            f"[core]\n\tfsmonitor = {monitor}\n\thooksPath = {project}/hooks\n\tsshCommand = {hook}\n\tpager = {hook}\n"
            f"\taskPass = {hook}\n\tgitProxy = {hook}\n[credential]\n\thelper = !{hook}\n[diff]\n\texternal = {hook}\n"
            f'[url "ext::{hook} "]\n\tinsteadOf = {tmp_path}\n\tinsteadOf = https://\n[protocol]\n\tallow = always\n'
        )
    monkeypatch.chdir(project)
    # As in the PATH of somebody who never looks at it.
    monkeypatch.setenv(
        "PATH", os.pathsep.join([".", "", "node_modules/.bin", str(Path(git).parent), "/usr/bin", "/bin"])
    )
    return lambda: sorted(path.name for path in sprung.iterdir())


@pytest.fixture
def commands(upstream: Upstream, tmp_path: Path) -> dict[str, list[list[str]]]:
    """Every command, as far as it gets without a network."""
    make_build(open_store(), "first")
    source = ["--source", upstream.source]
    binary = tmp_path / "opencode"
    binary.write_text("#!/bin/sh\necho 1.17.90\n")
    binary.chmod(0o755)
    (tmp_path / "models.json").write_text('{"a": {"id": "a", "name": "A", "models": {}}}')
    (tmp_path / "report.json").write_text(json.dumps({"binary": "b", "version": "1", "scenarios": []}))
    return {
        "build": [["build", "v1.17.90", *source]],
        "verify": [["verify", "--binary", str(binary)]],
        "compare": [["compare", str(tmp_path / "report.json"), str(tmp_path / "report.json")]],
        "release": [["release", "v1.17.90", "--target", "all", "--out", str(tmp_path / "out"), *source]],
        "channels": [["channels", str(tmp_path / "out"), "--out", str(tmp_path / "channels")]],
        "reproduce": [["reproduce", str(tmp_path / "out")]],
        "install": [["install", "--dry-run"], ["install"]],
        "status": [["status"]],
        "list": [["list"]],
        "rollback": [["rollback"]],
        "uninstall": [["uninstall"]],
        "prune": [["prune"]],
        "config": [["config"]],
        "doctor": [["doctor", *source]],
        "demo": [["demo"]],
        "models": [["models", "groups", "--catalog", str(tmp_path / "models.json")]],
        "health": [["health"], ["health", "clear"]],
        "attempts": [["attempts"]],
        "failures": [["failures", "explain", "429 Too Many Requests"]],
        "check": [["check", "v1.17.90", *source]],
        "update": [["update", "--check-only", *source]],
        "patches": [
            ["patches", "list"],
            ["patches", "refresh", "--check", *source],
            ["patches", "rebase", "v1.17.90", *source],
            ["patches", "rebase", "--abort"],
        ],
        "ci": [["ci", "init", "--dry-run"]],
        "help": [["help", "exit-codes"]],
    }


def test_no_command_runs_what_is_planted_in_the_current_directory(
    trap: Callable[[], list[str]],
    commands: dict[str, list[list[str]]],
    elsewhere: Registry,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert commands.keys() == COMMANDS.keys()
    nobody = "http://127.0.0.1:9/"
    for name, value in {"npm_config_registry": nobody, "PIP_INDEX_URL": nobody, "PIP_RETRIES": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("opencode_patcher.toolchain.npm_registry.PAUSE_SECONDS", 0.0)
    for words in (words for several in commands.values() for words in several):
        code = __main__.run(words)
        said = capsys.readouterr()
        assert code != errors.UNEXPECTED, said.err
        assert trap() == [], words
    assert elsewhere.requests == []


def test_the_start_of_the_program_and_of_what_it_starts(
    trap: Callable[[], list[str]], command_line: CommandLine, elsewhere: Registry
) -> None:
    """In a process of its own, as it is installed: the catalogue is fetched by another Python."""
    installed = Path(sys.executable).with_name("opencode-patcher")
    if not installed.exists():
        pytest.skip("opencode-patcher is not installed beside this Python")
    nobody = "http://127.0.0.1:9/"
    variables = {"PIP_INDEX_URL": nobody, "PIP_RETRIES": "0", "npm_config_registry": nobody}
    done = subprocess.run(
        [installed, "models", "groups", "--all"],
        env={**command_line.environment(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "cannot be fetched" in done.stderr
    assert trap() == []
    assert elsewhere.requests == []


def test_a_new_process_does_not_run_the_git_of_the_current_directory(
    trap: Callable[[], list[str]], upstream: Upstream
) -> None:
    """GitPython looks for git once, when it is imported."""
    command = [sys.executable, "-I", "-m", "opencode_patcher", "check", "v1.17.90", "--source", upstream.source]
    subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert trap() == []
