"""Upstream's lock file: which package each dependency is."""

from __future__ import annotations

import json

import pytest

from opencode_patcher.base.errors import ToolchainError
from opencode_patcher.toolchain import bun_lock

LOCK = """{
  "lockfileVersion": 1,
  "workspaces": {
    "packages/opencode": {
      "name": "opencode",
      "version": "1.0.0",
      "dependencies": { "glob": "1", "@scope/tool": "1", },
      "devDependencies": { "@opencode-ai/core": "workspace:*", "typescript": "5", },
    },
    "packages/core": { "name": "@opencode-ai/core", "dependencies": { "text": "1", }, },
  },
  "patchedDependencies": { "glob@2.0.0": "patches/glob.patch", },
  "packages": {
    "opencode": ["opencode@workspace:packages/opencode"],
    "@opencode-ai/core": ["@opencode-ai/core@workspace:packages/core"],
    "glob": ["glob@2.0.0", "", { "dependencies": { "minimatch": "9" }, "peerDependencies": { "peer": "1", "may": "1" }, "optionalPeers": ["may"] }, "sha512-AA=="],
    "minimatch": ["minimatch@9.0.0", "", {}, "sha512-AA=="],
    "@scope/tool": ["@scope/tool@1.0.0", "", { "dependencies": { "minimatch": "3" }, "optionalDependencies": { "@n/a": "1", "absent": "1" } }, "sha512-AA=="],
    "@scope/tool/minimatch": ["minimatch@3.0.0", "", { "dependencies": { "text": "1" } }, "sha512-AA=="],
    "@n/a": ["@n/a@1.0.0", "", { "os": ["linux", "darwin"], "cpu": "arm64" }, "sha512-AA=="],
    "peer": ["peer@1.0.0", "", {}, "sha512-AA=="],
    "may": ["may@1.0.0", "", {}, "sha512-AA=="],
    "text": ["text@1.0.0", "", { "description": "a text, with a comma,] inside" }, "sha512-AA=="],
    "typescript": ["typescript@5.0.0", "", {}, "sha512-AA=="],
    "direct": ["direct@https://example.invalid/direct", {}, "sha512-AA=="],
  },
}"""  # noqa: E501 - as bun writes it


def places(root: str) -> list[str]:
    return [package.place for package in bun_lock.parse(LOCK).production(root)]


def test_production_leaves_out_what_only_developers_need() -> None:
    assert places("opencode") == [
        "opencode",
        "@n/a",
        "@opencode-ai/core",
        "@scope/tool",
        "@scope/tool/minimatch",
        "glob",
        "minimatch",
        "peer",
        "text",
    ]


def test_what_is_embedded_counts_as_production() -> None:
    found = bun_lock.parse(LOCK).production("@opencode-ai/core", embedded="packages/opencode")
    assert found[0].name == "@opencode-ai/core"
    assert "opencode" in found[0].needs
    assert "glob" in [package.place for package in found]


def test_the_nearest_version_is_used() -> None:
    packages = bun_lock.parse(LOCK).packages
    assert packages["@scope/tool"].needs == ("@scope/tool/minimatch",)
    assert packages["glob"].needs == ("minimatch", "peer")
    assert packages["@scope/tool/minimatch"].needs == ("text",)
    assert (packages["@scope/tool/minimatch"].name, packages["@scope/tool/minimatch"].version) == ("minimatch", "3.0.0")


def test_platforms_and_upstreams_own_packages_are_known() -> None:
    lock = bun_lock.parse(LOCK)
    assert (lock.packages["@n/a"].systems, lock.packages["@n/a"].machines) == (("linux", "darwin"), ("arm64",))
    assert lock.packages["@n/a"].native
    assert not lock.packages["glob"].native
    assert lock.packages["@opencode-ai/core"].workspace == "packages/core"
    assert lock.packages["direct"].integrity == "sha512-AA=="
    assert lock.patched == {"glob@2.0.0": "patches/glob.patch"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"lockfileVersion": 1}',
        LOCK.replace('"lockfileVersion": 1', '"lockfileVersion": 2'),
        '{"lockfileVersion": 1, "workspaces": {}, "packages": {"a": []}}',
    ],
)
def test_an_invalid_lock_is_an_error(text: str) -> None:
    with pytest.raises(ToolchainError, match="not understood"):
        bun_lock.parse(text)


def test_a_program_that_is_not_in_the_lock_is_an_error() -> None:
    with pytest.raises(ToolchainError, match="not understood") as caught:
        bun_lock.parse(LOCK).production("elsewhere")
    assert "elsewhere" in caught.value.why


def test_plain_json_is_a_lock_too() -> None:
    data = json.loads('{"lockfileVersion": 0, "workspaces": {}, "packages": {}}')
    assert bun_lock.parse(json.dumps(data)).packages == {}
