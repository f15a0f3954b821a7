"""The one error boundary. Expected errors become text and an exit code; unexpected ones leave a log."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click

from opencode_patcher import errors


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(run(words))


def run(words: Sequence[str]) -> int:
    """Run one command line and return its exit code. Nothing but a bug in this function raises."""
    from opencode_patcher.cli import main as group

    as_json = "--json" in words
    try:
        code = group.main(args=list(words), prog_name="opencode-patcher", standalone_mode=False)
    except errors.PatcherError as error:
        return _expected(error, as_json)
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
        # The reader (head, a pager) has seen enough; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _unexpected(error, words)
    return code if isinstance(code, int) else 0


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


def _unexpected(error: Exception, words: Sequence[str]) -> int:
    import platform
    import tempfile
    import traceback
    from pathlib import Path

    from opencode_patcher import __version__

    text = "\n".join(
        [
            f"opencode-patcher {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"command: {' '.join(words)}",
            "".join(traceback.format_exception(error)),
        ]
    )
    with tempfile.NamedTemporaryFile(
        "w", prefix="opencode-patcher-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        file.write(text)
    click.echo(f"Error: opencode-patcher met a case it does not know: {type(error).__name__}: {error}", err=True)
    click.echo(f"Please report it with this log: {Path(file.name)}", err=True)
    return errors.UNEXPECTED


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
