"""The one error boundary. Expected errors become text and an exit code; unexpected ones leave a log."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click

from opencode_patcher.base import errors, full_disk
from opencode_patcher.base.text import shown, without_credentials
from opencode_patcher.cli import main as group
from opencode_patcher.cli import output


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # The programs we run have sessions of their own. When the terminal closes, it ends only us, so we have to end them.
    for number in (signal.SIGTERM, *([] if sys.platform == "win32" else [signal.SIGHUP])):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _interrupt)
    # The programs we run create files too. Nobody else may be able to write to any of them.
    os.umask(os.umask(0o022) | 0o022)
    if sys.stdout is None:
        sys.stdout = output.ClosedOutput()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # The terminal's encoding may lack the character.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(words))


def run(words: Sequence[str]) -> int:
    """Run one command line and return its exit code. Nothing but a bug in this function raises."""
    try:
        try:
            code = group.main(args=list(words), prog_name="opencode-patcher", standalone_mode=False)
        except BaseException as error:
            code = _failed(error, words)
        output.flush()
    except (BrokenPipeError, errors.OutputClosed):
        return _closed(errors.OUTPUT_CLOSED)
    except SystemExit as end:
        # click exits with 0 after shell completion. Otherwise click and rich raise this when the reader (head, a pager)
        # has closed the pipe.
        return 0 if end.code == 0 else _closed(errors.OUTPUT_CLOSED)
    except KeyboardInterrupt:
        return errors.INTERRUPTED
    except errors.OutputError as error:
        with contextlib.suppress(errors.OutputError, errors.OutputClosed):
            _show(error)
        return _closed(error.exit_code)
    return code if isinstance(code, int) else 0


def _failed(error: BaseException, words: Sequence[str]) -> int:
    """Show what ended a command, and return the exit code. Errors of the output itself are raised again: as
    OutputError, OutputClosed or SystemExit.
    """
    as_json = "--json" in words
    match error:
        case errors.OutputError() | errors.OutputClosed() | SystemExit():
            raise error
        case click.exceptions.Exit():
            return error.exit_code
        case KeyboardInterrupt() | click.Abort():
            output.echo(err=True)
            output.echo("Interrupted. Nothing was left half done. To continue, run the same command again.", err=True)
            return errors.INTERRUPTED
        case click.ClickException() if not as_json:
            if isinstance(error, click.UsageError) and error.ctx:
                output.block(error.ctx.get_usage(), err=True)
                output.echo(f"Try '{error.ctx.command_path} --help' for help.", err=True)
                output.echo(err=True)
            output.echo(f"Error: {error.format_message()}", err=True)
            return error.exit_code
        case click.ClickException():
            return _show(errors.UsageError(error.format_message()), as_json=True)
        case OSError() if _is_of_click(error):
            raise errors.OutputError(output.UNWRITABLE, why=f"{error.strerror or error}.") from error
        case errors.PatcherError() | OSError() if full := full_disk.caused(error):
            return _show(full, as_json=as_json)
        case errors.PatcherError():
            return _show(error, as_json=as_json)
        case Exception():
            return _show(_unexpected(error, words), kind="Unexpected", as_json=as_json)
    raise error


def _is_of_click(error: OSError) -> bool:
    """Whether click itself could not print: it writes help, versions and completions without using ``output``."""
    import traceback

    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals.get("__name__") == "click.utils"


def _show(error: errors.PatcherError, *, kind: str = "", as_json: bool = False) -> int:
    """Print an error in its three parts, or as one JSON object, and return its exit code."""
    if as_json:
        about = {"what": error.what, "why": error.why, "next_step": error.help}
        data = {"kind": kind or type(error).__name__, "exit_code": error.exit_code, **about}
        output.show_json({"error": data}, indent=None)
        return error.exit_code
    more = "".join(f"\n{part}" for part in (error.why, error.help) if part)
    output.paragraph(output.paint("Error:", "red", bold=True), f" {shown(error.what)}{more}", err=True)
    return error.exit_code


def _unexpected(error: Exception, words: Sequence[str]) -> errors.PatcherError:
    """The error to show for a bug, after keeping a log of it."""
    import platform
    import tempfile
    import traceback

    from opencode_patcher import __version__

    text = "\n".join(
        [
            f"opencode-patcher {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"command: {' '.join(words)}",
            "".join(traceback.format_exception(error)),
        ]
    )
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="opencode-patcher-", suffix=".log", delete=False, encoding="utf-8", errors="replace"
        ) as file:
            file.write(without_credentials(text))
        next_step = f"Please report it with this log: {file.name}"
    except OSError as reason:
        next_step = f"Please report it. A log for the report could not be written: {reason}"
    found = errors.PatcherError(
        "opencode-patcher has hit an unexpected error.",
        why=without_credentials(f"{type(error).__name__}: {error}"),
        next_step=next_step,
    )
    found.exit_code = errors.UNEXPECTED
    return found


def _closed(code: int) -> int:
    """Return ``code`` after pointing the streams at the null device. Otherwise Python would complain again when it
    flushes them at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(nowhere, stream.fileno())
    return code


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
