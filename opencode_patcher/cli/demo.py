"""``opencode-patcher demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.base.errors import DrillError, UsageError
from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from opencode_patcher.demo import Demonstration, Episode

TITLE = "OpenCode with combined models"
"""The title of a recording."""

INTRODUCTION = """\
A small stand-in for {line} was fetched, patched and built like the real one: same patches, same TypeScript, same
steps. It has one model that several providers offer. The providers are fakes on this machine, and the first one fails:
"""


@click.command
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    multiple=True,
    help="Record a failover in the real OpenCode instead, as a moving picture (.svg) or for asciinema (.cast); can be "
    "repeated.",
)
@options.line_option
@options.asked_binary_option
@options.keep_homes_option
@options.progress_options
def command(
    record: tuple[Path, ...],
    major: str | None,
    binary: Path | None,
    keep: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """See a failover without keys and without OpenCode's source.

    A small program that ships with this tool stands in for OpenCode. It is patched and built like OpenCode, which needs
    git and a package registry, and then run against fake providers that fail.

    With --record, a patched OpenCode 1 is started in a terminal of its own, against providers on this machine. The
    first one breaks off and is then overloaded. What the screen shows is written to FILE.
    """
    options.at_most_one({"--record": record, "--line": major}, next_step="Leave one of them out.")
    reporter = output.reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    if record:
        write_recording(record, binary, reporter, as_json=as_json)
        return
    from opencode_patcher import pipeline
    from opencode_patcher.base.store import open_store

    seen = pipeline.demonstrate(open_store(), reporter, line=options.line_of(major, []), keep=keep)
    if as_json:
        output.show_json(as_data(seen))
        raise click.exceptions.Exit(DrillError.exit_code if seen.failed else 0)
    if not quiet:
        show(seen)
    if seen.failed:
        raise DrillError(
            f"{len(seen.failed)} of {len(seen.episodes)} scenarios failed.",
            why="Failed: " + ", ".join(seen.failed),
            next_step=f"opencode-patcher verify --binary {seen.binary} --only {seen.failed[0]} --keep DIR",
        )


def write_recording(
    paths: tuple[Path, ...], binary: Path | None, reporter: output.TerminalReporter, *, as_json: bool
) -> None:
    """Record once, and write each file. Raises UsageError without a binary, or for a file of another kind."""
    import sys

    from opencode_patcher.base import files
    from opencode_patcher.cli import asking

    others = [path for path in paths if path.suffix not in (".svg", ".cast")]
    if others:
        raise UsageError(
            f"{others[0]} is neither an .svg nor a .cast file.", next_step="Use a name that ends in .svg or .cast."
        )
    if sys.platform == "win32":
        raise UsageError("A recording needs a pseudo terminal.", next_step="Record on Linux or macOS.")
    program = asking.usable(binary)
    if program is None:
        raise UsageError(
            "A recording needs a patched OpenCode, and there is none here.", next_step="opencode-patcher build"
        )
    from opencode_patcher.demo import record

    tape = record.record(program.file, reporter)
    for path in paths:
        files.write_text(path, record.write(tape, TITLE, path.name))
    if as_json:
        output.show_json({"binary": str(program.file), "files": [str(path) for path in paths]})
        return
    for path in paths:
        output.echo(f"Written: {path}")


def as_data(seen: Demonstration) -> dict[str, object]:
    """What ``--json`` prints. Times are milliseconds since the first request; null where unknown."""
    return {
        "binary": str(seen.binary),
        "reused": seen.reused,
        "passed": not seen.failed,
        "scenarios": [
            {
                "name": episode.verdict.scenario,
                "title": episode.verdict.title,
                "passed": episode.verdict.passed,
                "failures": list(episode.verdict.failures),
                "failover_ms": episode.verdict.failover_ms,
                "timeline": [{"at_ms": line.at_ms, "who": line.who, "text": line.text} for line in episode.lines],
            }
            for episode in seen.episodes
        ],
    }


def show(seen: Demonstration) -> None:
    """Show what happened, and how to get the real thing."""
    output.block(INTRODUCTION.format(line=seen.line.name))
    for episode in seen.episodes:
        show_episode(episode)
    output.block(closing(seen))


def show_episode(episode: Episode) -> None:
    """Show a heading, the timeline and the result."""
    from opencode_patcher.drill.verdict.timeline import text_lines

    output.echo(episode.verdict.title[:1].upper() + episode.verdict.title[1:])
    for line in text_lines(episode.lines):
        output.echo(f"  {line}")
    came = (
        f"{episode.verdict.seen}."
        if episode.verdict.passed
        else f"This should not happen: {'; '.join(episode.verdict.failures)}."
    )
    output.echo(f"  => {came}")
    output.echo()


def closing(seen: Demonstration) -> str:
    """The result in two sentences, and the next commands."""
    if seen.failed:
        return f"The binary is {seen.binary}."
    times = [episode.verdict.failover_ms for episode in seen.episodes if episode.verdict.failover_ms is not None]
    slowest = f" after {max(times):.0f} ms at most" if times else ""
    return "\n".join(
        [
            f"Each time the next provider was asked within the same turn{slowest}: no half answer was left,",
            "no tool ran twice, and each answer is stored and billed under the provider that gave it.",
            f"The program is {seen.binary}; it is of no further use.",
            f"To get this in the real {seen.line.name}: opencode-patcher build --line {seen.line.major}, "
            "then opencode-patcher install",
        ]
    )
