"""Whatever is wrong, the real command line says what, why and what to do, and the next run finds nothing half done."""

from __future__ import annotations

import platform
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from opencode_patcher import __main__, pipeline
from opencode_patcher.base import environment, git
from opencode_patcher.base.errors import PatchError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.request import Request
from opencode_patcher.base.store import open_store
from opencode_patcher.patchset import values as template_values
from opencode_patcher.upstream import releases
from opencode_patcher.upstream.lock import read_lock
from tests.cli.cli_samples import (
    BUILD_SCRIPT,
    CORE,
    FAILING_SCRIPT,
    PATCH,
    CommandLine,
    MakeUpstream,
    assert_built,
    assert_refused,
    leftovers,
)
from tests.upstream.fake_upstream import Upstream


def trees(command_line: CommandLine) -> list[Path]:
    return list((command_line.store / "trees").glob("*/v1.17.90"))


# -- the source --------------------------------------------------------------------------------------------------------


@pytest.fixture
def deaf_port() -> int:
    """A port of this machine without a listener."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("arguments", [(), ("v1.17.90",), ("--latest",)], ids=["lock", "tag", "latest"])
def test_a_source_that_cannot_be_reached_names_the_demo(
    command_line: CommandLine, deaf_port: int, arguments: tuple[str, ...]
) -> None:
    done = command_line("build", *arguments, "--source", f"http://me:secret@127.0.0.1:{deaf_port}/opencode")

    assert_refused(done, 3, f"http://127.0.0.1:{deaf_port}/opencode", "cannot be reached", "opencode-patcher demo")
    assert "secret" not in done.stderr
    assert not leftovers(command_line.store)


def test_a_source_that_is_neither_a_url_nor_a_directory(command_line: CommandLine, tmp_path: Path) -> None:
    done = command_line("build", "v1.17.90", "--source", tmp_path / "nowhere")

    assert_refused(done, 3, str(tmp_path / "nowhere"), "not a URL", "--source", "opencode-patcher demo")


def test_a_directory_that_is_not_a_repository(command_line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()

    done = command_line("build", "v1.17.90", "--source", tmp_path / "plain")

    assert_refused(done, 3, "no git repository", str(tmp_path / "plain"))


def test_an_unknown_tag_names_the_nearest(command_line: CommandLine, upstream: Upstream) -> None:
    upstream.release("v1.17.94", {"README.md": "new"})
    upstream.release("v1.17.99", {"README.md": "newer"})

    done = command_line("build", "v1.17.95", "--source", upstream.source)

    assert_refused(done, 3, "v1.17.95 is not a release", "nearest is v1.17.94", "opencode-patcher build v1.17.94")


def test_a_source_without_the_locked_release(command_line: CommandLine, upstream: Upstream) -> None:
    done = command_line("build", "--source", upstream.source)

    assert_refused(done, 3, "does not have that tag", upstream.source)
    assert not leftovers(command_line.store)


@pytest.mark.parametrize(
    "files",
    [
        {"README.md": "a novel\n"},
        {"package.json": "{}\n"},
        {"package.json": "not json"},
        {"package.json": '{"workspaces": []}', "packages/opencode/package.json": '{"name": "other"}'},
    ],
)
def test_a_source_that_is_not_opencode(
    command_line: CommandLine, make_upstream: MakeUpstream, files: dict[str, str]
) -> None:
    done = command_line.build(make_upstream(files=files))

    assert_refused(done, 3, "not OpenCode", "--source")
    assert not trees(command_line)


def test_a_tag_of_the_lock_that_moved(command_line: CommandLine, tmp_path: Path) -> None:
    lock = read_lock()
    moved = Upstream(tmp_path / "moved")
    moved.release(lock.release.tag, {"README.md": "not what was locked"})

    for arguments in ((), ("--latest",)):
        done = command_line("build", *arguments, "--source", moved.source)
        assert_refused(done, 3, f"{lock.release.tag} has moved", lock.release.commit)


def test_a_release_that_is_too_old(command_line: CommandLine, upstream: Upstream) -> None:
    upstream.tag("v0.0.1")

    done = command_line("build", "v0.0.1", "--source", upstream.source)

    assert_refused(done, 3, "v0.0.1 is too old", "or newer")
    assert not trees(command_line)


# -- the command line --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("v1.17.90", "--latest"), "--latest"),
        (("--catalog", "absent.json"), "absent.json"),
        (("--sauce", "x"), "--source"),
        (("v1.17.90", "v1.17.91"), "v1.17.91"),
    ],
)
def test_a_wrong_command_line_runs_nothing(command_line: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    done = command_line("build", *arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert not command_line.store.exists()


def test_a_file_that_is_not_a_catalogue(with_bun: CommandLine, upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_text("[]")

    done = with_bun("build", "v1.17.90", "--source", upstream.source, "--catalog", tmp_path / "wrong.json")

    assert_refused(done, 10, "not a models catalogue", "--catalog")
    assert_built(with_bun.build(upstream))


def test_a_place_for_the_copy_that_is_a_file(with_bun: CommandLine, upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    done = with_bun.build(upstream, "--out", tmp_path / "file")

    assert done.returncode == 2
    assert (tmp_path / "file").read_text() == "mine"
    assert not with_bun.store.exists()


def test_a_place_for_the_copy_that_cannot_be_made(with_bun: CommandLine, upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    done = with_bun.build(upstream, "--out", tmp_path / "file" / "below")

    assert_refused(done, 6, "cannot be copied", str(tmp_path / "file" / "below"), "--out", str(with_bun.store))
    assert_built(with_bun.build(upstream, "--out", tmp_path / "out"))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"opencode", "manifest.json"}


# -- the toolchain and the build ---------------------------------------------------------------------------------------


def test_a_machine_without_a_bun(
    command_line: CommandLine, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Plan9")
    monkeypatch.setattr(platform, "machine", lambda: "mips")
    find = environment.find_program
    monkeypatch.setattr(environment, "find_program", lambda name, *path: None if name == "bun" else find(name, *path))
    monkeypatch.setenv("OPENCODE_PATCHER_HOME", str(command_line.store))
    request = pipeline_request(command_line, upstream)
    monkeypatch.setattr("opencode_patcher.base.request.Request", lambda **_: request)

    assert __main__.run(["build", "v1.17.90"]) == 5

    shown = capsys.readouterr().err
    assert "bun is not available for this machine (plan9, mips)." in shown
    assert "put a bun that works here on your PATH" in shown


def pipeline_request(command_line: CommandLine, upstream: Upstream) -> Request:
    return Request(
        ref="v1.17.90", source=upstream.source, patches=command_line.patches, templates=command_line.templates
    )


def test_a_failing_build_shows_the_end_of_its_output_and_where_the_rest_is(
    with_bun: CommandLine, make_upstream: MakeUpstream
) -> None:
    done = with_bun.build(make_upstream(FAILING_SCRIPT))

    assert_refused(done, 6, "OpenCode's build failed.", "Cannot find module 'left'", "step 199")
    assert "step 0\n" not in done.stderr
    # A build that fails before it has come to the program is tried again without the web UI.
    [log] = [path for path in (with_bun.store / "logs").glob("build-*.log") if str(path) in done.stderr]
    text = log.read_text()
    assert "step 0\n" in text
    assert "Cannot find module" in text
    assert not list(with_bun.store.glob("builds/*"))


def test_verbose_shows_the_output_while_it_comes(with_bun: CommandLine, make_upstream: MakeUpstream) -> None:
    done = with_bun.build(make_upstream(FAILING_SCRIPT), "--verbose")

    assert "  | step 0\n" in done.stderr


def test_a_build_without_a_binary(with_bun: CommandLine, make_upstream: MakeUpstream) -> None:
    done = with_bun.build(make_upstream("console.log('done')"))

    assert_refused(done, 6, "no binary", str(with_bun.store / "logs"))


def test_a_repaired_upstream_is_built_after_a_failure(with_bun: CommandLine, make_upstream: MakeUpstream) -> None:
    upstream = make_upstream(FAILING_SCRIPT)
    assert with_bun.build(upstream).returncode == 6
    upstream.release("v1.17.91", {"packages/opencode/script/build.ts": BUILD_SCRIPT})
    done = with_bun("build", "v1.17.91", *with_bun.to_build(upstream))

    assert done.returncode == 0, done.stderr
    assert not leftovers(with_bun.store)


# -- patches and templates ---------------------------------------------------------------------------------------------


WRONG_PATCHES = {
    "an undefined variable": (
        "release_tag",
        "release_tga",
        ("no variable 'release_tga'", "'say-more'", "Did you mean 'release_tag'?"),
    ),
    "a syntax error": ("[= release_tag =]", "[= release_tag", ("syntax error", "'say-more'")),
    "an unknown key": ("Why: ", "Because: ", ("malformed", "'Because'", "patches show say-more")),
    "no diff": ("diff --git", "diff --svn", ("malformed", "diff --git")),
    "wrong counts": ("@@ -1,1 +1,2 @@", "@@ -1,1 +1,5 @@", ("refused", "patches show say-more")),
    "lines that are not there": (
        "core = 1\n",
        "core = 2\n",
        (CORE, "export const core = 1", "export const core = 2", "patches show say-more"),
    ),
    "a path outside": (f"b/{CORE}", "b/../../etc/passwd", ("say-more",)),
}


def test_a_wrong_patch_writes_nothing(with_bun: CommandLine, upstream: Upstream) -> None:
    patch = with_bun.patches / "say-more.patch"
    for old, new, said in WRONG_PATCHES.values():
        patch.write_text(PATCH.replace(old, new))

        done = with_bun.build(upstream)

        assert_refused(done, 4, *said)
        [tree] = trees(with_bun)
        assert git.run("-C", tree, "status", "--porcelain").stdout == ""

    patch.write_text(PATCH)
    assert_built(with_bun.build(upstream))


def test_a_template_with_an_undefined_variable_writes_nothing(with_bun: CommandLine, upstream: Upstream) -> None:
    template = with_bun.templates / "opencode-1" / "packages" / "core" / "src" / "added.ts.j2"
    good = template.read_text()
    template.write_text("one\nexport const x = [= nothing =]\n")

    done = with_bun.build(upstream)

    assert_refused(done, 4, "no variable 'nothing'", "added.ts.j2", "line 2")
    template.write_text(good)
    assert_built(with_bun.build(upstream))


def test_a_value_that_would_break_the_code_is_refused(
    command_line: CommandLine, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = pipeline_request(command_line, upstream)
    store = open_store(command_line.store)
    release = releases.find(releases.list_releases(upstream.source), "v1.17.90")
    values: dict[str, str] = {}
    monkeypatch.setattr(template_values, "values_for", lambda *_: values)
    for value in ("two\nlines", 'a "quote"', "it's", "back`tick", "${code}", "a\\b", "nul\0"):
        values["release_tag"] = value

        with pytest.raises(PatchError, match="release_tag") as caught:
            pipeline.prepare(request, release, store, SilentReporter())

        assert "'say-more'" in str(caught.value)
        assert caught.value.why
        assert caught.value.next_step
        [tree] = trees(command_line)
        assert git.run("-C", tree, "status", "--porcelain").stdout == ""

    values["release_tag"] = "v1.17.90 (it is safe)"
    assert "it is safe" in (pipeline.prepare(request, release, store, SilentReporter()).tree.path / CORE).read_text()


# -- the work tree -----------------------------------------------------------------------------------------------------


def test_a_manually_edited_tree_is_never_overwritten_silently(with_bun: CommandLine, upstream: Upstream) -> None:
    assert_built(with_bun.build(upstream))
    [tree] = trees(with_bun)
    patched = (tree / CORE).read_text()
    (tree / CORE).write_text(patched + "// mine\n")
    (tree / "packages/core/src/new.ts").write_text("// mine too\n")

    done = with_bun.build(upstream)

    assert_refused(done, 4, "has manual changes", CORE, "packages/core/src/new.ts", "--discard-edits")
    assert (tree / CORE).read_text().endswith("// mine\n")
    assert (tree / "packages/core/src/new.ts").exists()

    assert_built(with_bun.build(upstream, "--discard-edits"))
    assert (tree / CORE).read_text() == patched
    assert not (tree / "packages/core/src/new.ts").exists()


def test_a_foreign_tree_is_left_alone(with_bun: CommandLine, upstream: Upstream) -> None:
    assert_built(with_bun.build(upstream))
    [tree] = trees(with_bun)
    shutil.rmtree(tree)
    tree.mkdir()
    (tree / "thesis.txt").write_text("years of work")

    done = with_bun.build(upstream)

    assert_refused(done, 9, str(tree), "delete it")
    assert (tree / "thesis.txt").read_text() == "years of work"


# -- the store ---------------------------------------------------------------------------------------------------------


def test_a_directory_with_other_files_is_not_used_as_store(command_line: CommandLine, upstream: Upstream) -> None:
    command_line.store.mkdir()
    (command_line.store / "photo.jpg").write_text("x")

    done = command_line.build(upstream)

    assert_refused(done, 9, str(command_line.store), "not made by opencode-patcher", "OPENCODE_PATCHER_HOME")
    assert [path.name for path in command_line.store.iterdir()] == ["photo.jpg"]


def test_a_damaged_manifest(with_bun: CommandLine, upstream: Upstream) -> None:
    assert_built(with_bun.build(upstream))
    [build] = with_bun.store.glob("builds/*")
    (build / "manifest.json").write_bytes(b"\xff{")

    done = with_bun.build(upstream)

    assert_refused(done, 9, "is damaged", f"Delete {build}")
    shutil.rmtree(build)
    assert_built(with_bun.build(upstream))


# -- surroundings ------------------------------------------------------------------------------------------------------


def test_the_environment_of_a_git_hook_does_no_harm(with_bun: CommandLine, upstream: Upstream, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    git.run("init", "--quiet", victim)
    before = sorted(path.name for path in (victim / ".git").rglob("*"))
    with_bun.variables = {
        **with_bun.variables,
        "GIT_DIR": str(victim / ".git"),
        "GIT_WORK_TREE": str(victim),
        "GIT_INDEX_FILE": str(victim / ".git" / "index"),
        "GIT_OBJECT_DIRECTORY": str(victim / ".git" / "objects"),
    }

    assert_built(with_bun.build(upstream))

    assert sorted(path.name for path in (victim / ".git").rglob("*")) == before
    assert [path.name for path in victim.iterdir()] == [".git"]


@pytest.mark.parametrize("name", ["with space", 'it\'s "odd"', "ünï-日本", "$HOME;`x` & (y) #1"])
def test_odd_names_of_source_and_store(with_bun: CommandLine, good_upstream: Path, tmp_path: Path, name: str) -> None:
    upstream = Upstream(shutil.copytree(good_upstream, tmp_path / f"source {name}"))
    with_bun.store = tmp_path / name / "store"
    done = with_bun.build(upstream, "--out", tmp_path / f"out {name}")
    assert done.returncode == 0, done.stderr
    assert f"Binary: {with_bun.store / 'builds'}" in done.stdout
    assert (tmp_path / f"out {name}" / "opencode").is_file()
    assert with_bun.build(upstream).returncode == 0, "the repository in the store is found again"
    assert with_bun("install", "--bin-dir", tmp_path / f"bin {name}").returncode == 0
    started = subprocess.run([tmp_path / f"bin {name}" / "opencode"], capture_output=True, text=True, check=True)
    assert started.stdout == "1.17.90\n"
