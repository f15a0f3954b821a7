"""A small upstream: a real git repository with release tags and the shape of OpenCode's workspace."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from opencode_patcher.base import git
from opencode_patcher.base.progress import Reporter, SilentReporter
from opencode_patcher.base.store import Store
from opencode_patcher.base.version import Release
from opencode_patcher.upstream.repository import opened, opened_at

IDENTITY = ("-c", "user.name=Upstream", "-c", "user.email=upstream@example.invalid")


def manifest(name: str, **fields: object) -> str:
    return json.dumps({"name": name, **fields}, indent=2) + "\n"


WORKSPACE: Mapping[str, str] = {
    "package.json": manifest(
        "opencode",
        packageManager="bun@1.3.14",
        workspaces={"packages": ["packages/*", "packages/sdk/js", "packages/slack"]},
        dependencies={"@opencode-ai/sdk": "workspace:*"},
    ),
    "bun.lock": "{}\n",
    "README.md": "The program.\n",
    ".github/TEAM_MEMBERS": "someone\n",
    ".github/workflows/ci.yml": "on: push\n",
    "patches/left-pad@1.0.0.patch": "a patch\n",
    "packages/opencode/package.json": manifest(
        "opencode", version="1.0.0", dependencies={"@opencode-ai/core": "workspace:*", "left-pad": "1.0.0"}
    ),
    "packages/opencode/src/index.ts": "export const answer = 42\n",
    "packages/opencode/test/index.test.ts": "// a test\n",
    "packages/opencode/test/tool/fixtures/models-api.json": '{"large": true}\n',
    "packages/core/package.json": manifest("@opencode-ai/core", devDependencies={"@opencode-ai/schema": "workspace:*"}),
    "packages/core/src/core.ts": "export const core = 1\n",
    "packages/core/test/core.test.ts": "// a test\n",
    "packages/schema/package.json": manifest("@opencode-ai/schema"),
    "packages/schema/src/schema.ts": "export const schema = 1\n",
    "packages/sdk/js/package.json": manifest("@opencode-ai/sdk"),
    "packages/sdk/js/src/sdk.ts": "export const sdk = 1\n",
    "packages/slack/package.json": manifest("@opencode-ai/slack"),
    "packages/app/package.json": manifest("@opencode-ai/app", dependencies={"@opencode-ai/ui": "workspace:*"}),
    "packages/app/src/app.ts": "export const app = 1\n",
    "packages/ui/package.json": manifest("@opencode-ai/ui"),
    "packages/ui/src/ui.ts": "export const ui = 1\n",
    "packages/web/package.json": manifest("@opencode-ai/web"),
    "packages/web/src/large.txt": "not needed\n" * 100,
}


class Upstream:
    """Makes commits and tags in a repository of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        git.run("init", "--quiet", "--initial-branch=dev", path)

    @property
    def source(self) -> str:
        return str(self.path)

    def git(self, *arguments: str | Path) -> str:
        return git.run("-C", self.path, *IDENTITY, *arguments).stdout.strip()

    def commit(self, files: Mapping[str, str | bytes]) -> str:
        """Commit files (the others stay) and return the commit's id."""
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message=work")
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str, *, annotated: bool = True, force: bool = False) -> None:
        about = ("--annotate", f"--message={name}") if annotated else ()
        self.git("tag", *about, *(("--force",) if force else ()), name)

    def release(self, tag: str, files: Mapping[str, str | bytes] | None = None, *, annotated: bool = True) -> str:
        """Commit files (by default the whole small workspace), tag the commit, and return its id."""
        commit = self.commit(WORKSPACE if files is None else files)
        self.tag(tag, annotated=annotated)
        return commit

    def allow_filter(self) -> None:
        self.git("config", "uploadpack.allowFilter", "true")


def fetch(store: Store, source: str, *wanted: Release, reporter: Reporter | None = None) -> Path:
    """Fetch releases into the store, and return the path of the repository."""
    with opened(store, source) as repository:
        repository.fetch(wanted, reporter or SilentReporter())
        return repository.path


def contents(repository: Path, commit: str, paths: Iterable[str]) -> dict[str, bytes | None]:
    """The content of several files of a commit, fetched in one go; None for those that it does not have."""
    wanted = list(paths)
    with opened_at(repository) as reading:
        snapshot = reading.at(commit)
        snapshot.prefetch(wanted)
        return {path: snapshot.read(path) for path in wanted}


def files(repository: Path, commit: str) -> set[str]:
    """The paths of all files of a commit."""
    with opened_at(repository) as reading:
        return set(reading.at(commit).files())
