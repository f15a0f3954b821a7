"""Text from elsewhere never controls the terminal, starts a line or breaks a command."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from unicodedata import category

import pytest

from opencode_patcher import __main__
from opencode_patcher.base import errors, resources
from opencode_patcher.base.store import HOME_VARIABLE, open_store
from opencode_patcher.install import builds
from tests.cli.cli_samples import CORE, CommandLine
from tests.configuration.config_samples import REPORT, answering, member
from tests.install.install_samples import make_build
from tests.upstream.fake_upstream import Upstream

STEERING = "\x1b]0;owned\x07\x1b[2J\x9b31m\x85\u202eevil\u2066\u200f\u061c\u200b\ufeff\u2028\u2029\x7f"
"""Escape sequences, C1 controls, direction overrides, zero-width characters and line separators."""

LINE = "\nError: forged"
HOSTILE = f"o{STEERING}{LINE}"

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file names")


def unseen(text: str) -> set[str]:
    """What a terminal would obey or not draw in a text, but for our own line breaks."""
    return {char for char in text if category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n", "\t"}


def assert_tame(out: str, err: str, code: int) -> None:
    """Nothing of it steers a terminal or starts a line, and it was no bug that was met."""
    assert not unseen(out), out
    assert not unseen(err), err
    forged = [line for line in (out + err).splitlines() if line.startswith("Error: forged")]
    assert not forged, out + err
    assert code != errors.UNEXPECTED, err


Run = Callable[..., str]

DOCTOR = ("doctor", "--source", "/nowhere")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line in an empty project, checks that its output is tame, and returns it."""
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")  # nobody listens there
    monkeypatch.chdir(tmp_path / "work")

    def go(*words: str | Path, as_json: bool = False) -> str:
        code = __main__.run([str(word) for word in words])
        shown = capsys.readouterr()
        assert_tame(shown.out, shown.err, code)
        if as_json:
            for line in shown.out.splitlines() if "--jsonl" in words else [shown.out]:
                json.loads(line)
        return shown.out + shown.err

    return go


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """Two providers with one model, and all of their names hostile."""

    def provider(name: str) -> dict[str, object]:
        model = {"id": f"gpt-5.1{HOSTILE}", "name": f"GPT-5.1 {HOSTILE}", "release_date": f"2026-01-01{HOSTILE}"}
        models = {f"gpt-5.1{HOSTILE}": model, "gpt-5.1": {"id": "gpt-5.1", "name": "GPT-5.1"}}
        return {"id": name, "name": name, "env": [f"KEY{HOSTILE}"], "models": models}

    path = tmp_path / "catalogue.json"
    names = (f"openai{HOSTILE}", f"azure{HOSTILE}", "one", "two")
    path.write_text(json.dumps({name: provider(name) for name in names}))
    return path


def test_names_in_a_catalogue(run: Run, catalogue: Path) -> None:
    assert "o\\x1b]0;owned" in run("models", "keys", "--catalog", catalogue)
    run("models", "keys", "--jsonl", "--catalog", catalogue, as_json=True)
    assert "o\\x1b]0;owned" in run("models", "groups", "--catalog", catalogue)
    run("models", "groups", "--catalog", catalogue, "--json", as_json=True)
    for name in (f"one/gpt-5.1{HOSTILE}", f"openai{HOSTILE}/gpt-5.1", f"none{HOSTILE}/m", HOSTILE):
        run("models", "explain", name, "--catalog", catalogue)
        run("models", "explain", name, "--catalog", catalogue, "--json", as_json=True)
    run("models", "groups", "--provider", HOSTILE, "--catalog", catalogue)


HOSTILE_REPORT = {
    "models": [{"id": HOSTILE, "name": HOSTILE, "members": [member(f"{HOSTILE}/{HOSTILE}", terms=[HOSTILE])]}],
    "providers": [{"id": HOSTILE, "login": HOSTILE, "models": 1}],
    "mistakes": [{"source": HOSTILE, "text": HOSTILE}, {"source": "opencode.json", "text": HOSTILE}],
    "unused_logins": [{"id": HOSTILE, "why": HOSTILE}],
    "unpromised": [HOSTILE],
    "plugins": [HOSTILE],
}


