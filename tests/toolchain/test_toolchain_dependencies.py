"""Dependencies are installed from upstream's lock file, and only when something changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_patcher.base import git
from opencode_patcher.base.errors import StoreError, ToolchainError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.toolchain import dependencies
from opencode_patcher.toolchain.bun import Bun
from opencode_patcher.upstream.worktree import Worktree

REPORTER = SilentReporter()
INSTALL = """
echo "$PWD: $*"
if [ "$1" = install ]; then
  cp bun.lock "lock-$(ls | grep -c '^lock-')"
  for d in . packages/opencode; do mkdir -p $d/node_modules; echo "$$" > $d/node_modules/one; done
fi
"""
MakeBun = Callable[[str], Bun]


class Warnings(SilentReporter):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "install.log"


def calls(log: Path, tree: Worktree) -> list[str]:
    return [line.replace(str(tree.path), ".") for line in log.read_text().splitlines()]


def test_lifecycle_scripts_do_not_run_except_the_named_one(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    assert dependencies.install(make_bun(INSTALL), tree, REPORTER, log) is True
    assert calls(log, tree) == [
        ".: install --ignore-scripts --no-save",
        "./packages/core: run fix-node-pty",
        "Scripts of dependencies that were not run: none",
        "Not run: postinstall of ./packages/core: true",
    ]


def test_an_installation_sees_registry_settings_and_no_other_secrets(
    tree: Worktree, make_bun: MakeBun, log: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "GITHUB_TOKEN", "REGISTRY_TOKEN", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"the {name}")
    monkeypatch.setenv("npm_config_registry", "https://registry.invalid/npm/")
    (isolated / ".npmrc").write_text("//registry.invalid/:_authToken=${REGISTRY_TOKEN}\n")
    settings = 'cat "$HOME/.bunfig.toml" || true'
    dependencies.install(make_bun(f'echo "$1 sees:"; env; {settings}\n{INSTALL}'), tree, REPORTER, log)
    said = log.read_text()
    installing, scripts = said.split("run sees:")
    for seen in ("the REGISTRY_TOKEN", "the HTTPS_PROXY", "https://registry.invalid/npm/"):
        assert seen in installing
        assert seen not in scripts
    assert f"HOME={isolated}\n" not in said
    assert "the OPENAI_API_KEY" not in said
    assert "the GITHUB_TOKEN" not in said


@pytest.mark.parametrize(
    ("name", "text", "setting"),
    [
        (".npmrc", "@oven:registry=https://elsewhere.invalid/${TOKEN}\n", "packages come"),
        ("bunfig.toml", '[install]\nregistry = "https://elsewhere.invalid/"\n', "install.registry"),
        ("bunfig.toml", '[install.scopes]\nx = "https://elsewhere.invalid/"\n', "install.scopes"),
        ("packages/opencode/bunfig.toml", 'preload = ["./evil.ts"]\n', "preload"),
        ("packages/opencode/bunfig.toml", '[run]\nshell = "bun"\n', "run.shell"),
        ("packages/core/bunfig.toml", "preload = [", "cannot be read"),
    ],
)
def test_settings_that_upstreams_own_build_does_not_have_are_refused(
    tree: Worktree, make_bun: MakeBun, log: Path, name: str, text: str, setting: str
) -> None:
    (tree.path / name).write_text(text)
    with pytest.raises(ToolchainError, match="official build") as caught:
        dependencies.install(make_bun(INSTALL), tree, REPORTER, log)
    assert setting in caught.value.why
    assert not log.exists()


def test_the_settings_of_upstreams_own_build_are_used(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    own = "[install]\nexact = true\nminimumReleaseAge = 259200\nminimumReleaseAgeExcludes = ['x']\n[test]\nroot = '.'\n"
    (tree.path / "bunfig.toml").write_text(own)
    (tree.path / "packages/opencode/bunfig.toml").write_text('preload = ["@opentui/solid/preload"]\n')
    assert dependencies.install(make_bun(INSTALL), tree, REPORTER, log) is True


def test_nothing_is_done_when_nothing_changed(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    dependencies.install(make_bun(INSTALL), tree, REPORTER, log)
    before = calls(log, tree)
    assert dependencies.install(make_bun(INSTALL), tree, REPORTER, log) is False
    assert calls(log, tree) == before


@pytest.mark.parametrize("changed", ["package.json", "packages/core/package.json", "bunfig.toml", "patches/a.patch"])
def test_a_change_installs_again_from_scratch(tree: Worktree, make_bun: MakeBun, log: Path, changed: str) -> None:
    dependencies.install(make_bun(INSTALL), tree, REPORTER, log)
    stale = tree.path / "packages" / "opencode" / "node_modules" / "stale"
    stale.touch()
    path = tree.path / changed
    path.parent.mkdir(exist_ok=True)
    path.write_text("[install]\nexact = true\n" if path.suffix == ".toml" else json.dumps({"name": "changed"}))
    assert dependencies.install(make_bun(INSTALL), tree, REPORTER, log) is True
    assert not stale.exists()


def test_another_bun_installs_again(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    bun = make_bun(INSTALL)
    dependencies.install(bun, tree, REPORTER, log)
    newer = Bun(path=bun.path, version="1.3.15", origin="PATH")
    assert dependencies.install(newer, tree, REPORTER, log) is True


def test_deleted_modules_are_installed_again(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    dependencies.install(make_bun(INSTALL), tree, REPORTER, log)
    modules = tree.path / "packages" / "opencode" / "node_modules"
    (modules / "one").unlink()
    modules.rmdir()
    assert dependencies.install(make_bun(INSTALL), tree, REPORTER, log) is True


def test_an_installation_starts_from_upstreams_lock_file(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    (tree.path / "bun.lock").write_text("rewritten by hand\n")
    reporter = Warnings()
    dependencies.install(make_bun(INSTALL), tree, reporter, log)
    assert (tree.path / "lock-0").read_text() == "pristine\n"
    assert "bun.lock" in reporter.warnings[0]
    assert git.run("-C", tree.path, "status", "--porcelain", "--", "bun.lock").stdout == ""


def test_a_changed_lock_file_is_restored_without_installing(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    dependencies.install(make_bun(INSTALL), tree, REPORTER, log)
    (tree.path / "bun.lock").write_text("rewritten by bun\n")
    assert dependencies.install(make_bun(INSTALL), tree, REPORTER, log) is False
    assert (tree.path / "bun.lock").read_text() == "pristine\n"


def test_a_failure_says_why_and_the_next_run_starts_over(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    with pytest.raises(ToolchainError) as caught:
        dependencies.install(make_bun(INSTALL + "echo 'error: no such package' >&2; exit 1"), tree, REPORTER, log)
    assert "error: no such package" in caught.value.why
    assert str(log) in caught.value.next_step
    assert "no such package" in log.read_text()
    assert dependencies.install(make_bun(INSTALL), tree, REPORTER, log) is True


def test_a_full_disk_is_not_reported_as_a_registry_failure(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    full = make_bun("echo 'error: ENOSPC: no space left on device, write' >&2; exit 1")
    with pytest.raises(StoreError, match="The dependencies cannot be installed") as caught:
        dependencies.install(full, tree, REPORTER, log)
    assert caught.value.why.startswith("The disk is full.")
    assert "registry" not in str(caught.value)


def test_a_failed_reinstallation_is_repeated(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    dependencies.install(make_bun(INSTALL), tree, REPORTER, log)
    manifest = tree.path / "package.json"
    before = manifest.read_text()
    manifest.write_text("{}")
    with pytest.raises(ToolchainError):
        dependencies.install(make_bun("exit 1"), tree, REPORTER, log)
    manifest.write_text(before)
    assert dependencies.install(make_bun(INSTALL), tree, REPORTER, log) is True


def test_a_version_that_the_registry_lacks_is_named(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    said = 'error: No version matching "6.12.0" found for specifier "some-provider" (but package exists)'
    bun = make_bun(f"echo '{said}'; exit 1")
    with pytest.raises(ToolchainError) as caught:
        dependencies.install(bun, tree, REPORTER, log)
    assert caught.value.what == "The npm registry does not have some-provider 6.12.0, which this release needs."
    assert "another release" in caught.value.next_step


def test_all_versions_that_the_registry_lacks_are_named_at_once(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    said = "".join(
        f'error: No version matching "{version}" found for specifier "{name}" (but package exists)\\n'
        for name, version in (("@some/one", "5.2.5"), ("other", "1.0.0-beta.9"), ("other", "1.0.0-beta.9"))
    )
    with pytest.raises(ToolchainError) as caught:
        dependencies.install(make_bun(f"printf '{said}'; exit 1"), tree, REPORTER, log)
    assert "@some/one 5.2.5, other 1.0.0-beta.9, which" in caught.value.what
    assert "--package @some/one=VERSION --package other=VERSION\n" in caught.value.next_step


def test_a_version_that_the_registry_lacks_can_be_replaced(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    bun = make_bun("""
if [ "$1" = install ]; then cat package.json packages/opencode/package.json > asked; fi
for d in . packages/opencode; do mkdir -p $d/node_modules; done
""")
    before = {path: path.read_bytes() for path in tree.path.rglob("package.json")}
    packages = ("@some/peer=2.6.1", "@some/other=1.0.0-beta.2")
    assert dependencies.install(bun, tree, REPORTER, log, packages=packages) is True
    asked = (tree.path / "asked").read_text()
    assert '"@some/peer": "2.6.1"' in asked
    assert '"@some/other": "1.0.0-beta.2"' in asked
    assert {path: path.read_bytes() for path in before} == before
    assert dependencies.install(bun, tree, REPORTER, log, packages=packages) is False
    assert dependencies.install(bun, tree, REPORTER, log) is True


def test_failing_dependencies_of_the_web_ui_are_named(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    with_ui = replace(tree, packages=(*tree.packages, "packages/app"))
    with pytest.raises(ToolchainError) as caught:
        dependencies.install(make_bun("exit 1"), with_ui, REPORTER, log)
    assert "web UI" in caught.value.what
    assert "--web-ui off" in caught.value.next_step


def test_scripts_find_this_bun_by_name(
    tree: Worktree, make_bun: MakeBun, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_ENV", "production")
    bun = make_bun(INSTALL + 'echo "found $(command -v bun) in ${NODE_ENV:-no mode}"')
    dependencies.install(bun, tree, REPORTER, log)
    assert f"found {bun.path} in no mode" in log.read_text()


def test_other_platforms_are_installed_in_a_second_step_that_may_fail(
    tree: Worktree, make_bun: MakeBun, log: Path
) -> None:
    script = INSTALL + 'case "$*" in *--os*) exit 1 ;; esac\n'
    assert dependencies.install(make_bun(script), tree, REPORTER, log, every_platform=True) is True
    assert [line for line in calls(log, tree) if line.startswith(".")] == [
        ".: install --ignore-scripts --no-save",
        "./packages/core: run fix-node-pty",
        ".: install --ignore-scripts --no-save --os=* --cpu=*",
    ]


def test_an_installation_for_every_platform_includes_this_one_but_not_vice_versa(
    tree: Worktree, make_bun: MakeBun, log: Path
) -> None:
    bun = make_bun(INSTALL)
    dependencies.install(bun, tree, REPORTER, log)
    assert dependencies.install(bun, tree, REPORTER, log, every_platform=True) is True
    assert dependencies.install(bun, tree, REPORTER, log, every_platform=True) is False
    assert dependencies.install(bun, tree, REPORTER, log) is False


def test_a_forgotten_installation_is_repeated(tree: Worktree, make_bun: MakeBun, log: Path) -> None:
    dependencies.install(make_bun(INSTALL), tree, REPORTER, log)
    dependencies.forget(tree)
    assert dependencies.install(make_bun(INSTALL), tree, REPORTER, log) is True
