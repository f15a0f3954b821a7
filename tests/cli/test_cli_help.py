"""What the command line says about itself, and what it costs to ask."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
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


def test_the_help_is_complete_after_the_list_command_was_imported(capsys: pytest.CaptureFixture[str]) -> None:
    """Its module has the name of a builtin."""
    assert run(["list", "--help"]) == 0
    assert run(["--help"]) == 0

    assert "  list " in capsys.readouterr().out


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0

    assert "Usage: opencode-patcher" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["models", "patches", "ci"])
def test_a_group_without_a_command_shows_its_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name]) == 0

    assert f"Usage: opencode-patcher {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        (["help"], "Usage: opencode-patcher [OPTIONS]"),
        (["help", "build"], "Usage: opencode-patcher build"),
        (["help", "patches", "show"], "Usage: opencode-patcher patches show"),
    ],
)
def test_help_explains_a_command_as_its_option_does(
    words: list[str], usage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 0
    shown = capsys.readouterr().out
    assert usage in shown
    assert run([*words[1:], "--help"]) == 0
    assert capsys.readouterr().out == shown


def test_the_help_says_where_the_exit_codes_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0

    assert "opencode-patcher help exit-codes" in capsys.readouterr().out


def test_every_command_that_prints_a_result_can_print_json() -> None:
    """`compare` reads JSON and writes Markdown for people; groups only hold commands."""
    without = [
        path for path, command in leaves(main) if not any("--json" in parameter.opts for parameter in command.params)
    ]
    assert without == ["compare"]


def test_every_command_and_each_part_of_it_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    for path, _ in leaves(main):
        command, _, part = path.partition(" ")
        row = "".join(line for line in page.splitlines() if re.match(rf"\| [^|]*`{command}\b", line))
        assert row, f"docs/commands.md has no row for {command}"
        assert not part or part in row, f"docs/commands.md does not name {path}"


def test_every_command_explains_each_of_its_options() -> None:
    for path, command in leaves(main):
        assert (command.help or "").strip().endswith((".", ":", "`")), path
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.help, f"{path} {parameter.opts}"
                assert parameter.help.rstrip("] ").endswith((".", "]")) or "[default" in parameter.help, (
                    f"{path} {parameter.opts}: {parameter.help}"
                )


def test_what_a_name_stands_for_can_be_completed() -> None:
    """Names of things that are there: no files, and no names that the user gives."""
    known = {"ref", "refs", "version", "name", "names", "member", "session", "model"}
    for path, command in leaves(main):
        for parameter in command.params:
            if parameter.name in known and "--name" not in parameter.opts:
                assert parameter._custom_shell_complete, f"{path} {parameter.name}"


def leaves(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        if isinstance(command, click.Group):
            yield from leaves(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["biuld"], "No such command 'biuld'. Did you mean 'build'?"),
        (["statsu"], "Did you mean 'status'?"),
        (["xyzzy"], "No such command 'xyzzy'."),
        (["version"], "Did you mean 'opencode-patcher --version'?"),
        (["help", "biuld"], "Did you mean 'build'?"),
        (["build", "--quite"], "--quiet"),
        (["patches", "shwo", "x"], "shwo"),
        (["patches", "show"], "NAME"),
    ],
)
def test_a_typo_suggests_the_nearest_command(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2

    assert said in capsys.readouterr().err


def test_an_unknown_patch_suggests_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["patches", "show", "config-shema"]) == 4

    assert "config-schema" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["build", "--help"], ["biuld"]])
def test_commands_that_need_no_library_import_none(arguments: list[str]) -> None:
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


def test_the_help_of_the_program_imports_no_room() -> None:
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
