"""What can be said of the install scripts without a release: they are sound, and agree with opencode-patcher."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Parser

from opencode_patcher.base import store
from opencode_patcher.install import builds, place, records, state
from opencode_patcher.install.systems.windows import Windows
from tests.release_scripts.script_samples import render

SCRIPTS = ("install.sh", "install.ps1")


def tool(name: str) -> str:
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if not found:
        pytest.skip(f"needs {name}")
    return found


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    script = tmp_path / "install.sh"
    script.write_text(render("install.sh"))
    done = subprocess.run([tool("shellcheck"), "--shell=sh", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox", "mksh", "yash", "zsh"])
def test_every_shell_can_read_it(tmp_path: Path, shell: str) -> None:
    script = tmp_path / "install.sh"
    script.write_text(render("install.sh"))
    words = [tool(shell), "sh"] if shell == "busybox" else [tool(shell)]
    done = subprocess.run([*words, "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_grammar_of_powershell_can_read_it() -> None:
    """Less than PowerShell itself would say, but it is there on every machine."""
    parser = Parser(Language(tree_sitter_powershell.language()))
    script = render("install.ps1")
    assert not parser.parse(script.encode()).root_node.has_error
    assert parser.parse(script.replace("try {", "try ", 1).encode()).root_node.has_error


def test_powershell_can_read_it(tmp_path: Path) -> None:
    script = tmp_path / "install.ps1"
    script.write_text(render("install.ps1"))
    command = (
        "$errors = $null; [void] [Management.Automation.Language.Parser]::ParseFile($env:SCRIPT, [ref] $null, "
        "[ref] $errors); $errors | ForEach-Object { $_.ToString() }"
    )
    done = subprocess.run(
        [tool("pwsh"), "-NoProfile", "-Command", command],
        env={**os.environ, "SCRIPT": str(script)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_powershell_skips_a_damaged_record_and_waits_only_for_another_install(tmp_path: Path) -> None:
    text = render("install.ps1")
    functions = text[text.index("function Stop-Install") : text.index("# --- the release ---")]
    (tmp_path / "record.json").write_text("{")
    (tmp_path / "functions.ps1").write_text(
        f"$ErrorActionPreference = 'Stop'\n{functions}\n"
        "@(Get-RecordedSum (Join-Path $PSScriptRoot 'record.json')).Count\n"
        "try { Open-Lock (Join-Path $PSScriptRoot 'absent/install.lock') } catch { $_.Exception.Message }\n"
    )
    done = subprocess.run(
        [tool("pwsh"), "-NoProfile", "-File", tmp_path / "functions.ps1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "0"
    assert "install.lock cannot be locked." in done.stdout


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_is_readable_in_any_encoding(name: str) -> None:
    """Windows PowerShell 5.1 reads a file without a byte order mark in the code page of the machine."""
    assert render(name).isascii()


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_names_and_formats_are_those_of_opencode_patcher(name: str) -> None:
    text = render(name).replace("\\", "/")
    for wanted in (
        store.MARKER,
        store.HOME_VARIABLE,
        f"locks/{state.LOCK}.lock",
        f"installed/{state.FILE}",
        records.RECORD,
        builds.MANIFEST,
        ".opencode.opencode-patcher-new" if name == "install.sh" else ".opencode.exe.opencode-patcher-new",
    ):
        assert wanted in text, wanted
    formats = {int(number) for number in re.findall(r"format\"?(?:: | = | -ne )(\d)", text)}
    assert formats == {store.FORMAT} == {state.FORMAT} == {builds.FORMAT}


def test_a_store_left_by_a_killed_install_on_windows_is_usable(tmp_path: Path) -> None:
    """The marker's name while it is written is one that both tools take for a part of a new store."""
    text = render("install.ps1")
    new = re.search(r'\$new = Join-Path \(Split-Path \$Path\) "(.*)"\n', text)
    assert new
    name = new[1].replace("$(Split-Path -Leaf $Path)", store.MARKER)
    allowed = re.search(r"\$_\.Name -notlike '(.*)'", text)
    assert allowed
    assert fnmatch(name, allowed[1])
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / name).write_text('{ "form')
    assert store.open_store(tmp_path / "store").root == tmp_path / "store"


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_record_has_the_fields_of_a_record(name: str) -> None:
    text = render(name)
    part = (
        text[text.index('"build": "$build"') :]
        if name == "install.sh"
        else text[text.index("build = $build; commit") :]
    )
    pattern = r'^  "(\w+)": ' if name == "install.sh" else r"(?:^ *|; )(\w+) = "
    part = part[: part.index("}\n")]
    found = set(re.findall(pattern, f"  {part}", re.MULTILINE))
    assert found == set(records.Record.__dataclass_fields__)


def test_on_windows_a_running_program_gets_the_name_that_opencode_patcher_cleans_up(tmp_path: Path) -> None:
    program = tmp_path / Windows().program
    program.write_text("running")
    text = render("install.ps1")
    name = re.search(r'\[IO\.File\]::Move\(\$Place, "\$Place(.*?)\$number"\)', text)
    assert name
    old = program.rename(f"{program}{name[1]}1")
    Windows().tidy(program)
    assert program.read_text() == "running"
    assert not old.exists()


def test_on_windows_path_is_set_as_opencode_patcher_says() -> None:
    line = Windows().path_line(Path("DIRECTORY"), {})
    text = render("install.ps1")
    assert [part for part in line.line.split("; ") if f"\n  {part}\n" not in text] == []
    assert line.order in text


def test_a_place_that_upstreams_updater_would_overwrite_is_refused() -> None:
    for directory in (".local/bin", ".opencode/bin"):
        assert place.claimed(f"/home/user/{directory}/opencode", "/") == directory
        assert f"*{directory}*" in render("install.sh")
    assert r"\.(local|opencode)\\bin" in render("install.ps1")
