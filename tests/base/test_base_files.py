"""Files: read within bounds, written whole, and as private as the place they are in."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opencode_patcher.base import files
from opencode_patcher.base.errors import StoreError

Program = Callable[[str], list[str]]

not_root = pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files and modes")


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def in_a_child_with_small_files(size: int, work: Callable[[], None]) -> int:
    """Run ``work`` in a process whose files are limited to ``size`` bytes, as on a disk that fills up. Returns its exit
    code."""

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        work()

    child = multiprocessing.get_context("fork").Process(target=limited)
    child.start()
    child.join()
    assert child.exitcode is not None
    return child.exitcode


def test_writing_makes_directories_and_leaves_nothing_beside(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b.txt"

    files.write_text(target, "one\r\n")
    files.write_text(target, "two\n")

    assert target.read_bytes() == b"two\n"
    assert names(target.parent) == {"b.txt"}


def test_a_written_file_keeps_its_mode_or_gets_the_one_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "program"
    files.write_bytes(target, b"1", mode=0o755)
    files.write_bytes(target, b"2")

    assert stat.S_IMODE(target.stat().st_mode) == 0o755


def test_a_reader_never_sees_half_a_file(tmp_path: Path, python: Program) -> None:
    target = tmp_path / "file"
    files.write_text(target, "a" * 200_000)
    text = f"""
from pathlib import Path
from opencode_patcher.base import files
print("writing", flush=True)
while True:
    for letter in "ab":
        files.write_text(Path({str(target)!r}), letter * 200_000)
"""
    writer = subprocess.Popen(python(text), stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    seen = {target.read_text() for _ in range(300)}
    assert writer.poll() is None
    writer.kill()
    writer.communicate()

    assert seen <= {"a" * 200_000, "b" * 200_000}
    assert target.read_text() in {"a" * 200_000, "b" * 200_000}


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX")
def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "room" / "file"
    files.write_bytes(target, b"old")

    def work() -> None:
        try:
            files.write_bytes(target, b"x" * 100_000)
        except StoreError as error:
            sys.exit(3 if error.why and error.next_step else 4)

    assert in_a_child_with_small_files(4096, work) == 3
    assert target.read_bytes() == b"old"
    assert names(target.parent) == {"file"}


@not_root
def test_a_directory_without_write_permission_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked").chmod(0o555)

    works: list[Callable[[], None]] = [
        lambda: files.write_text(tmp_path / "locked" / "file", "x"),
        lambda: files.make_directory(tmp_path / "locked" / "directory"),
    ]
    for work in works:
        with pytest.raises(StoreError, match="cannot be written"):
            work()


def test_a_file_in_the_way_of_a_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    works: list[Callable[[], None]] = [
        lambda: files.write_text(tmp_path / "file" / "below", "y"),
        lambda: files.make_directory(tmp_path / "file"),
        lambda: files.move_file(tmp_path / "absent", tmp_path / "moved"),
        lambda: files.remove_directory(tmp_path / "absent"),
    ]
    for work in works:
        with pytest.raises(StoreError):
            work()
    with pytest.raises(StoreError), files.staged_directory(tmp_path / "file" / "below"):
        pass
    assert names(tmp_path) - {"home"} == {"file"}


def test_a_staged_directory_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    final = tmp_path / "rooms" / "final"
    for content in ("first", "second"):
        with files.staged_directory(final) as new:
            (new / content).write_text(content)
            assert not (final / content).exists()

    assert names(final) == {"second"}
    assert names(final.parent) == {"final"}


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_staged_directory_that_fails_leaves_the_old_one(tmp_path: Path, failure: type[BaseException]) -> None:
    final = tmp_path / "rooms" / "final"
    with files.staged_directory(final) as new:
        (new / "first").write_text("first")

    def replace() -> None:
        with files.staged_directory(final) as new:
            (new / "second").write_text("second")
            raise failure

    with pytest.raises(failure):
        replace()

    assert names(final) == {"first"}
    assert names(final.parent) == {"final"}


def test_the_old_directory_comes_back_when_the_new_one_cannot_take_its_place(tmp_path: Path) -> None:
    final = tmp_path / "rooms" / "final"
    with files.staged_directory(final) as new:
        (new / "first").write_text("first")

    with pytest.raises(StoreError), files.staged_directory(final) as new:
        new.rmdir()

    assert names(final) == {"first"}
    assert names(final.parent) == {"final"}


@posix
@pytest.mark.parametrize("kind", ["fifo", "directory", "device", "link to a device", "link to a fifo"])
def test_anything_but_a_regular_file_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "place"
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "directory":
        place.mkdir()
    elif kind == "device":
        place = Path("/dev/zero")
    elif kind == "link to a device":
        place.symlink_to("/dev/zero")
    else:
        os.mkfifo(tmp_path / "fifo")
        place.symlink_to(tmp_path / "fifo")

    with pytest.raises(OSError, match=r"regular file|Is a directory"):
        files.read_bytes(place)


def test_a_link_to_a_file_is_read_as_the_file(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"one\r\ntwo\rthree\n")
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert files.read_bytes(tmp_path / "link") == b"one\r\ntwo\rthree\n"
    assert files.read_text(tmp_path / "link") == "one\ntwo\nthree\n"


def test_no_more_than_the_limit_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 11)

    assert files.read_bytes(tmp_path / "file", limit=11) == b"x" * 11
    with pytest.raises(OSError, match="larger than") as caught:
        files.read_bytes(tmp_path / "file", limit=10)
    assert caught.value.errno == errno.EFBIG


@pytest.fixture
def no_umask() -> Iterator[None]:
    old = os.umask(0)
    yield
    os.umask(old)


@posix
@pytest.mark.usefixtures("no_umask")
def test_new_files_are_as_private_as_their_directory(tmp_path: Path) -> None:
    for place, expected in ((0o700, (0o700, 0o600)), (0o755, (0o755, 0o644)), (0o777, (0o755, 0o644))):
        room = tmp_path / f"{place:o}"
        room.mkdir()
        room.chmod(place)
        files.write_text(room / "deep" / "deeper" / "file", "x")
        with files.staged_directory(room / "staged" / "new") as new:
            (new / "file").write_text("x")

        made = (room / "deep", room / "deep" / "deeper", room / "staged", room / "staged" / "new")
        assert {mode(path) for path in made} == {expected[0]}
        assert mode(room / "deep" / "deeper" / "file") == expected[1]


@posix
def test_writing_replaces_a_link_and_leaves_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "target").symlink_to(tmp_path / "precious")

    files.write_text(tmp_path / "target", "ours")

    assert (tmp_path / "precious").read_text() == "mine"
    assert not (tmp_path / "target").is_symlink()
    assert (tmp_path / "target").read_text() == "ours"
