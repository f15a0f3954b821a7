"""The whole pipeline in other people's surroundings: none of their settings changes what is built.

pip fetches the models catalogue, which the small upstream brings along: tests/toolchain/test_toolchain_catalogue.py.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from opencode_patcher.base import git
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.pipeline import Built
from tests.pipeline.small_upstream import build


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a user has set. ``git`` is set in the environment and in the home; ``files`` are added to those there."""

    git: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def apply(self, home: Path, patch: pytest.MonkeyPatch) -> None:
        for name, text in self.files.items():
            with (home / name).open("a") as file:
                file.write(text)
        for name, value in self.variables.items():
            patch.setenv(name, value)
        patch.setenv("GIT_CONFIG_COUNT", str(len(self.git)))
        for number, (name, value) in enumerate(self.git.items()):
            patch.setenv(f"GIT_CONFIG_KEY_{number}", name)
            patch.setenv(f"GIT_CONFIG_VALUE_{number}", value.format(home=home))
            git.run("config", "--file", home / ".gitconfig", name, value.format(home=home))


SETTINGS = {
    "git": Settings(
        git={
            "safe.bareRepository": "explicit",
            "protocol.version": "0",
            "core.autocrlf": "true",
            "core.attributesFile": "{home}/attributes",
            "core.excludesFile": "{home}/attributes",
            "core.sparseCheckout": "false",
            "core.bare": "true",
            "fetch.prune": "true",
            "fetch.fsckObjects": "true",
            "feature.manyFiles": "true",
            "color.ui": "always",
        },
        files={"attributes": "* text eol=crlf\n"},
    ),
    "npm": Settings(
        variables={"NODE_ENV": "production", "npm_config_omit": "dev", "npm_config_production": "true"},
        files={".npmrc": "\nomit=dev\nomit[]=optional\nignore-scripts=false\npackage-lock=false\n"},
    ),
    "bun": Settings(
        variables={
            "BUN_OPTIONS": "--nonsense",
            "BUN_CONFIG_SKIP_INSTALL_PACKAGES": "1",
            "BUN_CONFIG_YARN_LOCKFILE": "1",
            "NODE_OPTIONS": "--throw-deprecation",
        },
        files={".bunfig.toml": "[install]\nfrozenLockfile = true\nproduction = true\nlinker = 'hoisted'\n"},
    ),
    "opencode": Settings(variables={"OPENCODE_CHANNEL": "nightly", "OPENCODE_VERSION": "0.0.0"}),
}


def require_same(built: Built, other: Built) -> None:
    """The path of the store is in the bytes, so that the digests differ."""
    assert not built.reused
    assert built.build.ingredients.key == other.build.ingredients.key
    assert built.build.size == other.build.size


@pytest.mark.parametrize("whose", SETTINGS)
def test_settings_do_not_change_what_is_built(
    whose: str, built_demo: Built, store: Store, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SETTINGS[whose].apply(isolated, monkeypatch)

    require_same(build(store), built_demo)


def test_a_copy_of_the_store_that_belongs_to_another_user_works(built_demo: Built, tmp_path: Path) -> None:
    shutil.copytree(built_demo.build.directory.parent.parent, tmp_path / "copied", symlinks=True)
    store = open_store(tmp_path / "copied")
    shutil.rmtree(store.builds)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        for directory in (*store.sources.glob("*"), *store.trees.glob("*/*")):
            os.chown(directory, 1234, 1234)

    require_same(build(store), built_demo)
