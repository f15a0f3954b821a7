"""``opencode-patcher config``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode_patcher.base import files
from opencode_patcher.cli import options, output

if TYPE_CHECKING:
    from opencode_patcher.configuration.advice import Advice
    from opencode_patcher.configuration.check import ConfigProblem
    from opencode_patcher.configuration.survey import Survey

SHOWN_GROUPS = 12
"""How many combined models are shown. Two large providers have hundreds in common."""


@click.command
@click.option("--check", "check_only", is_flag=True, help="Only check the existing configuration.")
@click.option("--schema", is_flag=True, help="Print the JSON schema of combined.json, for editors.")
@options.lookup_catalog_option
@options.json_option
@click.pass_context
def command(ctx: click.Context, check_only: bool, schema: bool, catalog: Path | None, as_json: bool) -> None:
    """Show the lines to add to combined.json for your providers, and check the existing configuration.

    combined.json is read after the opencode.json of the same directory, and only by a patched OpenCode.

    Your providers are found as OpenCode finds them: by its logins, the environment and the configuration, as seen from
    the current directory. Nothing is written, and no key is shown. With --check, the OpenCode that this tool installed
    is asked whether it accepts copies of the files. The exit code is 1 when OpenCode would refuse the configuration.
    """
    if schema:
        from opencode_patcher.models import json_schema

        output.show_json(json_schema.of_file())
        return
    import os
    from dataclasses import replace

    from opencode_patcher.base.environment import working_directory
    from opencode_patcher.base.errors import CatalogueError, ToolchainError
    from opencode_patcher.configuration import advice, places
    from opencode_patcher.configuration.survey import survey
    from opencode_patcher.models import catalogue
    from opencode_patcher.toolchain.catalogue import find

    try:
        path = find(catalog, catalogue.opencode_cache(), output.TerminalReporter())
        found = survey(os.environ, working_directory(), catalogue.load_providers(path))
    except (CatalogueError, ToolchainError):
        # What OpenCode refuses is wrong for any models.
        found = survey(os.environ, working_directory(), ())
        if catalog or not check_only or not found.errors:
            raise
    if check_only:
        found = replace(found, findings=(*found.findings, *_asked(found)))
    file = places.combined_file(os.environ)
    proposal = advice.advise(found.files, found.config, found.connected, found.groups, file)
    if as_json:
        output.show_json(as_data(found, proposal, file))
    else:
        if not check_only:
            show(found, proposal, file)
            output.echo()
        show_findings(found.findings, files=len(found.files))
    ctx.exit(1 if found.errors else 0)


def _asked(found: Survey) -> tuple[ConfigProblem, ...]:
    """What the installed OpenCode refuses in files in which we found no error."""
    import os

    from opencode_patcher.base.environment import working_directory
    from opencode_patcher.base.errors import PatcherError
    from opencode_patcher.base.files import is_dir
    from opencode_patcher.base.store import default_root, open_store
    from opencode_patcher.configuration import asked
    from opencode_patcher.install import activate
    from opencode_patcher.install.systems.current import current_system

    if not is_dir(default_root()):
        return ()
    try:
        installed = activate.look(open_store(), current_system()).active
    except PatcherError:
        return ()
    if installed is None or not files.is_file(installed.file):
        return ()
    wrong = {finding.file for finding in found.errors}
    accepted = [file for file in found.files if file.name not in wrong]
    return asked.ask(installed.file, accepted, os.environ, working_directory())


def as_data(found: Survey, proposal: Advice, file: Path | None) -> dict[str, object]:
    """What ``--json`` prints. ``add`` has to be merged into ``file``, which has none of it yet."""
    from dataclasses import asdict

    return {
        "files": [one.name for one in found.files],
        "providers": [
            {"id": one.id, "means": one.means, "shown": one.shown, "models": len(one.offers)} for one in found.connected
        ],
        "combined": [
            {
                "model": f"combined/{group.id}",
                "members": [f"{member.provider_id}/{member.model_id}" for member in group.members],
            }
            for group in found.groups
        ],
        "off": found.off or None,
        "file": str(file) if file else None,
        "add": dict(proposal.add),
        "change": [asdict(change) for change in proposal.changes],
        "findings": [
            {"level": one.level, "file": one.file, "line": one.line, "text": one.text, "fix": one.fix or None}
            for one in found.findings
        ],
    }


def show(found: Survey, proposal: Advice, file: Path | None) -> None:
    """Show the providers, what is combined, and the lines to add."""
    if found.logins.problem:
        output.echo(f"{found.logins.problem} {found.logins.fix}")
    if not found.connected:
        output.echo("No provider is connected. Log in to two or more that offer the same model: opencode auth login")
        return
    output.echo("Your providers:")
    for provider in found.connected:
        output.echo(f"  {provider.id}  ({provider.shown}, {len(provider.offers)} models)")
    if found.errors:
        return
    if found.off:
        output.echo()
        output.echo(f"Nothing is combined: {found.off}.")
        return
    if not found.groups:
        output.echo()
        output.echo("No two of them offer the same model, so nothing is combined yet.")
        output.echo("Log in to another provider that has the model you use: opencode auth login")
        return
    output.echo()
    output.echo(f"Combined models: {len(found.groups)}")
    # Those with the most providers are the most useful.
    best = sorted(found.groups, key=lambda group: -len({member.provider_id for member in group.members}))
    for group in best[:SHOWN_GROUPS]:
        providers = dict.fromkeys(member.provider_id for member in group.members)
        output.echo(f"  combined/{group.id}  ({', '.join(providers)})")
    if len(best) > SHOWN_GROUPS:
        words = " ".join(f"--provider {provider.id}" for provider in found.connected)
        output.echo(f"  ... all of them: opencode-patcher models groups {words}")
    _show_who_sees_it(found, proposal)
    _show_lines(proposal, file)


def _show_who_sees_it(found: Survey, proposal: Advice) -> None:
    output.echo()
    output.echo("A failover sends the whole conversation to the next provider, a company with its own terms.")
    if found.unpromised:
        names = ", ".join(found.unpromised)
        output.echo(f"Not known to promise what combined.require asks for, so left out: {names}.")
    asked = {member.provider_id for group in found.groups for member in group.members if member.variant.free}
    left_out = {member.provider_id for member in found.left_out}
    named = left_out & set(proposal.add.get("provider_priority", ()))
    if asked:
        output.echo(f"Free offers, whose terms for your data differ, are among them: {', '.join(sorted(asked))}.")
    if left_out - named:
        names = ", ".join(sorted(left_out - named))
        output.echo(f"Free offers are left out, because their terms for your data differ: {names}.")
        output.echo("To use them, name their provider in provider_priority.")
    if named:
        output.echo(f"The lines below name {', '.join(sorted(named))}, whose free offers are then asked as well.")
    if asked or named:
        output.echo('To leave them out: "combined": {"variants": ["region", "host", "confidential"]}')


def _show_lines(proposal: Advice, file: Path | None) -> None:
    from opencode_patcher.configuration.advice import SCHEMA_NAME, as_json

    if proposal.add:
        there = bool(file and files.is_file(file) and files.read_text(file, errors="replace").strip())
        output.echo()
        output.echo(f"Add this to {file or 'combined.json'}" + (", right after the first {:" if there else ":"))
        for line in proposal.lines(whole=not there):
            output.echo(line)
        output.echo("The order is a suggestion. A stock OpenCode does not read this file.")
        if not there and file:
            output.echo(f"For completion in editors: opencode-patcher config --schema > {file.parent / SCHEMA_NAME}")
    for change in proposal.changes:
        where = change.file if change.line is None else f"line {change.line} of {change.file}"
        reason = "To use your model as a combined one" if change.key == "model" else "To choose who is asked first"
        output.echo()
        output.echo(f"{reason}, change {where} to:")
        output.echo(f"  {as_json(change.key, change.value)}")
    if not proposal.add and not proposal.changes:
        output.echo()
        output.echo("Your configuration needs no changes.")


def show_findings(findings: Sequence[ConfigProblem], *, files: int) -> None:
    """Show what is wrong, each with its place and what to do."""
    if not findings:
        output.echo(f"Checked: {files} configuration file{'' if files == 1 else 's'}, nothing wrong.")
        return
    for finding in findings:
        colour = "red" if finding.level == "error" else "yellow"
        where = f"{finding.where}: " if finding.where else ""
        output.echo(output.paint(finding.level, colour, bold=True), f": {where}{finding.text}")
        if finding.fix:
            output.echo(f"  {finding.fix}")
