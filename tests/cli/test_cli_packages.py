"""The published packages are complete, and work without a checkout."""

from __future__ import annotations

import email
import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from opencode_patcher import __version__
from opencode_patcher.base import resources
from opencode_patcher.upstream.lock import LOCK_FILE
from tests.isolation import Isolation

CHECKOUT = Path(resources.__file__).parents[2]
NOT_PUBLISHED = {"__pycache__", "node_modules", "dist"}


@dataclass(frozen=True, kw_only=True)
class Packages:
    """What ``python -m build`` made: the source package, and the wheel made from that."""

    sdist: Path
    wheel: Path


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    out = tmp_path_factory.mktemp("packages")
    # That the build needs no more than pyproject.toml names is seen whenever the checkout is installed.
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, CHECKOUT)
    [sdist], [wheel] = out.glob("*.tar.gz"), out.glob("*.whl")
    return Packages(sdist=sdist, wheel=wheel)


@pytest.fixture(scope="session")
def installed(packages: Packages, isolation: Isolation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of programs of a fresh environment with the wheel."""
    root = tmp_path_factory.mktemp("environment")
    venv.create(root)
    programs = root / ("Scripts" if sys.platform == "win32" else "bin")
    # The pip that is here already, since to make another one takes longer than all the rest.
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "--disable-pip-version-check")
    with isolation.network():
        run(*pip, "install", "--quiet", "--no-compile", packages.wheel)
    return programs


def run(*words: str | Path, cwd: Path | None = None) -> str:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**variables, "PIP_NO_CACHE_DIR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(directory: Path, at: str) -> set[str]:
    """The files of a directory of the checkout, as paths below ``at``."""
    return {
        f"{at}/{path.relative_to(directory).as_posix()}"
        for path in directory.rglob("*")
        if path.is_file() and not NOT_PUBLISHED & set(path.parts)
    }


def test_the_wheel_has_the_package_with_its_data_the_patches_and_the_templates(packages: Packages) -> None:
    package = CHECKOUT / "opencode_patcher"
    with zipfile.ZipFile(packages.wheel) as archive:
        held = set(archive.namelist())
    wanted = (
        files(package, "opencode_patcher")
        | files(CHECKOUT / "patches", "opencode_patcher/_resources/patches")
        | files(CHECKOUT / "templates", "opencode_patcher/_resources/templates")
    )

    assert held - {name for name in held if ".dist-info/" in name} == wanted
    assert f"opencode_patcher/upstream/{LOCK_FILE.name}" in held
    assert "opencode_patcher/models/rules.toml" in held
    assert "opencode_patcher/demo/upstream/packages/opencode/script/build.ts" in held
    assert "opencode_patcher/demo/upstream-2/packages/cli/script/build.ts" in held
    assert "opencode_patcher/_resources/patches/opencode-1/series" in held
    assert "opencode_patcher/_resources/templates/release/install.sh.j2" in held
    assert "opencode_patcher/py.typed" in held


def test_the_wheel_names_its_licence_and_has_its_text(packages: Packages) -> None:
    with zipfile.ZipFile(packages.wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        about = email.message_from_bytes(archive.read(metadata))
        held = archive.read(f"{metadata.removesuffix('METADATA')}licenses/docs/LICENSE")

    assert (about["License-Expression"], about.get_all("License-File")) == ("MIT", ["docs/LICENSE"])
    assert held == (CHECKOUT / "docs" / "LICENSE").read_bytes()
    assert held.startswith(b"MIT License\n")


def test_the_source_package_can_be_tested(packages: Packages) -> None:
    with tarfile.open(packages.sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}

    assert {"pyproject.toml", "Makefile", "README.md", "docs/LICENSE", "tests/conftest.py"} <= held
    assert "patches/opencode-1/series" in held
    assert {path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / ".github").rglob("*.yml")} <= held
    assert not [name for name in held if NOT_PUBLISHED & set(Path(name).parts)]


def test_the_installed_program_works_anywhere(installed: Path, tmp_path: Path) -> None:
    program = installed / "opencode-patcher"

    assert run(program, "--version", cwd=tmp_path) == f"opencode-patcher, version {__version__}\n"
    listed = json.loads(run(program, "patches", "list", "--json", cwd=tmp_path))
    names = [
        line for line in (CHECKOUT / "patches" / "opencode-1" / "series").read_text().splitlines() if line[0] != "#"
    ]
    assert [patch["name"] for patch in listed["patches"]] == names
    assert run(program, "list", cwd=tmp_path).startswith("There are no builds yet.")


def test_the_installed_package_reads_its_own_data(installed: Path, tmp_path: Path) -> None:
    text = """
from pathlib import Path
from opencode_patcher.base import resources
from opencode_patcher.demo import repository
from opencode_patcher.models import typescript
from opencode_patcher.patchset import newfiles
from opencode_patcher.upstream.lock import read_lock
print(Path(resources.__file__).parents[1])
print(read_lock().release.tag)
print(len(newfiles.load(resources.templates())), len(repository.read_files()), len(typescript.rules_json()))
"""
    place, tag, counts = run(installed / "python", "-c", text, cwd=tmp_path).splitlines()

    assert Path(place).is_relative_to(installed.parent)
    assert tag == json.loads(LOCK_FILE.read_text())["tag"]
    assert all(int(count) > 10 for count in counts.split())
