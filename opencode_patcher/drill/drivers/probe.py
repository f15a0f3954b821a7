"""Finds out what a binary is: stock, or patched and with which combined model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from opencode_patcher.base import process
from opencode_patcher.base.errors import DrillError, ProcessError
from opencode_patcher.drill.drivers.home import (
    NO_NETWORK,
    Home,
    configuration,
    configure,
    environment,
    prepare,
    start_project,
)
from opencode_patcher.drill.drivers.opencode_server import OpenCodeServer
from opencode_patcher.drill.drivers.stored import COMMAND_SECONDS
from opencode_patcher.drill.fakes.wire import as_object, as_objects
from opencode_patcher.drill.scenarios.quick import ALPHA, BETA, GAMMA
from opencode_patcher.drill.verdict.observation import Subject

COMBINED = "combined"
"""The id of the virtual provider."""

PROVIDERS = (ALPHA, BETA, GAMMA)
"""Three providers that spell one model differently."""

URLS = {provider.id: NO_NETWORK for provider in PROVIDERS}

Lister = Callable[[bool], list[str]]
"""Returns the models (``provider/model``) that the binary lists, with or without the keys of a patched one in its
configuration. Raises ProcessError or DrillError when it refuses.
"""


def probe(binary: Path, root: Path) -> Subject:
    """Find out what a binary is by running its commands, in a fresh home below ``root`` (a template for others).

    Raises DrillError when it is neither patched nor stock.
    """
    if not binary.is_file():
        raise not_drillable(binary, "It is not a file.")
    home = prepare(root, configuration(PROVIDERS, URLS, priority=True))

    def command(*arguments: str) -> str:
        done = process.run([binary, *arguments], cwd=home.work, env=environment(home), timeout=COMMAND_SECONDS)
        return done.stdout

    def listed(priority: bool) -> list[str]:
        configure(home, configuration(PROVIDERS, URLS, priority=priority))
        return command("models").splitlines()

    try:
        version = command("--version").strip()
    except ProcessError as error:
        raise not_drillable(binary, str(error)) from error
    return _subject(binary, version, listed)


def look(binary: Path, server: OpenCodeServer, home: Home) -> Subject:
    """Find out the same by asking the binary's server, in two separate projects in ``home``."""

    def listed(priority: bool) -> list[str]:
        project = home.at("projects/looked-at" if priority else "projects/looked-at-as-stock")
        start_project(project, configuration(PROVIDERS, URLS, priority=priority))
        found = as_objects(as_object(server.at(project.work).call("GET", "/config/providers")).get("providers"))
        return [f"{provider.get('id')}/{model}" for provider in found for model in as_object(provider.get("models"))]

    health = as_object(server.call("GET", "/global/health"))
    return _subject(binary, str(health.get("version", "")), listed)


def _subject(binary: Path, version: str, listed: Lister) -> Subject:
    """A patched binary accepts ``provider_priority`` and lists the combined model of three providers that spell one
    model differently; a stock binary refuses the key and lists the models one by one.
    """
    try:
        found = listed(True)
    except (ProcessError, DrillError) as refused:
        try:
            found = listed(False)
        except (ProcessError, DrillError) as error:
            raise not_drillable(binary, f"{refused}\n{error}") from error
        if f"{ALPHA.id}/{ALPHA.model}" not in found:
            raise not_drillable(binary, "It does not list the models of a configured provider.") from None
        return Subject(binary=binary, version=version, model=None)
    combined = [model for model in found if model.startswith(f"{COMBINED}/")]
    if len(combined) != 1:
        raise DrillError(
            f"{binary} does not combine one model of three providers.",
            why="It lists: " + (", ".join(found) or "nothing"),
        )
    return Subject(binary=binary, version=version, model=combined[0])


def not_drillable(binary: Path, why: str) -> DrillError:
    """The error for a file that is not an opencode binary that runs here."""
    return DrillError(
        f"{binary} cannot be drilled.",
        why=why,
        next_step="Name an opencode binary that runs on this machine.",
    )
