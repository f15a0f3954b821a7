"""Upstream's build is run with everything pinned, and its result is found and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from opencode_patcher.base.errors import BuildError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.toolchain import build, macho_signature, surroundings, targets
from opencode_patcher.toolchain.build import BuildOptions
from opencode_patcher.toolchain.bun import Bun
from opencode_patcher.toolchain.runtimes import Runtimes
from opencode_patcher.toolchain.targets import Target
from opencode_patcher.toolchain.web_ui import FailedError
from opencode_patcher.upstream.worktree import Worktree
from tests.release.release_samples import macho, signable

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


def test_the_binary_is_found_with_its_digest(
    tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions
) -> None:
    binary = build.build(make_bun(BUILD), tree, options, REPORTER, log)
    assert binary.path == tree.path / "packages/opencode/dist/opencode-linux-x64/bin/opencode"
    assert binary.version == "1.18.3"
    assert binary.sha256 == hashlib.sha256(b"program").hexdigest()
    assert binary.seconds > 0


@pytest.mark.parametrize("web_ui", [False, True])
def test_the_flags(tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions, web_ui: bool) -> None:
    chosen = BuildOptions(version=options.version, models_json=options.models_json, web_ui=web_ui)
    build.build(make_bun(BUILD), tree, chosen, REPORTER, log)
    flags = "--single --skip-install" + ("" if web_ui else " --skip-embed-web-ui")
    assert log.read_text().splitlines()[0] == f"in opencode: run script/build.ts {flags}"


def test_the_environment_is_pinned_and_excludes_the_users(
    tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions, monkeypatch: pytest.MonkeyPatch
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


def test_upstreams_code_sees_no_secrets_and_no_home(
    tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("OPENAI_API_KEY", "GITHUB_TOKEN", "npm_config__auth", "SSH_AUTH_SOCK", "HTTPS_PROXY", "BUN_OPTIONS"):
        monkeypatch.setenv(name, "s3cret")
    show = 'echo "seen: $(env | tr "\\n" " ")"; ls -A "$HOME"'
    build.build(make_bun(f"{show}\n{BUILD}"), tree, options, REPORTER, log)
    [seen] = [line for line in log.read_text().splitlines() if line.startswith("seen: ")]
    assert "s3cret" not in seen
    assert str(Path.home()) not in seen.replace(str(tmp_path / "bun-bin"), "").split(" PATH=")[0]
    names = {word.partition("=")[0] for word in seen.removeprefix("seen: ").split() if "=" in word}
    ours = {"MODELS_DEV_API_JSON", "OPENCODE_CHANNEL", "OPENCODE_VERSION", "HOME", "TMPDIR", "TEMP", "TMP", "PWD"}
    windows = {"USERPROFILE", "APPDATA", "LOCALAPPDATA"}
    xdg = {f"XDG_{kind}_HOME" for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
    # The shell that stands for bun sets the last two.
    assert names <= surroundings.SYSTEM | ours | windows | xdg | {"SHLVL", "_", "OLDPWD"}


def test_a_failing_build_shows_its_end_and_the_log(
    tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions
) -> None:
    script = "i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); done; echo 'error: no such module' >&2; exit 3"
    with pytest.raises(BuildError) as caught:
        build.build(make_bun(script), tree, options, REPORTER, log)
    assert "error: no such module" in caught.value.why
    assert "line 0\n" not in caught.value.why
    assert str(log) in caught.value.next_step
    assert "line 0\n" in log.read_text()


def test_a_failing_build_with_web_ui_says_how_to_build_without(
    tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions
) -> None:
    chosen = BuildOptions(version="1.18.3", models_json=options.models_json, web_ui=True)
    with pytest.raises(FailedError) as caught:
        build.build(make_bun("exit 1"), tree, chosen, REPORTER, log)
    assert "--web-ui off" in caught.value.next_step


def test_a_build_that_fails_after_the_web_ui_does_not_blame_it(
    tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions
) -> None:
    chosen = BuildOptions(version="1.18.3", models_json=options.models_json, web_ui=True)
    with pytest.raises(BuildError) as caught:
        build.build(make_bun("echo building opencode-linux-x64; exit 1"), tree, chosen, REPORTER, log)
    assert not isinstance(caught.value, FailedError)


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
def test_a_build_with_an_unexpected_result(
    tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions, script: str, reason: str
) -> None:
    with pytest.raises(BuildError) as caught:
        build.build(make_bun(script), tree, options, REPORTER, log)
    assert reason in caught.value.what
    assert str(log) in caught.value.next_step


CROSS = """
for name in $(echo $OPENCODE_BUILD_TARGETS | tr , ' '); do
  echo "building $name"
  mkdir -p dist/$name/bin
  case $name in *windows*) file=opencode.exe ;; *) file=opencode ;; esac
  printf "$name with $BUN_INSTALL_CACHE_DIR" > dist/$name/bin/$file
  echo '{"version": "'$OPENCODE_VERSION'"}' > dist/$name/package.json