@pytest.mark.parametrize(
    "content",
    [
        {"provider_priority": [HOSTILE], "combined": {"exclude": [HOSTILE], "groups": {HOSTILE: [f"a/{HOSTILE}"]}}},
        {"combined": {HOSTILE: 1, "cooldown": {HOSTILE: HOSTILE}, "min_providers": HOSTILE}},
        {"combined": {"variants": [HOSTILE], "regions": [HOSTILE]}, "model": f"combined/{HOSTILE}"},
        {"provider": {HOSTILE: {"name": HOSTILE, "models": {HOSTILE: {"name": HOSTILE}}}}, "model": f"{HOSTILE}/x"},
        {"model": HOSTILE, "small_model": HOSTILE, "agent": {HOSTILE: {"model": HOSTILE}}},
        HOSTILE,
    ],
)  # fmt: skip
def test_keys_and_values_of_a_projects_configuration(run: Run, catalogue: Path, content: object) -> None:
    config = Path("opencode.json")
    config.write_text(json.dumps(content, ensure_ascii=False))

    binary = answering(Path("opencode").absolute(), REPORT | HOSTILE_REPORT)
    for words in (("config",), ("config", "--check"), ("config", "--json"), ("models", "groups")):
        run(*words, "--binary", binary, as_json="--json" in words)
    run("models", "groups", "--catalog", catalogue, "--config", config)
    run(*DOCTOR)
    run(*DOCTOR, "--json", as_json=True)
    config.write_text(f"{{ {HOSTILE}")
    run("config", "--check", "--binary", binary)
    run("models", "groups", "--catalog", catalogue, "--config", config)


@posix
@pytest.mark.parametrize("part", ["release", "source", "binary", "target", "drill", "format"])
def test_fields_of_a_builds_manifest(run: Run, part: str) -> None:
    store = open_store()
    bad, good = make_build(store, "first"), make_build(store, "second")
    path = bad.directory / builds.MANIFEST
    data = json.loads(path.read_text())
    hostile: dict[str, object] = {
        "release": {"tag": HOSTILE, "version": HOSTILE, "commit": HOSTILE},
        "source": HOSTILE,
        "binary": {"name": f"../../{HOSTILE}", "sha256": HOSTILE, "size": 1},
        "target": HOSTILE,
        "drill": {"passed": [HOSTILE], "failed": [HOSTILE], "failover_ms": None},
        "format": HOSTILE,
    }
    data[part] = hostile[part]
    path.write_text(json.dumps(data))

    assert good.release.number in run("list")
    run("list", "--json", as_json=True)
    run("status")
    run("prune", "--dry-run")
    run("install", bad.directory.name)
    run("install", "--bin-dir", f"bin{STEERING}")
    run("status", "--json", as_json=True)
    run("rollback")
    run("uninstall")


