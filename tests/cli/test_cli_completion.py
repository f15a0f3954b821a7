"""Completion in real shells, with the line that docs/commands.md gives."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click import shell_completion

from opencode_patcher.cli import main
from tests.attempts.attempt_samples import line

PROGRAM = Path(sys.executable).with_name("opencode-patcher")
COMMANDS = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="needs the program beside python")

ASKING = {
    "bash": """
{line}
complete -p opencode-patcher >/dev/null
COMP_WORDS=(opencode-patcher {words}) COMP_CWORD={last}
_opencode_patcher_completion opencode-patcher
printf '%s\\n' "${{COMPREPLY[@]}}"
""",
    "fish": "{line}\ncomplete --do-complete 'opencode-patcher {words}'\n",
}


@pytest.mark.parametrize("shell", ASKING)
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("roll", {"rollback"}),
        ("patches re", {"rebase", "refresh"}),
        ("install --bin", {"--bin-dir"}),
        ("verify --only cut-in-te", {"cut-in-text"}),
        ("patches show config-s", {"config-schema"}),
        ("release --target windows-a", {"windows-arm64"}),
    ],
)
def test_a_shell_offers_commands_options_and_values(shell: str, words: str, offered: set[str]) -> None:
    if not shutil.which(shell):
        pytest.skip(f"needs {shell}")
    [line] = re.findall(rf"^\| {shell}\b.*\| `(.*)` \|$", COMMANDS, re.MULTILINE)
    script = ASKING[shell].format(line=line.replace(r"\|", "|"), words=words, last=len(words.split()))
    done = subprocess.run(
        [shell, "-c", script],
        env={**os.environ, "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert {row.split("\t")[0] for row in done.stdout.splitlines()} == offered


def test_zsh_is_told_how(tmp_path: Path) -> None:
    """zsh completes only at a terminal; here it only has to accept the script."""
    [line] = re.findall(r"^\| zsh\b.*\| `(.*)` \|$", COMMANDS, re.MULTILINE)
    said = subprocess.run(
        [PROGRAM],
        env={**os.environ, "_OPENCODE_PATCHER_COMPLETE": "zsh_source"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.startswith("#compdef opencode-patcher")
    assert "_OPENCODE_PATCHER_COMPLETE=zsh_source opencode-patcher" in line
    if shutil.which("zsh"):
        script = tmp_path / "completion"
        script.write_text(said)
        subprocess.run(["zsh", "-n", script], check=True)


def test_members_and_sessions_are_those_of_the_log(isolated: Path) -> None:
    data = isolated / ".local" / "share" / "opencode"
    data.mkdir(parents=True)
    (data / "combined-attempts.jsonl").write_text(f"{line()}\n")

    def offered(words: str) -> list[str]:
        complete = shell_completion.ShellComplete(main, {}, "opencode-patcher", "X")
        *before, last = words.split(" ")
        return [item.value for item in complete.get_completions(before, last)]

    assert offered("health skip al") == ["alpha", "alpha/glm-4.6"]
    assert offered("health pin comb") == ["combined/glm"]
    assert offered("attempts --session ") == ["ses_one"]
    assert offered("health clear ") == []
    (data / "combined-attempts.jsonl").unlink()
    (data / "combined-attempts.jsonl").mkdir()
    assert offered("health skip al") == [], "what cannot be read completes nothing"
