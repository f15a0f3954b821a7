"""Runs that share a store: two at once, and one after another that was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.cli_samples import (
    BUILD_SCRIPT,
    CommandLine,
    MakeUpstream,
    assert_built,
    assert_refused,
    leftovers,
)
from tests.upstream.fake_upstream import Upstream

HOLD = """
import sys
from pathlib import Path
from opencode_patcher.base.store import open_store
with open_store(Path({root!r})).mutex("build"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_run(command_line: CommandLine) -> subprocess.Popen[str]:
    """Another run that keeps working until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(root=str(command_line.store))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("how", [(), ("--json",)], ids=["text", "json"])
def test_the_second_of_two_runs_waits_and_says_so(
    with_bun: CommandLine, upstream: Upstream, other_run: subprocess.Popen[str], how: tuple[str, ...]
) -> None:
    second = with_bun.start("build", "v1.17.90", *with_bun.to_build(upstream), *how)
    assert "Another run of opencode-patcher is in progress; waiting" in second.stderr.readline()
    assert second.poll() is None

    other_run.communicate()

    out, err = second.communicate()
    assert second.returncode == 0, err
    assert "1.17.90" in out


def test_the_second_of_two_runs_can_be_told_not_to_wait(
    with_bun: CommandLine, upstream: Upstream, other_run: subprocess.Popen[str]
) -> None:
    done = with_bun.build(upstream, "--no-wait")
    other_run.communicate()

    assert_refused(done, 9, "Another run of opencode-patcher is in progress.", "--no-wait")
    assert_built(with_bun.build(upstream, "--no-wait"))


def test_two_builds_at_once_both_succeed_and_one_builds(with_bun: CommandLine, upstream: Upstream) -> None:
    arguments = ("build", "v1.17.90", *with_bun.to_build(upstream))
    first, second = with_bun.start(*arguments), with_bun.start(*arguments)

    outputs = [first.communicate(), second.communicate()]

    assert [first.returncode, second.returncode] == [0, 0], outputs
    assert sorted("unchanged" in out for out, _ in outputs) == [False, True]
    assert len(list(with_bun.store.glob("builds/*"))) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_was_killed_during_the_build_can_be_repeated(
    with_bun: CommandLine, make_upstream: MakeUpstream, tmp_path: Path, number: signal.Signals
) -> None:
    go = tmp_path / "go"
    waiting = f"""\
if (!(await Bun.file({json.dumps(str(go))}).exists())) {{
  console.log(`at work: ${{process.pid}}`)
  await Bun.sleep(600000)
}}
"""
    upstream = make_upstream(waiting + BUILD_SCRIPT)
    run = with_bun.start("build", "v1.17.90", *with_bun.to_build(upstream), "--verbose")
    said = ""
    while "at work: " not in said:
        line = run.stderr.readline()
        assert line, said
        said += line
    worker = int(said.rpartition("at work: ")[2])

    run.send_signal(number)
    if number == signal.SIGKILL:
        # Who is killed so cannot end its programs.
        run.wait()
        os.kill(worker, signal.SIGKILL)
    _, rest = run.communicate()

    assert run.returncode == (-9 if number == signal.SIGKILL else 130)
    assert "Traceback" not in said + rest
    assert not list(with_bun.store.glob("builds/*"))
    (with_bun.store / "builds" / ".1.17.90-killed-earlier.abcdefgh").mkdir(parents=True)
    go.touch()
    done = with_bun.build(upstream)
    assert_built(done)
    assert "Fetching" not in done.stderr
    assert not leftovers(with_bun.store)
