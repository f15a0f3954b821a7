"""A small upstream with releases of its own, and a series of two patches for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from opencode_patcher.base import git
from opencode_patcher.base.version import Release
from opencode_patcher.upstream import releases
from opencode_patcher.upstream.lock import CataloguePin, Lock, read_lock

IDENTITY = ("-c", "user.name=Upstream", "-c", "user.email=upstream@example.invalid", "-c", "commit.gpgSign=false")
KITCHEN = "packages/opencode/src/kitchen.ts"
MENU = "packages/opencode/src/menu.ts"
OURS = "packages/opencode/src/combined/taste.ts"

KITCHEN_TEXT = """\
import { Oven } from "./oven"

export function prepare(dish: string) {
  const oven = new Oven()
  oven.heat(180)
  return oven.take(dish)
}

export function serve(dish: string, guest: string) {
  const plate = prepare(dish)
  return carry(plate, guest)
}

export * as Kitchen from "./kitchen"
"""

MENU_TEXT = """\
export const title = "menu"

export function line(name: string, price: number) {
  const text = name
  return `${text} ${price}`
}
"""

FILES: Mapping[str, str] = {
    "package.json": json.dumps({"name": "root", "packageManager": "bun@1.3.14", "workspaces": ["packages/*"]}),
    "packages/opencode/package.json": json.dumps({"name": "opencode", "version": "2.0.0"}),
    "packages/opencode/src/oven.ts": "export class Oven {}\n",
    KITCHEN: KITCHEN_TEXT,
    MENU: MENU_TEXT,
}

TASTE = f"""\
Subject: Taste before serving
Why: Guests complain.
Obsolete-When: the kitchen tastes by itself
Touches: {KITCHEN}

diff --git a/{KITCHEN} b/{KITCHEN}
--- a/{KITCHEN}
+++ b/{KITCHEN}
@@ -11,1 +11,2 @@ serve
+  CombinedTaste.taste(plate)
   return carry(plate, guest)
@@ -14,1 +15,2 @@
+import {{ CombinedTaste }} from "./combined/taste"
 export * as Kitchen from "./kitchen"
"""

LABEL = f"""\
Subject: Name the release on the menu
Why: Guests ask.
Obsolete-When: the menu says it
Touches: {MENU}

diff --git a/{MENU} b/{MENU}
--- a/{MENU}
+++ b/{MENU}
@@ -4,1 +4,1 @@ line
-  const text = name
+  const text = name + [= release_tag | tojson =]
"""

NEW_FILE = """\
import type { Kitchen } from "../kitchen"

export function taste(plate: ReturnType<typeof Kitchen.prepare>) {
  return plate
}

export * as CombinedTaste from "./taste"
"""

PIN = CataloguePin(package="models", version="1.0", sha256="a" * 64)


class Upstream:
    """A real repository whose releases are made one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        git.run("init", "--quiet", "--initial-branch=dev", path)
        git.run("-C", path, "config", "uploadpack.allowFilter", "true")
        git.run("-C", path, "config", "uploadpack.allowAnySHA1InWant", "true")

    @property
    def source(self) -> str:
        return str(self.path)

    def git(self, *arguments: str | Path) -> str:
        return git.run("-C", self.path, *IDENTITY, *arguments).stdout.strip()

    def commit(self, message: str, files: Mapping[str, str | None]) -> str:
        """Write files (None deletes one), commit them and return the commit's id."""
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_bytes(text.encode())
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.git("rev-parse", "HEAD")

    def release(self, tag: str, files: Mapping[str, str | None] | None = None) -> Release:
        """A release as upstream makes them: a commit beside the branch, with a tag."""
        self.commit("work", FILES if files is None else files)
        self.git("switch", "--quiet", "--detach")
        self.commit(f"release: {tag}", {"VERSION": f"{tag}\n"})
        self.git("tag", tag)
        self.git("switch", "--quiet", "dev")
        return releases.find(releases.list_releases(self.source), tag)


def write_ours(root: Path, patches: Mapping[str, str] | None = None) -> tuple[Path, Path]:
    """Write ``patches/`` and ``templates/`` of ours below ``root``."""
    directory, templates = root / "patches" / "opencode-1", root / "templates"
    directory.mkdir(parents=True)
    found = {"taste": TASTE, "label": LABEL} if patches is None else patches
    (directory / "series").write_text("".join(f"{name}\n" for name in found))
    for name, text in found.items():
        (directory / f"{name}.patch").write_text(text)
    new = templates / "opencode-1" / OURS
    new.parent.mkdir(parents=True)
    new.write_text(NEW_FILE)
    return directory, templates


def lock_of(release: Release) -> Lock:
    return Lock(release=release, catalogue=PIN, bun=read_lock().bun)
