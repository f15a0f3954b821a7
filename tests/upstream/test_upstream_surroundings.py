"""Fetching and checking out in other people's surroundings: their settings of git, their owners, a store that moved."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from opencode_patcher.base import git
from opencode_patcher.base.errors import SourceError
from opencode_patcher.base.progress import SilentReporter
from opencode_patcher.base.store import Store, open_store
from opencode_patcher.upstream import releases, worktree
from opencode_patcher.upstream.repository import opened
from opencode_patcher.upstream.workspace import closure
from opencode_patcher.upstream.worktree import Worktree
from tests.upstream.fake_upstream import Upstream

as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")


def check_out(store: Store, source: str) -> Worktree:
    """All that a build does with git."""
    (release,) = releases.list_releases(source)
    with opened(store, source) as repository:
        repository.fetch([release], SilentReporter())
        workspace = closure(repository.snapshot(release).package_texts())
        made = worktree.checkout(store, repository, release, workspace, SilentReporter())
    assert git.in_tree(made.path, "status", "--porcelain").stdout == ""
    assert (made.path / "packages/core/src/core.ts").is_file()
    return made


def configure(home: Path, *settings: tuple[str, str]) -> None:
    for name, value in settings:
        git.run("config", "--file", home / ".gitconfig", name, value)


def in_environment(patch: pytest.MonkeyPatch, *settings: tuple[str, str]) -> None:
    patch.setenv("GIT_CONFIG_COUNT", str(len(settings)))
    for number, (name, value) in enumerate(settings):
        patch.setenv(f"GIT_CONFIG_KEY_{number}", name)
        patch.setenv(f"GIT_CONFIG_VALUE_{number}", value)


@pytest.mark.parametrize(
    "settings",
    [
        (("safe.bareRepository", "explicit"),),
        (("core.bare", "true"), ("core.worktree", "/nowhere"), ("status.showUntrackedFiles", "no")),
        (("fetch.prune", "true"), ("fetch.fsckObjects", "true"), ("protocol.version", "0"), ("core.autocrlf", "true")),
        (("core.sparseCheckout", "false"), ("index.sparse", "true"), ("feature.manyFiles", "true")),
        (("color.ui", "always"), ("diff.noprefix", "true"), ("core.ignoreCase", "true"), ("core.quotePath", "true")),
    ],
)
def test_whatever_the_user_set_for_git_a_release_is_checked_out(
    upstream: Upstream,
    store: Store,
    isolated: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: tuple[tuple[str, str], ...],
) -> None:
    configure(isolated, *settings)
    in_environment(monkeypatch, *settings)

    check_out(store, upstream.source)


@as_root
def test_a_store_of_another_user_works(upstream: Upstream, store: Store) -> None:
    made = check_out(store, upstream.source)
    for directory, names, files in os.walk(store.root):
        for name in (*names, *files):
            os.chown(Path(directory, name), 1234, 1234, follow_symlinks=False)

    again = check_out(store, upstream.source)
    shutil.rmtree(made.path)

    assert again == made
    assert check_out(store, upstream.source) == made


@as_root
def test_a_source_of_another_user_is_named_with_the_fix(upstream: Upstream, store: Store) -> None:
    os.chown(upstream.path / ".git", 1234, 1234)

    with pytest.raises(SourceError) as refused:
        check_out(store, upstream.source)

    assert f"git config --global --add safe.directory {upstream.path}" in str(refused.value)


@pytest.mark.parametrize("how", [shutil.move, shutil.copytree])
def test_a_store_that_was_moved_or_copied_works(
    upstream: Upstream, store: Store, tmp_path: Path, how: Callable[[Path, Path], object]
) -> None:
    made = check_out(store, upstream.source)
    (made.path / "README.md").write_text("mine\n")
    how(store.root, tmp_path / "elsewhere")
    moved = open_store(tmp_path / "elsewhere")

    (release,) = releases.list_releases(upstream.source)
    with opened(moved, upstream.source) as repository:
        workspace = closure(repository.snapshot(release).package_texts())
        again = worktree.checkout(moved, repository, release, workspace, SilentReporter())

    assert again.path.is_relative_to(moved.root)
    assert again.git_dir.is_relative_to(moved.root)
    assert git.in_tree(again.path, "status", "--porcelain").stdout.strip() == "M README.md"
    assert git.run("-C", again.path, "status", "--porcelain").stdout.strip() == "M README.md"
    assert "prunable" not in git.run(f"--git-dir={repository.path}", "worktree", "list", "--porcelain").stdout


def test_a_source_that_git_is_told_to_find_elsewhere_is_fetched_from_there(
    upstream: Upstream, store: Store, isolated: Path
) -> None:
    configure(isolated, (f"url.file://{upstream.path}.insteadOf", "https://git.example.invalid/opencode"))

    check_out(store, "https://git.example.invalid/opencode")


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("git@git.example.invalid: Permission denied (publickey).", "refuses your login"),
        ("Host key verification failed.", "does not know the server's key"),
        ("ssh: Could not resolve hostname git.example.invalid: Name or service not known", "cannot be reached"),
    ],
)
def test_ssh_behind_an_address_is_named_with_the_setting_that_leads_to_it(
    store: Store, isolated: Path, monkeypatch: pytest.MonkeyPatch, said: str, wanted: str
) -> None:
    configure(isolated, ("url.ssh://git@git.example.invalid:2222/.insteadOf", "https://git.example.invalid/"))
    monkeypatch.setenv("GIT_SSH_COMMAND", f"echo '{said}' >&2; false")
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")

    with pytest.raises(SourceError) as refused:
        check_out(store, "https://git.example.invalid/opencode")

    message = str(refused.value)
    assert wanted in message
    assert "git uses ssh://git@git.example.invalid:2222/opencode".replace("git@", "") in message
    assert f"insteadof=https://git.example.invalid/ ({isolated}/.gitconfig)" in message
    assert "GIT_SSH_COMMAND=" in message
    assert "ssh -T -p 2222 git@git.example.invalid" in message
    assert said.split(":")[0] in message


@pytest.fixture
def dumb(upstream: Upstream, tmp_path: Path) -> Iterator[str]:
    """The address of a server that knows files only."""
    git.run("clone", "--quiet", "--bare", upstream.path, tmp_path / "served/opencode.git")
    git.run(f"--git-dir={tmp_path / 'served/opencode.git'}", "update-server-info")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "served")))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/opencode.git"
    server.shutdown()
    server.server_close()


def test_a_server_that_only_serves_files_is_reported(store: Store, dumb: str) -> None:
    with pytest.raises(SourceError) as refused:
        check_out(store, dumb)

    assert "dumb HTTP" in str(refused.value)
    assert f"git clone --mirror {dumb}" in str(refused.value)


def test_a_certificate_that_git_does_not_trust_names_the_settings(
    store: Store, isolated: Path, monkeypatch: pytest.MonkeyPatch, dumb: str, tmp_path: Path
) -> None:
    configure(isolated, ("http.sslCAInfo", str(tmp_path / "nowhere.pem")))

    with pytest.raises(SourceError) as refused:
        check_out(store, dumb.replace("http:", "https:"))

    message = str(refused.value)
    assert f"http.sslcainfo={tmp_path}/nowhere.pem ({isolated}/.gitconfig)" in message
    assert "GIT_SSL_CAINFO=FILE" in message


@pytest.mark.parametrize("source", ["fd::17", "ext::sh -c id", "foo::bar"])
def test_a_source_that_is_a_program_is_refused_at_once(store: Store, source: str) -> None:
    with pytest.raises(SourceError, match="cannot be used"):
        check_out(store, source)


def test_a_git_that_ends_early_is_a_clear_error(upstream: Upstream, store: Store) -> None:
    made = check_out(store, upstream.source)
    with opened(store, upstream.source) as repository:
        repository.objects.root(made.release.commit)
        reading = repository.objects._repo.git.cat_file_all
        assert reading is not None
        assert reading.proc is not None
        reading.proc.kill()
        reading.proc.wait()

        with pytest.raises(SourceError, match="cannot be read"):
            repository.snapshot(made.release).read("README.md")