@posix
def test_names_of_directories(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (HOME_VARIABLE, "XDG_BIN_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME"):
        with monkeypatch.context() as changed:
            changed.setenv(variable, str(tmp_path / HOSTILE.replace("/", "")))
            for words in (
                ("list",),
                ("status",),
                ("install",),
                DOCTOR,
                ("attempts",),
                ("health",),
                ("config", "--check"),
            ):
                run(*words)
            try:
                make_build(open_store(), "first")
            except errors.StoreError:
                continue  # such a store is refused
            run("install")
            run("status")
            run("uninstall")
    (tmp_path / "work" / f"d{HOSTILE}").mkdir()
    monkeypatch.chdir(tmp_path / "work" / f"d{HOSTILE}")
    run(*DOCTOR)
    run("build", "v1.0.0", "--source", ".")


def test_words_on_the_command_line(run: Run) -> None:
    run(HOSTILE)
    run("build", f"--{HOSTILE}")
    run("build", HOSTILE, "--source", "/nowhere")
    run("build", "v1.0.0", "--source", f"/nowhere/{HOSTILE}")
    run("build", "v1.0.0", "--source", f"file:///{HOSTILE}")
    run("install", HOSTILE)
    run("verify", "--scenario", HOSTILE)
    run("verify", "--binary", f"/nowhere/{STEERING}")
    run("check", HOSTILE)
    run("patches", "show", HOSTILE)
    run("attempts", "--since", HOSTILE)
    run("health", "clear", HOSTILE)
    run("attempts", "--file", f"/nowhere/{STEERING}")
    run("release", "--target", HOSTILE)
    run("models", "keys", "--catalog", f"/nowhere/{STEERING}")


def test_an_attempts_log_and_saved_reports(run: Run, tmp_path: Path) -> None:
    attempt = {
        **dict.fromkeys(("session", "purpose", "combined", "provider", "model", "phase", "action"), HOSTILE),
        **dict.fromkeys(("variant", "own_variant", "failure", "reason", "next", "instead_of"), f"{HOSTILE}\ud800"),
        "start": "2026-02-01T00:00:00Z", "end": "2026-02-01T00:00:01Z",
        "tokens": {"input": 1, "output": 1, "cache_read": 0}, "cost": 0.5,
    }  # fmt: skip
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps(attempt) + "\n")
    assert "owned" in run("attempts", "--file", log).replace("\n", "")
    run("attempts", "--file", log, "--json", as_json=True)

    report = {
        "binary": HOSTILE,
        "version": HOSTILE,
        "scenarios": [{"name": HOSTILE, "title": HOSTILE, "seen": HOSTILE}],
    }
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert "owned" in run("compare", tmp_path / "report.json", tmp_path / "report.json")


def test_an_upstream_with_hostile_commits_and_lines(
    command_line: CommandLine, upstream: Upstream, tmp_path: Path
) -> None:
    markup = "<script>alert(1)</script> | [a](b) ````` </pre>"
    upstream.commit({CORE: f"// {STEERING} {markup}\n"})
    upstream.git("commit", "--quiet", "--amend", f"--message=Change {STEERING} {markup}")
    upstream.tag("v1.17.91")
    reports = [tmp_path / f"report.{kind}" for kind in ("html", "md", "svg")]
    shutil.copytree(resources.templates() / "reports", command_line.templates / "reports")

    for words in (
        ("check", "v1.17.91"),
        ("check", "v1.17.91", "--json"),
        ("patches", "show", "say-more", "v1.17.91"),
        ("patches", "refresh", "--check"),
        ("build", "v1.17.91"),
        *(("check", "v1.17.91", "--report", str(report)) for report in reports),
    ):
        done = command_line(*words, "--source", upstream.source)
        assert_tame(done.stdout, done.stderr, done.returncode)
    for report in reports:
        text = report.read_text(encoding="utf-8")
        assert not unseen(text), report.name
        if report.suffix != ".md":
            assert "<script>" not in text
        elif "script" in text:
            # It is in a code block whose fence is longer than any in it.
            before, _, after = text.partition("<script>")
            assert "``````text" in before
            assert "``````" in after


class Registry(BaseHTTPRequestHandler):
    """Answers everything with hostile text."""

    def do_GET(self) -> None:
        body = json.dumps({"versions": {HOSTILE: 1}, "error": HOSTILE}).encode()
        self.send_response(200 if "ok" in self.path else 404, "No\x1b]0;owned\x07\x9b")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Said to nobody."""


def test_answers_of_a_registry_and_settings_that_name_it(command_line: CommandLine, upstream: Upstream) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    git = os.pathsep.join(dict.fromkeys(("/usr/bin", "/bin")))
    for registry in (
        f"{address}/ok/",
        f"{address}/no/",
        f"{address}/{STEERING}",
        STEERING,
        "http://[::1",
        "//x",
        "data:,x",
    ):
        command_line.variables = {"npm_config_registry": registry, "PATH": git}
        done = command_line.build(upstream)
        assert_tame(done.stdout, done.stderr, done.returncode)
        assert done.returncode == errors.ToolchainError.exit_code, done.stderr
    server.shutdown()
    server.server_close()
