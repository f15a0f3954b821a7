"""What package managers get: made from the manifest alone, and each file taken by a tool of its kind."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tree_sitter_nix
import tree_sitter_ruby
from tree_sitter import Language, Parser

from opencode_patcher.base import resources
from opencode_patcher.base.errors import ReleaseError, UsageError
from opencode_patcher.base.version import Release
from opencode_patcher.release import channels
from opencode_patcher.release.manifest import Manifest
from opencode_patcher.release.published import Published
from opencode_patcher.toolchain.targets import NAMES
from tests.release.release_samples import artifact, manifest

HADOLINT = shutil.which("hadolint", path=str(Path(sys.executable).parent))


PRE_RELEASE = "v2.0.0-pre.20260720"


def made(
    tag: str = "v1.18.3", targets: tuple[str, ...] = NAMES, package: str | None = "@you/opencode-combined"
) -> dict[str, str]:
    return channels.texts(channels.offer(released(tag, targets), package), resources.templates())


def made_2(tag: str = PRE_RELEASE) -> dict[str, str]:
    return made(tag, package=None)


def released(tag: str = "v1.18.3", targets: tuple[str, ...] = NAMES) -> Manifest:
    """Each archive has a digest of its own. ``tag`` is that of OpenCode, or has a number behind it."""
    first = tag.startswith("v1.")
    program = "opencode" if first else "opencode2"
    release = Release(tag=PRE_RELEASE, version=(2, 0, 0), commit="d" * 40)
    return manifest(
        artifacts=tuple(artifact(name, archive=f"{NAMES.index(name):x}", program=program) for name in targets),
        published=Published(repository="owner/name", release=tag),
        **({} if first else {"release": release}),
    )


def digest(target: str) -> str:
    return f"{NAMES.index(target):x}" * 64


def test_every_channel_has_something_for_a_whole_release() -> None:
    assert {path.split("/")[0] for path in made()} == {channel.name for channel in channels.CHANNELS}


@pytest.mark.parametrize(
    ("target", "without"),
    [
        ("linux-x64", {"scoop"}),
        ("darwin-arm64", {"scoop", "aur", "container"}),
        ("windows-x64", {"homebrew", "aur", "nix", "container"}),
        ("linux-x64-musl", {"scoop", "homebrew", "aur", "nix", "container", "mise"}),
    ],
)
def test_a_channel_for_which_the_release_has_nothing_gets_nothing(target: str, without: set[str]) -> None:
    found = {path.split("/")[0] for path in made(targets=(target,))}
    assert found == {channel.name for channel in channels.CHANNELS} - without


def test_where_nobody_looks_at_the_processor_the_program_for_all_of_them_is_taken() -> None:
    texts = made()
    for path in ("homebrew/Formula/opencode-combined.rb", "aur/PKGBUILD", "container/Containerfile"):
        assert digest("linux-x64-baseline") in texts[path]
        assert digest("linux-x64") not in texts[path]
    assert digest("linux-x64") in made(targets=("linux-x64",))["aur/PKGBUILD"]


def test_a_second_release_of_the_same_opencode_is_newer_everywhere() -> None:
    texts = made("v1.18.3-2")
    assert '  version "1.18.3"\n' in texts["homebrew/Formula/opencode-combined.rb"]
    assert "  revision 1\n" in texts["homebrew/Formula/opencode-combined.rb"]
    assert "pkgver=1.18.3\npkgrel=2\n" in texts["aur/PKGBUILD"]
    assert json.loads(texts["scoop/bucket/opencode-combined.json"])["version"] == "1.18.3.2"
    assert json.loads(texts["npm/opencode-combined/package.json"])["version"] == "1.18.3-2"
    assert "releases/download/v1.18.3-2/opencode-linux-arm64.tar.gz" in texts["container/Containerfile"]


def test_npms_main_package_depends_on_exactly_the_platforms_that_are_there() -> None:
    texts = {path: json.loads(text) for path, text in made().items() if path.endswith("package.json")}
    main = texts.pop("npm/opencode-combined/package.json")
    assert main["optionalDependencies"] == {one["name"]: one["version"] for one in texts.values()}
    assert len(texts) == len(NAMES)
    musl = texts["npm/opencode-combined-linux-x64-musl/package.json"]
    assert (musl["os"], musl["cpu"], musl["libc"]) == (["linux"], ["x64"], ["musl"])
    assert texts["npm/opencode-combined-windows-arm64/package.json"]["os"] == ["win32"]


def test_scoops_manifest_has_what_its_schema_demands() -> None:
    found = json.loads(made()["scoop/bucket/opencode-combined.json"])
    assert found.keys() >= {"version", "description", "homepage", "license", "bin"}
    assert re.fullmatch(r"[\w.+-]+", found["version"])
    for name, one in found["architecture"].items():
        assert name in ("32bit", "64bit", "arm64")
        assert re.fullmatch(r"https://\S+\.zip", one["url"])
        assert re.fullmatch(r"sha256:[0-9a-f]{64}", one["hash"])


@pytest.mark.parametrize("texts", [made("v1.18.3-2"), made_2(f"{PRE_RELEASE}-2")], ids=["1", "2"])
def test_the_pkgbuild_is_sound_and_srcinfo_says_the_same(texts: dict[str, str], tmp_path: Path) -> None:
    build = tmp_path / "PKGBUILD"
    build.write_text(texts["aur/PKGBUILD"])
    shellcheck = shutil.which("shellcheck", path=str(Path(sys.executable).parent))
    assert shellcheck
    # makepkg reads the variables and sets pkgdir.
    done = subprocess.run(
        [shellcheck, "--shell=bash", "--exclude=SC2034,SC2154", build], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    script = f"""set -eu; . {build}
        for name in pkgver pkgrel url license depends arch provides options source_x86_64 sha256sums_aarch64; do
          declare -n values=$name; printf "\\t$name = %s\\n" "${{values[@]}}"
        done"""
    said = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    assert set(said.splitlines()) <= set(texts["aur/.SRCINFO"].splitlines())


@pytest.mark.parametrize(
    ("file", "grammar", "needed"),
    [
        ("homebrew/Formula/opencode-combined.rb", tree_sitter_ruby.language(), "end"),
        ("homebrew/Formula/opencode2-combined.rb", tree_sitter_ruby.language(), "end"),
        ("nix/flake.nix", tree_sitter_nix.language(), "{"),
    ],
)
def test_a_grammar_of_its_language_can_read_it(file: str, grammar: object, needed: str) -> None:
    """Less than the package managers themselves would say, but it is there on every machine."""
    parser = Parser(Language(grammar))
    text = (made_2() | made())[file]
    assert not parser.parse(text.encode()).root_node.has_error
    assert parser.parse(text.replace(needed, "", 1).encode()).root_node.has_error


@pytest.mark.skipif(not HADOLINT, reason="needs hadolint")
@pytest.mark.parametrize("texts", [made(), made_2()], ids=["1", "2"])
def test_hadolint_has_nothing_against_the_containerfile(texts: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "Containerfile"
    file.write_text(texts["container/Containerfile"])
    assert HADOLINT
    done = subprocess.run([HADOLINT, "--no-color", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("ruby"), reason="needs Ruby")
def test_the_formula_is_ruby(tmp_path: Path) -> None:
    formula = tmp_path / "formula.rb"
    formula.write_text(made()["homebrew/Formula/opencode-combined.rb"])
    subprocess.run(["ruby", "-wc", formula], check=True)


@pytest.mark.skipif(not shutil.which("nix-instantiate"), reason="needs Nix")
def test_the_flake_is_nix(tmp_path: Path) -> None:
    flake = tmp_path / "flake.nix"
    flake.write_text(made()["nix/flake.nix"])
    subprocess.run(["nix-instantiate", "--parse", flake], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")
def test_the_launcher_says_what_is_missing(tmp_path: Path) -> None:
    launcher = tmp_path / "opencode.js"
    launcher.write_text(made()["npm/opencode-combined/bin/opencode.js"])
    done = subprocess.run(["node", launcher, "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "@you/opencode-combined-" in done.stderr
    assert "--include=optional @you/opencode-combined" in done.stderr


@pytest.mark.parametrize("package", ["Opencode", "open code", "@you", "@you/", "a/b", "../x", ""])
def test_a_name_that_not_every_manager_takes_is_refused(package: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        channels.offer(released(), package)


def test_a_release_that_is_published_nowhere_cannot_be_offered() -> None:
    with pytest.raises(ReleaseError, match="where it is published") as caught:
        channels.offer(manifest(published=Published()))
    assert "--repository" in caught.value.next_step


def test_both_lines_can_be_installed_side_by_side() -> None:
    """No package, program or file of one is that of the other."""
    first, second = made(package=None), made_2()
    assert {path.split("/")[0] for path in second} == {channel.name for channel in channels.CHANNELS}
    commands = [
        json.loads(texts[f"npm/{name}/package.json"])["bin"]
        for texts, name in ((first, "opencode-combined"), (second, "opencode2-combined"))
    ]
    assert commands == [{"opencode": "bin/opencode.js"}, {"opencode2": "bin/opencode2.js"}]
    own = re.compile(r"\bopencode\b(?!-patcher)")
    for path, text in second.items():
        # In an image, a user and an archive may have any name.
        if not path.startswith("container/"):
            assert not own.search(text), path
    assert "pkgname=opencode2-combined-bin\npkgver=2.0.0pre.20260720\n" in second["aur/PKGBUILD"]
    assert "conflicts_with" not in second["homebrew/Formula/opencode2-combined.rb"]
    assert json.loads(second["scoop/bucket/opencode2-combined.json"])["bin"] == "opencode2.exe"
    assert "release-2.yml" in second["mise/registry.yaml"]
    assert 'ENTRYPOINT ["opencode2"]' in second["container/Containerfile"]
