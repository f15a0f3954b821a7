"""Whether a build can fetch the source and packages it still needs."""

from __future__ import annotations

from collections.abc import Mapping

from opencode_patcher.base.errors import PatcherError
from opencode_patcher.base.text import without_credentials
from opencode_patcher.base.version import Release
from opencode_patcher.doctor.finding import Finding, of_error
from opencode_patcher.toolchain import npm_registry, npm_settings, platforms
from opencode_patcher.upstream import lock, releases

TIMEOUT_SECONDS = 20.0
"""A server that takes longer for a short answer is too slow for a build, too."""


def check_registry(environment: Mapping[str, str], *, needed: bool) -> Finding:
    """Whether npm's registry answers for bun's package, with the user's settings.

    ``needed`` says whether a build of the locked release would use it.
    """
    check = "npm registry"
    settings = npm_settings.read_settings(environment)
    try:
        package = platforms.bun_package(platforms.detect())
        npm_registry.ask(settings, package, timeout=TIMEOUT_SECONDS)
    except PatcherError as error:
        if needed:
            return of_error(check, error)
        text = f"{error.what} What the locked release needs is already here.\n{error.why}"
        return Finding(check=check, level="warning", text=text, fix=error.next_step)
    address = without_credentials(settings.registry(package))
    return Finding(check=check, level="good", text=f"{address} answers.")


def check_source(source: str, locked: Release, *, needed: bool) -> Finding:
    """Whether the source lists its releases, and has the locked one at the locked commit."""
    check = "source"
    try:
        listed = releases.list_releases(source, timeout=TIMEOUT_SECONDS)
        newest = releases.latest(listed)
    except PatcherError as error:
        if needed:
            return of_error(check, error)
        text = f"{error.what} The locked release, {locked.tag}, is already in the store.\n{error.why}"
        return Finding(check=check, level="warning", text=text, fix=error.next_step)
    found = next((release for release in listed if release.tag == locked.tag), None)
    if found is None:
        text = f"{without_credentials(source)} does not have {locked.tag}, the locked release."
        fix = "Name OpenCode's repository, or a copy with its tags, with --source."
        return Finding(check=check, level="blocks" if needed else "warning", text=text, fix=fix)
    if found.commit != locked.commit:
        return of_error(check, lock.moved(locked.tag, expected=locked.commit, found=found.commit))
    text = f"{without_credentials(source)} answers; its newest release is {newest.tag}, the locked one is {locked.tag}."
    if newest.version > locked.version:
        return Finding(check=check, level="good", text=text, fix="To move to it: opencode-patcher update")
    return Finding(check=check, level="good", text=text)
