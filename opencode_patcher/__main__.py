"""The one error boundary. Expected errors become text and an exit code; unexpected ones leave a log."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click

from opencode_patcher.base import errors


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # The programs we run have sessions of their own: a terminal that is closed ends us, and they are ours to end.
    for number in (signal.SIGTERM, *([] if sys.platform == "win32" else [signal.SIGHUP])):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file name that is no UTF-8 is shown all the same; in JSON, it is even the string's own escape.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(words))


def run(words: Sequence[str]) -> int:
    """Run one command line and return its exit code. Nothing but a bug in this function raises."""
    try:
        return _run(words, as_json="--json" in words)
    except BrokenPipeError:
        return _output_closed()
    except SystemExit as end:
        # click ends the process with 0 once a shell has been told what can follow. Else click and rich ask for the end
        # when the reader (head, a pager) has seen enough.
        return 0 if end.code == 0 else _output_closed()
    except KeyboardInterrupt:
        return errors.INTERRUPTED


def _run(words: Sequence[str], *, as_json: bool) -> int:
    try:
        return _command(words)
    except errors.PatcherError as error:
        return _expected(_disk_full(error) or error, as_json)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        if as_json:
            return _expected(errors.UsageError(error.format_message()), as_json)
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nInterrupted. Nothing is half done; run the same command again to go on.", err=True)
        return errors.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        full = _disk_full(error)
        return _expected(full, as_json) if full else _unexpected(error, words, as_json)


def _command(words: Sequence[str]) -> int:
    from opencode_patcher.cli import main as group

    code = group.main(args=list(words), prog_name="opencode-patcher", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _output_closed() -> int:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        # Python would complain once more when it flushes them at exit.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(nowhere, stream.fileno())
    return errors.OUTPUT_CLOSED


def _disk_full(error: Exception) -> errors.StoreError | None:
    """The error to show for a full disk that no room has foreseen; None for any other error."""
    from opencode_patcher.base import full_disk

    if isinstance(error, errors.ProcessError):
        return full_disk.explained(error, error.what)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
        what = f"{error.filename or 'A file'} cannot be written."
        return errors.StoreError(what, why=f"{error.strerror}.", next_step=full_disk.NEXT_STEP)
    return None


def _expected(error: errors.PatcherError, as_json: bool) -> int:
    if as_json:
        about = {"what": error.what, "why": error.why, "next_step": error.next_step}
        click.echo(json.dumps({"error": {"kind": type(error).__name__, "exit_code": error.exit_code, **about}}))
        return error.exit_code
    from opencode_patcher.cli import output

    click.echo(f"{output.paint('Error:', 'red', bold=True)} {error.what}", err=True)
    for part in (error.why, error.next_step):
        if part:
            click.echo(part, err=True)
    return error.exit_code


def _unexpected(error: Exception, words: Sequence[str], as_json: bool) -> int:
    import platform
    import traceback

    from opencode_patcher import __version__

    text = "\n".join(
        [
            f"opencode-patcher {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"command: {' '.join(words)}",
            "".join(traceback.format_exception(error)),
        ]
    )
    summary = errors.without_credentials(f"{type(error).__name__}: {error}")
    what = "opencode-patcher met a case it does not know."
    next_step = _keep_log(errors.without_credentials(text))
    if as_json:
        about = {"what": what, "why": summary, "next_step": next_step}
        click.echo(json.dumps({"error": {"kind": "Unexpected", "exit_code": errors.UNEXPECTED, **about}}))
    else:
        click.echo(f"Error: {what}\n{summary}\n{next_step}", err=True)
    return errors.UNEXPECTED


def _keep_log(text: str) -> str:
    """Write the log of an unexpected error, and return what to do with it."""
    import tempfile

    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="opencode-patcher-", suffix=".log", delete=False, encoding="utf-8", errors="replace"
        ) as file:
            file.write(text)
    except OSError as error:
        return f"Please report it. A log for the report could not be written: {error}"
    return f"Please report it with this log: {file.name}"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
