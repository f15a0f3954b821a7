"""Builds made of small shell scripts, for the tests of the install room."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release
from opencode_patcher.install import builds
from opencode_patcher.install.builds import Build, DrillResult, Ingredients

PASSED = DrillResult(passed=("both-healthy",), failed=(), failover_ms=10.0)


def release(number: str, commit: str = "c" * 40) -> Release:
    major, minor, patch = map(int, number.split("."))
    return Release(version=(major, minor, patch), tag=f"v{number}", commit=commit)


def program(path: Path, name: str, version: str = "1.18.3", *, body: str = "") -> Path:
    """A program that prints its version when asked for it, and else its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\n{body}\n[ "$1" = --version ] && echo {version} || echo {name}\n')
    path.chmod(0o755)
    return path


def make_build(
    store: Store,
    name: str,
    number: str = "1.18.3",
    *,
    body: str = "",
    drill: DrillResult | None = PASSED,
    at: float = 0,
    commit: str = "c" * 40,
    lacks: tuple[str, ...] = (),
) -> Build:
    """A build in the store whose program prints ``name``; ``at`` orders the builds by time."""
    ingredients = Ingredients(
        release=release(number, commit),
        source="https://example.invalid/opencode",
        patchset=name,
        bun="1.3.14",
        catalogue="c" * 64,
        web_ui=False,
        target="linux-x64",
        lacks=lacks,
    )
    made = builds.keep(store, ingredients, program(store.root / "new" / "opencode", name, number, body=body), "0.1.0")
    if drill:
        made = builds.record_drill(made, drill)
    if at:
        manifest = made.directory / builds.MANIFEST
        text = manifest.read_text().replace(f'"built_at": {made.built_at}', f'"built_at": {at}')
        manifest.write_text(text)
    return made


def started(place: Path) -> str:
    """What the program at ``place`` prints."""
    done = subprocess.run([place], check=True, capture_output=True, text=True, env={"PATH": os.defpath})
    return done.stdout.strip()


def entries(directory: Path) -> list[str]:
    """The names in a directory, hidden ones too."""
    return sorted(path.name for path in directory.iterdir())
