"""PATH: which program a shell starts, how it got there, and the line that helps."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from opencode_patcher.install.path_search import Found, advice, find, kind_of
from opencode_patcher.install.systems.posix import Posix
from opencode_patcher.install.systems.windows import Windows
from tests.install.install_samples import program


def path_of(*directories: Path | str) -> dict[str, str]:
    return {"PATH": os.pathsep.join(map(str, directories)), "SHELL": "/bin/zsh"}


def test_ours_is_first(tmp_path: Path) -> None:
    program(tmp_path / "later" / "opencode", "theirs")
    place = program(tmp_path / "bin" / "opencode", "ours")
    finding = find(Posix(), place, path_of(tmp_path / "empty", tmp_path / "bin", tmp_path / "later"))
    assert finding.status == "first"
    assert advice(finding) == ""


def test_another_one_comes_first_and_is_named_with_the_fix(tmp_path: Path) -> None:
    other = program(tmp_path / ".opencode" / "bin" / "opencode", "theirs")
    place = program(tmp_path / "bin" / "opencode", "ours")
    finding = find(Posix(), place, path_of(other.parent, place.parent))
    assert finding.status == "shadowed"
    text = advice(finding)
    assert f"starts another program: {other} (installed by official script)" in text
    assert "rm ~/.opencode/bin/opencode" in text
    assert f"To put {place.parent} first on PATH, add this to ~/.zshrc:" in text


def test_the_bin_directory_is_not_on_path(tmp_path: Path) -> None:
    place = program(tmp_path / "bin" / "opencode", "ours")
    finding = find(Posix(), place, path_of(tmp_path / "empty"))
    assert finding.status == "absent"
    assert advice(finding).startswith(f"{place.parent} is not on PATH.\nTo put {place.parent} on PATH")


def test_no_path_at_all(tmp_path: Path) -> None:
    assert find(Posix(), tmp_path / "bin" / "opencode", {}).status == "absent"


def test_an_empty_part_of_path_is_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = program(tmp_path / "here" / "opencode", "theirs")
    monkeypatch.chdir(other.parent)
    finding = find(Posix(), tmp_path / "bin" / "opencode", path_of("", tmp_path / "bin"))
    assert [one.path for one in finding.before] == [other]


def test_files_that_a_shell_would_not_start_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "a" / "opencode").mkdir(parents=True)
    program(tmp_path / "b" / "opencode", "theirs").chmod(0o644)
    (tmp_path / "c").write_text("a file on PATH")
    place = program(tmp_path / "bin" / "opencode", "ours")
    finding = find(Posix(), place, path_of(tmp_path / "a", tmp_path / "b", tmp_path / "c", place.parent))
    assert finding.status == "first"


def test_an_unreadable_directory_has_no_program(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    place = program(tmp_path / "bin" / "opencode", "ours")
    path = path_of("/" + "too-long" * 40, tmp_path / "circle", tmp_path / "none", place.parent)
    assert find(Posix(), place, path).status == "first"


def test_without_a_current_directory_only_absolute_paths_are_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    place = program(tmp_path / "bin" / "opencode", "ours")
    assert find(Posix(), place, path_of("", "relative", place.parent, "")).status == "first"


def test_a_bin_directory_under_another_name_is_still_ours(tmp_path: Path) -> None:
    place = program(tmp_path / "bin" / "opencode", "ours")
    (tmp_path / "alias").symlink_to("bin")
    finding = find(Posix(), place, path_of(tmp_path / "alias", place.parent))
    assert finding.status == "first"


def test_windows_tries_every_extension_in_order(tmp_path: Path) -> None:
    other = program(tmp_path / "npm" / "opencode.cmd", "theirs")
    place = program(tmp_path / "bin" / "opencode.exe", "ours")
    environment = path_of(other.parent, place.parent) | {"PATHEXT": ".EXE;.CMD"}
    finding = find(Windows(), place, environment)
    assert [(one.path, one.kind.name) for one in finding.before] == [(other, "npm")]


@pytest.mark.parametrize(
    ("path", "real", "kind"),
    [
        ("/usr/local/bin/opencode", "/usr/local/lib/node_modules/opencode-ai/bin/opencode", "npm"),
        ("/home/ada/.bun/bin/opencode", "/home/ada/.bun/install/global/node_modules/opencode-ai/bin/opencode", "bun"),
        ("/home/ada/.local/share/pnpm/opencode", "/home/ada/.local/share/pnpm/opencode", "pnpm"),
        ("/opt/homebrew/bin/opencode", "/opt/homebrew/Cellar/opencode/1.18.3/bin/opencode", "Homebrew"),
        ("/usr/local/bin/opencode", "/usr/local/Cellar/opencode/1.18.3/bin/opencode", "Homebrew"),
        ("/home/ada/.opencode/bin/opencode", "/home/ada/.opencode/bin/opencode", "official script"),
        ("C:\\Users\\ada\\scoop\\shims\\opencode.exe", "C:\\Users\\ada\\scoop\\shims\\opencode.exe", "Scoop"),
        ("/home/ada/bin/opencode", "/home/ada/work/opencode", "unknown"),
    ],
)
def test_kinds(path: str, real: str, kind: str) -> None:
    assert kind_of(Found(path=Path(path), real=Path(real))).name == kind


@pytest.mark.parametrize("name", ["bin", "with space", "with 'quote", "ümläut", "back\\slash", "$HOME `id`"])
@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish"])
def test_the_line_puts_exactly_the_given_directory_first(tmp_path: Path, shell: str, name: str) -> None:
    interpreter = shutil.which(shell)
    if interpreter is None:
        pytest.skip(f"there is no {shell} here")
    place = program(tmp_path / name / "opencode", "ours")
    line = Posix().path_line(place.parent, {"SHELL": f"/bin/{shell}"}).line
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run([interpreter, "-c", f"{line}\nopencode"], capture_output=True, text=True, env=environment)
    assert (done.stdout, done.stderr) == ("ours\n", "")


def test_the_profile_belongs_to_the_shell() -> None:
    for shell, where in {"bash": "~/.bashrc", "fish": "~/.config/fish/config.fish", "ksh": "~/.profile"}.items():
        assert Posix().path_line(Path("/opt/bin"), {"SHELL": f"/usr/bin/{shell}"}).where == where
    assert Posix().path_line(Path("/opt/bin"), {}).where == "~/.profile"
