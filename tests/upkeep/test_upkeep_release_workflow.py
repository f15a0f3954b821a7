"""The scripts of the release workflow, run by bash as a runner would, with a ``gh`` whose releases are files."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from opencode_patcher.base import resources
from opencode_patcher.upkeep import workflows

pytestmark = pytest.mark.skipif(not shutil.which("bash") or not shutil.which("sha256sum"), reason="needs bash")

GH = """#!/bin/sh
echo "$@" >> "$FAKE/asked"
if [ -f "$FAKE/offline" ]; then echo "error connecting to api.github.com" >&2; exit 1; fi
case "$1 $2" in
  "release view")
    case "$*" in *assets*) ls "$FAKE/assets"; exit ;; esac
    if [ -f "$FAKE/state" ]; then cat "$FAKE/state"; else echo "release not found" >&2; exit 1; fi ;;
  "release create") echo true > "$FAKE/state" ;;
  "release edit") echo false > "$FAKE/state" ;;
  "release delete-asset") rm "$FAKE/assets/$4" ;;
  "release upload")
    shift 5
    for file do
      if [ "$file" = "$(cat "$FAKE/breaks-at" 2>/dev/null)" ]; then exit 1; fi
      cp "$file" "$FAKE/assets/"
    done ;;
  "api repos/example/fork/commits/tags/v1.18.3")
    if [ -f "$FAKE/tag" ]; then cat "$FAKE/tag"; else echo '{"message":"No commit found"}'; exit 1; fi ;;
esac
"""

FILES = ("RELEASE-NOTES.md", "install.sh", "manifest.json", "opencode-linux-x64.tar.gz")


def script(step: str) -> str:
    """The script of the step with this name."""
    text = workflows.workflows(
        resources.templates(), cron=workflows.OWN_CRON, branch="main", lines=workflows.CHOICES["1"]
    )["release.yml"]
    [found] = [part for part in text.split("      - name: ") if part.startswith(f"{step}\n")]
    lines = found.split("        run: |\n")[1].splitlines(keepends=True)
    kept = itertools.takewhile(lambda line: line.startswith(" " * 10), lines)
    return textwrap.dedent("".join(kept))


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A runner with the files of a release. ``fake`` has GitHub's state."""

    root: Path

    @property
    def fake(self) -> Path:
        return self.root / "github"

    def run(self, step: str, tag: str = "v1.18.3", ref: str = "") -> subprocess.CompletedProcess[str]:
        (self.fake / "asked").write_text("")
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script(step)],
            cwd=self.root / "dist",
            env={
                "PATH": f"{self.root / 'programs'}:{os.environ['PATH']}",
                "FAKE": str(self.fake),
                "TAG": tag,
                "GITHUB_SHA": "a" * 40,
                "GITHUB_REF": ref or f"refs/tags/{tag}",
                "GH_REPO": "example/fork",
                "GITHUB_REPOSITORY": "example/fork",
                "RUNNER_TEMP": str(self.root),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def publish(self) -> subprocess.CompletedProcess[str]:
        return self.run("Complete a draft, then publish it")

    def asked(self) -> list[str]:
        return (self.fake / "asked").read_text().splitlines()

    def state(self) -> str:
        draft = self.fake / "state"
        return {"true": "draft", "false": "public"}[draft.read_text().strip()] if draft.exists() else "none"

    def assets(self) -> set[str]:
        return {path.name for path in (self.fake / "assets").iterdir()}


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    runner = Runner(root=tmp_path / "runner")
    dist, programs = runner.root / "dist", runner.root / "programs"
    for directory in (dist, programs, runner.fake / "assets"):
        directory.mkdir(parents=True)
    for name in FILES:
        (dist / name).write_text(f"{name}\n")
    sums = [f"{hashlib.sha256((dist / name).read_bytes()).hexdigest()}  {name}\n" for name in FILES]
    (dist / "SHA256SUMS").write_text("".join(sums))
    (runner.fake / "tag").write_text("a" * 40)
    for name, text in {"gh": GH, "jq": "#!/bin/sh\necho 1.18.3\n"}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    return runner


def test_a_release_is_public_once_it_is_complete(runner: Runner) -> None:
    done = runner.publish()
    assert done.returncode == 0, done.stderr
    assert runner.state() == "public"
    assert runner.assets() == {*FILES, "SHA256SUMS"}
    tag, view, create, _, upload, edit = runner.asked()
    assert tag.startswith("api repos/example/fork/commits/tags/v1.18.3 ")
    assert view.startswith("release view v1.18.3 ")
    assert create.startswith("release create v1.18.3 --draft --verify-tag --title OpenCode 1.18.3 with")
    assert upload.startswith("release upload v1.18.3 --clobber -- ")
    assert edit.startswith("release edit v1.18.3 --draft=false --verify-tag ")


def test_an_interrupted_run_is_completed(runner: Runner) -> None:
    (runner.fake / "breaks-at").write_text("manifest.json")
    assert runner.publish().returncode == 1
    assert runner.state() == "draft"
    (runner.fake / "breaks-at").unlink()

    assert runner.publish().returncode == 0
    assert runner.state() == "public"
    assert runner.assets() == {*FILES, "SHA256SUMS"}
    assert not [line for line in runner.asked() if line.startswith("release create")]


def test_files_of_a_draft_of_another_commit_are_not_published(runner: Runner) -> None:
    (runner.fake / "state").write_text("true\n")
    for name in ("manifest.json", "opencode-linux-arm64.tar.gz"):
        (runner.fake / "assets" / name).write_text("of the other commit\n")

    done = runner.publish()

    assert done.returncode == 0, done.stderr
    assert runner.assets() == {*FILES, "SHA256SUMS"}
    assert (runner.fake / "assets/manifest.json").read_text() == "manifest.json\n"


def test_a_public_release_is_left_as_it_is(runner: Runner) -> None:
    runner.publish()
    done = runner.publish()
    assert done.returncode == 0
    assert "already public" in done.stdout
    assert [line.split()[0] for line in runner.asked()] == ["api", "release"]


def test_no_second_release_if_github_does_not_answer(runner: Runner) -> None:
    (runner.fake / "offline").touch()
    done = runner.publish()
    assert done.returncode == 1
    assert "error connecting" in done.stderr
    assert len(runner.asked()) == 1


def test_no_release_for_a_tag_that_has_moved(runner: Runner) -> None:
    (runner.fake / "tag").write_text("b" * 40)
    done = runner.publish()
    assert done.returncode == 1
    assert "::error::The tag has moved to bbbb" in done.stdout
    assert len(runner.asked()) == 1


def test_files_that_differ_from_the_attested_ones(runner: Runner) -> None:
    (runner.root / "dist/install.sh").write_text("echo something else\n")
    assert runner.publish().returncode == 1
    assert runner.asked() == []


@pytest.mark.parametrize(
    ("tag", "there", "ref", "fits"),
    [
        ("v1.18.3", "a" * 40, "", True),
        ("v1.18.3", "a" * 40, "refs/heads/v1.18.3", False),
        ("v1.18.3", "b" * 40, "", False),
        ("1.18.3", "a" * 40, "", False),
        ("v1.18.3;id", "a" * 40, "", False),
        ("v1/../../main", "a" * 40, "", False),
        ("v1\nv2", "a" * 40, "", False),
    ],
)
def test_the_tag(runner: Runner, tag: str, there: str, ref: str, fits: bool) -> None:
    (runner.fake / "tag").write_text(f"{there}\n")
    done = runner.run("Check that this is a tag, and still at this commit", tag, ref)
    assert (done.returncode == 0) == fits
    assert ("::error::" in done.stdout) != fits
