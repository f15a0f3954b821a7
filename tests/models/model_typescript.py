"""The TypeScript that runs inside OpenCode, rendered and running under bun."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from opencode_patcher.base import resources
from opencode_patcher.models.typescript import rules_json
from opencode_patcher.patchset.render import render_file

IDENTITY = resources.templates() / "combined/identity"


class TypeScript:
    """One bun that runs the rendered sources; ``ask`` calls one of their functions."""

    def __init__(self, bun: Path, directory: Path) -> None:
        for path in IDENTITY.glob("*.ts"):
            shutil.copy(path, directory / path.name)
        template = (IDENTITY / "table.ts.j2").read_text(encoding="utf-8")
        rendered = render_file("table.ts.j2", template, {"identity_rules": rules_json()})
        (directory / "table.ts").write_text(rendered, encoding="utf-8")
        shutil.copy(Path(__file__).with_name("agreement.ts"), directory / "agreement.ts")
        self.process = subprocess.Popen(
            [bun, directory / "agreement.ts"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def ask(self, call: str, *given: object) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"call": call, "given": given}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"bun ended while it was asked for {call}"
        return json.loads(answer)

    def close(self) -> None:
        with self.process:
            assert self.process.stdin
            self.process.stdin.close()
