"""SHA256SUMS says which files a release has, and every tool understands it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from opencode_patcher.base.errors import ReleaseError
from opencode_patcher.release import sums


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "release"
    made.mkdir()
    for name in ("b.zip", "a.tar.gz"):
        (made / name).write_text(f"content of {name}")
    (made / sums.FILE_NAME).write_text(sums.text(sums.of(made, ["b.zip", "a.tar.gz"])))
    return made


def test_the_file_is_what_sha256sum_reads(place: Path) -> None:
    digest = hashlib.sha256(b"content of a.tar.gz").hexdigest()
    assert (place / sums.FILE_NAME).read_text().startswith(f"{digest}  a.tar.gz\n")
    tool = ["sha256sum"] if shutil.which("sha256sum") else ["shasum", "-a", "256"]
    subprocess.run([*tool, "-c", sums.FILE_NAME], cwd=place, check=True, stdout=subprocess.DEVNULL)


def test_an_untouched_directory_has_no_problems(place: Path) -> None:
    assert sums.compare(place, sums.parse((place / sums.FILE_NAME).read_text())).problems == []


def test_changed_missing_and_added_files_are_named(place: Path) -> None:
    expected = sums.parse((place / sums.FILE_NAME).read_text()) | {"gone.zip": "0" * 64}
    (place / "b.zip").write_text("something else")
    (place / "extra").mkdir()

    found = sums.compare(place, expected)

    assert (found.changed, found.missing, found.extra) == (("b.zip",), ("gone.zip",), ("extra",))
    assert found.problems == [
        "b.zip is not the file that was released",
        "gone.zip is missing",
        "extra does not belong to the release",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "no digest",
        f"{'a' * 63}  a.zip",
        f"{'A' * 64}  a.zip",
        f"{'a' * 64}  ../a.zip",
        f"{'a' * 64}  dir\\a.zip",
        f"{'a' * 64}  b.zip",
    ],
)
def test_a_damaged_line_is_refused(line: str) -> None:
    with pytest.raises(ReleaseError, match="damaged") as caught:
        sums.parse(f"{'b' * 64}  b.zip\n{line}\n")
    assert "Line 2" in caught.value.why
