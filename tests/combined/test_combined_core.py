"""The core of the feature runs without OpenCode, and imports nothing of it."""

from __future__ import annotations

import re
from pathlib import Path

from opencode_patcher.base import process, resources

HERE = Path(__file__).parent
IMPORT = re.compile(r"""(?:\bfrom|\bimport|\brequire\()\s*["']([^"']+)["']""")


def test_the_core_imports_nothing_but_itself_and_effect() -> None:
    core = resources.templates() / "combined"
    files = [path for path in core.rglob("*") if path.name.endswith((".ts", ".ts.j2"))]
    assert len(files) > 20
    for path in files:
        for target in IMPORT.findall(path.read_text(encoding="utf-8")):
            if target == "effect" or target.startswith("effect/"):
                continue
            assert target.startswith("."), f"{path.relative_to(core)} imports {target}"
            found = (path.parent / target).resolve()
            assert found.is_relative_to(core.resolve()), f"{path.relative_to(core)} imports {target}"
            assert any(found.with_name(found.name + end).is_file() for end in (".ts", ".ts.j2"))


def test_the_core_passes_its_tests_under_plain_bun(bun: Path) -> None:
    done = process.run([bun, "test"], cwd=HERE, check=False)
    output = done.stdout + done.stderr
    assert not done.code, output[-4000:]
    passed = re.search(r"^\s*(\d+) pass$", output, re.MULTILINE)
    assert passed, output[-2000:]
    assert int(passed[1]) > 80, "the tests were not all found"
