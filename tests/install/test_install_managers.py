"""Which command updates a program that a package manager has installed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from opencode_patcher.base import resources
from opencode_patcher.install import managers
from opencode_patcher.install.systems.current import current_system

TWIN = "opencode-1/packages/opencode/src/combined/seam/installation.ts.j2"


@pytest.mark.parametrize(
    ("program", "command"),
    [
        ("/usr/lib/node_modules/@you/oc/bin/opencode.js", "npm install --global @you/oc@latest"),
        ("/n/node_modules/@you/oc-linux-x64-baseline/bin/opencode", "npm install --global @you/oc@latest"),
        (r"C:\npm\node_modules\oc-windows-arm64\bin\opencode.exe", "npm install --global oc@latest"),
        ("/home/a/.bun/install/global/node_modules/oc-linux-x64-musl/bin/opencode", "bun add --global oc@latest"),
        ("/p/pnpm/global/5/.pnpm/oc@1/node_modules/oc-darwin-arm64/bin/opencode", "pnpm add --global oc@latest"),
        ("/opt/homebrew/Cellar/oc/1.18.3_1/bin/opencode", "brew upgrade oc"),
        (r"C:\Users\a\scoop\apps\oc\current\opencode.exe", "scoop update oc"),
        ("/nix/store/5v3v4x1b-oc-combined-1.18.3-2/bin/opencode", "nix profile upgrade oc-combined"),
        ("/usr/lib/oc-bin/opencode", "yay -Syu oc-bin"),
        ("/usr/lib/opencode2-combined-bin/opencode2", "yay -Syu opencode2-combined-bin"),
        ("/home/a/.local/share/mise/installs/github-you-oc/1.18.3/opencode", "mise upgrade github-you-oc"),
    ],
)
def test_a_program_is_updated_with_its_package_manager(program: str, command: str) -> None:
    found = managers.manager(program)
    assert found
    assert found.update == command


@pytest.mark.parametrize("program", ["/usr/local/bin/opencode", "/usr/lib/opencode/opencode", "/a/node_modules/x"])
def test_any_other_program_has_none(program: str) -> None:
    assert managers.manager(program) is None


def test_upstreams_own_package_is_none_of_ours(tmp_path: Path) -> None:
    for package, wanted in (("opencode-ai", None), ("oc", "npm install --global oc@latest")):
        program = tmp_path / package / "node_modules" / package / "bin" / "opencode.js"
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        place = tmp_path / package / "bin"
        place.mkdir()
        (place / "opencode").symlink_to(program)
        found = managers.on_path(current_system(), {"PATH": f"{place}{os.pathsep}/usr/bin"})
        assert (found.update if found else None) == wanted


def test_opencode_itself_says_the_same() -> None:
    text = (resources.templates() / TWIN).read_text(encoding="utf-8")
    twin = re.findall(r'\{ name: "([^"]+)", place: .*, update: "([^"]+)" \}', text)
    assert twin == [(name, command) for name, _, command in managers.RULES]
