"""A release made by hand, a machine with chosen programs, and the real install.sh run on it."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from opencode_patcher.base import resources
from opencode_patcher.base.digest import file_sha256
from opencode_patcher.base.files import write_json
from opencode_patcher.base.line import OPENCODE_1, Line, of_version
from opencode_patcher.base.store import open_store
from opencode_patcher.base.version import Release
from opencode_patcher.install import builds, state
from opencode_patcher.install.builds import Ingredients
from opencode_patcher.release import notes

REPOSITORY = "example/fork"
RELEASE = "v1.18.3"
LOCKED = Release(tag="v1.18.3", version=(1, 18, 3), commit="c" * 40)
LINUX = tuple(
    f"linux-{kind}" for kind in ("x64", "x64-baseline", "arm64", "x64-musl", "x64-baseline-musl", "arm64-musl")
)
SUMS = "SHA256SUMS"
STILL = "What was installed before is still in place."

PROGRAMS = (
    *("awk", "basename", "cat", "chmod", "cp", "cut", "date", "dirname", "env", "find", "flock", "getconf", "grep"),
    *(
        "gzip",
        "head",
        "ln",
        "mkdir",
        "mktemp",
        "mv",
        "od",
        "readlink",
        "rm",
        "sed",
        "sha256sum",
        "tail",
        "tar",
        "uname",
    ),
)
"""What the script may count on wherever it runs; beside these curl or wget."""

NO_APPLETS = ("curl", "flock", "getconf")
"""What Debian's busybox is built without."""


def render(name: str, *, repository: str = REPOSITORY, release: str = RELEASE, line: Line = OPENCODE_1) -> str:
    """The text of an install script of a release."""
    named = {"program": line.program, "state": state.file_name(line.program)}
    return notes.render_one(
        resources.templates(), name, {"repository": repository, "release": release, "workflow": "release.yml", **named}
    )


def program(name: str, *, version: str = "1.18.3", body: str = "") -> bytes:
    """A program that prints its version when asked for it, and else its name."""
    return f'#!/bin/sh\n{body}\n[ "$1" = --version ] && echo {version} || echo {name}\n'.encode()


def make_release(
    out: Path,
    name: str,
    *,
    targets: Iterable[str] = LINUX,
    body: str = "",
    content: bytes | None = None,
    release: Release = LOCKED,
) -> Path:
    """The files of a release whose program, the same for each target, prints ``name``."""
    out.mkdir(parents=True)
    for file, data in _files(name, tuple(targets), content or program(name, body=body), release).items():
        (out / file).write_bytes(data)
    return out


@cache
def _files(name: str, targets: tuple[str, ...], content: bytes, release: Release) -> Mapping[str, bytes]:
    """They take long to make, and most tests want the same."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "out"
        out.mkdir()
        for target in targets:
            _add_target(out, content, name, target, release)
        write_sums(out)
        return {path.name: path.read_bytes() for path in out.iterdir()}


def write_sums(out: Path) -> None:
    names = sorted(path.name for path in out.iterdir() if path.name != SUMS)
    lines = [f"{file_sha256(out / name)}  {name}\n" for name in names]
    (out / SUMS).write_text("".join(lines))


def _add_target(out: Path, content: bytes, name: str, target: str, release: Release) -> None:
    """The archive, and the manifest as the store of the one who releases has it."""
    maker = open_store(out.parent / f"maker-of-{out.name}")
    line = of_version(release.version)
    assert line
    named = line.program
    binary = f"{named}.exe" if target.startswith("windows") else named
    (maker.root / binary).write_bytes(content)
    ingredients = Ingredients(
        release=release,
        source="https://example.invalid/opencode",
        patchset=hashlib.sha256(name.encode()).hexdigest(),
        bun="1.3.14",
        catalogue="a" * 64,
        web_ui=False,
        target=target,
    )
    build = builds.keep(maker, ingredients, maker.root / binary, "0.1.0")
    about = builds.as_data(dataclasses.replace(build, built_at=0.0, released=True))
    write_json(out / f"{named}-{target}.build.json", about)
    if target.startswith("linux"):
        pack_tar(out / f"{named}-{target}.tar.gz", {binary: content, "LICENSE": b"MIT\n"})
        return
    with zipfile.ZipFile(out / f"{named}-{target}.zip", "w") as archive:
        archive.writestr(binary, content)


def pack_tar(path: Path, files: Mapping[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            about = tarfile.TarInfo(name)
            about.size, about.mode = len(content), 0o755
            archive.addfile(about, io.BytesIO(content))


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A user's machine: a directory with a home, the only programs that the script can find, and its shell."""

    root: Path
    shell: tuple[str, ...] = ("/bin/sh",)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def programs(self) -> Path:
        return self.root / "programs"

    @property
    def store(self) -> Path:
        return self.home / ".local/share/opencode-patcher"

    @property
    def place(self) -> Path:
        return self.home / ".local/bin/opencode"

    @property
    def script(self) -> Path:
        return self.root / "install.sh"

    def environment(self) -> dict[str, str]:
        return {"PATH": str(self.programs), "HOME": str(self.home), **self.variables}

    def install(self, *words: str | Path, **variables: str | Path | None) -> subprocess.CompletedProcess[str]:
        """Run the script; a variable of None is unset."""
        chosen = {name: value for name, value in {**self.environment(), **variables}.items() if value is not None}
        return subprocess.run(
            [*self.shell, self.script, *words],
            env={name: str(value) for name, value in chosen.items()},
            cwd=self.root,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def add(self, name: str, text: str) -> None:
        """A program of the test's own, which takes the place of the real one."""
        file = self.programs / name
        file.unlink(missing_ok=True)
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)


def make_machine(
    root: Path, *, programs: Iterable[str] = (*PROGRAMS, "curl"), busybox: str | None = None, shell: Iterable[str] = ()
) -> Machine:
    """A machine with just these programs: the real ones, or those of busybox."""
    machine = Machine(root=root, shell=tuple(shell) or ("/bin/sh",))
    machine.home.mkdir(parents=True)
    machine.programs.mkdir()
    for name in programs:
        found = busybox if busybox and name not in NO_APPLETS else shutil.which(name)
        assert found, f"this machine has no {name}"
        (machine.programs / name).symlink_to(found)
    machine.script.write_text(render("install.sh"))
    return machine


def started(place: Path) -> str:
    """What the program at ``place`` prints."""
    done = subprocess.run([place], check=True, capture_output=True, text=True, env={"PATH": os.defpath})
    return done.stdout.strip()


def unharmed(machine: Machine, done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 1, done.stderr
    assert STILL in done.stderr
    assert started(machine.place) == "first"
    assert [entry.name for entry in machine.place.parent.iterdir()] == ["opencode"]
    assert not (machine.store / "incoming").exists()
    assert len(state.read(open_store(machine.store)).history) == 1