done
echo "the end"
"""
CHOSEN = targets.select(["linux-x64", "windows-arm64"])


@pytest.fixture
def runtimes(tmp_path: Path) -> Runtimes:
    return Runtimes(directory=tmp_path / "runtimes", version="1.3.14")


def test_each_target_is_passed_on_when_it_is_finished(
    tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions, runtimes: Runtimes
) -> None:
    seen: list[tuple[str, str]] = []

    def take(target: Target, path: Path) -> None:
        seen.append((target.name, path.read_text()))
        path.unlink()

    build.build_targets(make_bun(CROSS), tree, options, CHOSEN, runtimes, REPORTER, log, take)

    place = runtimes.directory
    assert seen == [
        ("linux-x64", f"opencode-linux-x64 with {place}"),
        ("windows-arm64", f"opencode-windows-arm64 with {place}"),
    ]


def test_a_skipped_target_is_an_error(
    tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions, runtimes: Runtimes
) -> None:
    script = CROSS.replace("$OPENCODE_BUILD_TARGETS", "opencode-linux-x64")
    with pytest.raises(BuildError, match="skipped opencode-windows-arm64"):
        build.build_targets(make_bun(script), tree, options, CHOSEN, runtimes, REPORTER, log, lambda *_: None)


def test_a_target_that_is_announced_but_not_built_is_an_error(
    tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions, runtimes: Runtimes
) -> None:
    script = CROSS.replace("> dist/$name/bin/$file", "")
    with pytest.raises(BuildError, match="no binary in the expected place"):
        build.build_targets(make_bun(script), tree, options, CHOSEN, runtimes, REPORTER, log, lambda *_: None)


def test_an_error_of_the_receiver_ends_the_build(
    tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions, runtimes: Runtimes
) -> None:
    def refuse(target: Target, path: Path) -> None:
        raise BuildError(f"{target.name} is refused")

    script = CROSS.replace('echo "the end"', "sleep 30")
    with pytest.raises(BuildError, match="linux-x64 is refused"):
        build.build_targets(make_bun(script), tree, options, CHOSEN, runtimes, REPORTER, log, refuse)


def test_a_program_for_macos_is_signed_before_it_is_passed_on(
    tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions, runtimes: Runtimes, tmp_path: Path
) -> None:
    unsigned = tmp_path / "unsigned"
    unsigned.write_bytes(signable())
    script = CROSS.replace('printf "$name with $BUN_INSTALL_CACHE_DIR" >', f"cat {unsigned} >")
    seen: list[bytes] = []

    def take(target: Target, path: Path) -> None:
        assert path.stat().st_mode & 0o111
        seen.append(path.read_bytes())

    chosen = targets.select(["darwin-arm64"])
    build.build_targets(make_bun(script), tree, options, chosen, runtimes, REPORTER, log, take)
    assert macho_signature.flaws(signable()) != []
    assert [macho_signature.flaws(program) for program in seen] == [[]]


def test_the_digest_of_a_build_for_this_machine_is_that_of_the_signed_program(
    tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions, tmp_path: Path
) -> None:
    unsigned = tmp_path / "unsigned"
    unsigned.write_bytes(signable())
    script = BUILD.replace("printf program >", f"cat {unsigned} >")
    binary = build.build(make_bun(script), tree, options, REPORTER, log)
    program = binary.path.read_bytes()
    assert macho_signature.flaws(program) == []
    assert binary.sha256 == hashlib.sha256(program).hexdigest()


def test_a_program_that_cannot_be_signed_is_not_passed_on(
    tree: Worktree, make_bun: MakeBun, log: Path, options: BuildOptions, tmp_path: Path
) -> None:
    unsigned = tmp_path / "unsigned"
    unsigned.write_bytes(macho())
    with pytest.raises(BuildError, match="cannot be signed") as caught:
        build.build(make_bun(BUILD.replace("printf program >", f"cat {unsigned} >")), tree, options, REPORTER, log)
    assert "it has no signature" in caught.value.why
