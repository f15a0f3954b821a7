"""What the command line says about itself, and what it costs to ask."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from opencode_patcher import __version__
from opencode_patcher.__main__ import run
from opencode_patcher.cli import COMMANDS, main

HEAVY = {"filelock", "git", "gitdb", "jinja2", "platformdirs", "rich", "unidiff"}


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0

    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded_and_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])

    assert result.exit_code == 0, result.exception
    assert f"Usage: main {name}" in result.output
    assert "Options:" in result.output


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0

    assert capsys.readouterr().out == f"opencode-patcher, version {__version__}\n"


def test_the_help_is_whole_after_the_command_list_was_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    """Its module has the name of a builtin."""
    assert run(["list", "--help"]) == 0
    assert run(["--help"]) == 0

    assert "  list " in capsys.readouterr().out


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code = run([])

    shown = capsys.readouterr()
    assert code in (0, 2)
    assert "Usage: opencode-patcher" in shown.out + shown.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["biuld"], "No such command 'biuld'. Did you mean 'build'?"),
        (["statsu"], "Did you mean 'status'?"),
        (["xyzzy"], "No such command 'xyzzy'."),
        (["build", "--quite"], "--quiet"),
        (["patches", "shwo", "x"], "shwo"),
        (["patches", "show"], "NAME"),
    ],
)
def test_a_typo_is_answered_with_the_nearest(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2

    assert said in capsys.readouterr().err


def test_an_unknown_patch_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["patches", "show", "config-shema"]) == 4

    assert "config-schema" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["build", "--help"], ["biuld"]])
def test_what_needs_no_library_loads_none(arguments: list[str]) -> None:
    text = f"""
import sys
from opencode_patcher.__main__ import run
run({arguments!r})
print("\\n" + " ".join(name for name in sys.modules if "." not in name))
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)

    loaded = set(done.stdout.splitlines()[-1].split())
    assert "click" in loaded
    assert not loaded & HEAVY


def test_help_of_the_program_loads_no_room() -> None:
    text = """
import sys
from opencode_patcher.__main__ import run
run(["--help"])
print("\\n" + " ".join(name for name in sys.modules if name.startswith("opencode_patcher.")))
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)

    assert set(done.stdout.splitlines()[-1].split()) <= {
        "opencode_patcher.__main__",
        "opencode_patcher.cli",
        "opencode_patcher.base",
        "opencode_patcher.base.errors",
        "opencode_patcher.base.full_disk",
        "opencode_patcher.base.progress",
        "opencode_patcher.base.text",
        "opencode_patcher.cli.output",
    }
