"""``opencode-patcher help``."""

from __future__ import annotations

import click

from opencode_patcher.base import errors
from opencode_patcher.cli import options, output

TOPIC = "exit-codes"

OTHER_CODES = {
    0: "Done, or nothing to do.",
    1: "A check found something: a configuration that OpenCode refuses, a release that does not fit, a dry run that "
    "would change something, an installation that does not work.",
    errors.UNEXPECTED: "A bug in opencode-patcher; the message names a log for the report.",
    errors.INTERRUPTED: "Interrupted with Ctrl-C.",
    errors.OUTPUT_CLOSED: "The reader of the output, such as `head`, has closed it.",
}


@click.command
@click.argument("words", metavar="[COMMAND]...", nargs=-1)
@options.json_option
@click.pass_context
def command(ctx: click.Context, words: tuple[str, ...], as_json: bool) -> None:
    """Explain a command, like its --help; `help exit-codes` lists the exit codes."""
    if words == (TOPIC,):
        codes = exit_codes()
        if as_json:
            output.show_json({"exit_codes": {str(code): meaning for code, meaning in codes.items()}})
        else:
            output.show_table(("code", "meaning"), [(str(code), meaning) for code, meaning in codes.items()])
        return
    about = ctx.find_root()
    for word in words:
        group = about.command
        if not isinstance(group, click.Group):
            raise click.UsageError(f"'{group.name}' has no commands.", about)
        name, found, _ = group.resolve_command(about, [word])
        assert found is not None
        about = click.Context(found, parent=about, info_name=name)
    if as_json:
        output.show_json(about.to_info_dict())
    else:
        output.block(about.get_help())


def exit_codes() -> dict[int, str]:
    """What each exit code means; for errors, the first sentence of their docstring."""
    found = {
        kind.exit_code: " ".join((kind.__doc__ or "").split("\n\n")[0].split())
        for kind in reversed(_kinds(errors.PatcherError))
    }
    return dict(sorted((found | OTHER_CODES).items()))


def _kinds(root: type[errors.PatcherError]) -> list[type[errors.PatcherError]]:
    return [kind for child in root.__subclasses__() for kind in (child, *_kinds(child))]
