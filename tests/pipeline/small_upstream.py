"""The small upstream in a store: built by the real pipeline, or by the real command line."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from opencode_patcher import pipeline
from opencode_patcher.base.line import OPENCODE_1
from opencode_patcher.base.progress import Reporter, SilentReporter
from opencode_patcher.base.store import HOME_VARIABLE, Store
from opencode_patcher.demo.run import request
from opencode_patcher.install.builds import Build, DrillResult
from opencode_patcher.pipeline import Built
from tests import forks


def unproven(build: Build, reporter: Reporter) -> DrillResult:
    """In the place of the drill, for tests of what comes before it."""
    return DrillResult(passed=(), failed=(), failover_ms=None)


def build(store: Store, **changes: Any) -> Built:
    """Build the small upstream in ``store``; ``changes`` go into the request, whose ``line`` says which one it is."""
    wanted, lock = request(store, changes.get("line", OPENCODE_1))
    return pipeline.build(replace(wanted, **changes), store, SilentReporter(), lock=lock, proof=unproven)


def prepare(store: Store, **changes: Any) -> pipeline.Prepared:
    """Make the patched tree of the small upstream in ``store``; ``changes`` go into the request."""
    wanted, lock = request(store)
    return pipeline.prepare(replace(wanted, **changes), lock.release, store, SilentReporter())


@dataclass(frozen=True)
class CommandLine:
    """The real command line in processes of its own, on a store of its own, with more variables in ``env``."""

    store: Path
    fork: forks.Start
    env: Mapping[str, str] = field(default_factory=dict)

    def start(self, *arguments: str) -> forks.Fork:
        return self.fork(arguments, env={**os.environ, **self.env, HOME_VARIABLE: str(self.store), "NO_COLOR": "1"})

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments)
        out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.wait(), out, err)

    def interrupt(self, arguments: Sequence[str], *, after: str) -> subprocess.CompletedProcess[str]:
        """Press Ctrl-C when a line of the progress contains ``after``."""
        process = self.start(*arguments)
        seen: list[str] = []
        for line in process.stderr:
            seen.append(line)
            if after in line:
                process.send_signal(signal.SIGINT)
                break
        out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.wait(), out, "".join(seen) + err)
