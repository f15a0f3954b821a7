"""The command line: options, progress, output, exit codes. It parses, calls other packages and prints; it decides
nothing.

A command's module is imported when the command runs, so that ``--help`` stays quick. Each module holds one click
command named ``command``.
"""

from __future__ import annotations

from importlib import import_module

import click

from opencode_patcher import __version__
from opencode_patcher.base.errors import ProcessError
from opencode_patcher.base.text import did_you_mean
from opencode_patcher.cli import output

COMMANDS = {
    "build": "Make an OpenCode with combined models: fetch, patch, build, verify.",
    "verify": "Run a binary against failing providers and show what it does.",
    "compare": "Show the results of several drills side by side.",
    "release": "Make archives for all platforms, with checksums and a bill of materials.",
    "channels": "Write what npm, Homebrew, the AUR and others need to install a release.",
    "reproduce": "Rebuild a release and compare the bytes.",
    "install": "Put a built binary where your shell finds it.",
    "status": "Show what is installed, and whether it is current.",
    "list": "List the builds in the store.",
    "rollback": "Go back to the build that was installed before.",
    "uninstall": "Remove the program and put back what was there before.",
    "prune": "Delete builds that are no longer needed.",
    "config": "Show the lines to add to opencode.json, and check the existing ones.",
    "doctor": "Find what prevents building, installing or failing over.",
    "demo": "See a failover without keys and without OpenCode's source.",
    "models": "Show which models are combined, and why.",
    "failures": "Explain what a provider's failure means.",
    "health": "Show which provider is being avoided and until when, and ask it again now.",
    "attempts": "Show which provider answered, what failed and what it cost.",
    "check": "Check whether the patches fit OpenCode releases.",
    "update": "Move to the newest release of OpenCode once it is built and verified.",
    "patches": "List, show and update the patches.",
    "ci": "Set up workflows that test, watch OpenCode and publish.",
    "help": "Explain a command, or list the exit codes.",
}
"""Name and summary of each command, in the order of ``--help``."""


_ELSEWHERE = {"version": "opencode-patcher --version"}
"""What people type that is not spelled like any command, and the command they mean."""


class HelpfulGroup(click.Group):
    """Prints its help when no command is named, which is not an error."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])


class LazyGroup(HelpfulGroup):
    """Knows its commands by name and imports each one when it is used."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # click takes every broken pipe for one of our own output, and ends without a message.
            if not output.is_read():
                raise
            raise ProcessError("A program ended before it had read its input.", why=f"{error}.") from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        # Not list(): importing the command of that name replaces the builtin here.
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"opencode_patcher.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and name not in COMMANDS and not name.startswith("-"):
            meant = _ELSEWHERE.get(name)
            hint = f"Did you mean '{meant}'?" if meant else did_you_mean(name, COMMANDS)
            raise click.UsageError(f"No such command '{name}'. {hint}".rstrip(), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: opencode-patcher help exit-codes",
)
@click.version_option(__version__, prog_name="opencode-patcher")
def main() -> None:
    """Builds OpenCode with combined models: one model, several providers, failover inside the turn."""
