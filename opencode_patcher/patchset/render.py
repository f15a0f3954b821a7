"""Fills in the variables of patches, new files and documents.

Jinja2's defaults damage a diff: they drop the last newline, turn CRLF into LF, render an unknown name as nothing and
treat ``{{`` in TSX as a variable. Hence other delimiters, StrictUndefined, the last newline kept, and rules for values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from jinja2 import TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables

from opencode_patcher.base.errors import PatchError
from opencode_patcher.base.text import did_you_mean
from opencode_patcher.patchset.sandbox import Finished, ForbiddenError, Sandbox

_LINE_BREAKS = re.compile(r"[\n\r\x00\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""What ends a line for git, Python or JavaScript, and NUL, which makes git treat a file as binary."""

_BREAKS_CODE = re.compile(r"[\"'`\\]|\$\{")
"""What would end or change a string literal around a value that is inserted as it is."""


_ALLOWED = (
    "A template may insert variables ([= name =], [= name | tojson =]), choose ([% if %]), repeat ([% for %]) and "
    "include a file of its directory. More: docs/patches.md"
)


class _Value(str):
    """A value that knows the variable it came from."""

    variable: str

    def __new__(cls, text: str, variable: str) -> _Value:
        made = super().__new__(cls, text)
        made.variable = variable
        return made


class _UnsafeValueError(Exception):
    """Raised while rendering, for a value that would change the code around it."""

    def __init__(self, value: object) -> None:
        super().__init__(value)
        self.variable = getattr(value, "variable", "")


def render_patch(name: str, text: str, values: Mapping[str, str]) -> str:
    """Render a patch. Values stay within their line and, unless inserted with ``| tojson``, contain no quotes.

    Raises PatchError naming the patch, the line and the variable.
    """
    label = f"the patch '{name}'"
    sandbox = Sandbox(finalize=_refuse_unsafe)
    used = _check_variables(sandbox, label, text, values)
    for variable in used:
        if _LINE_BREAKS.search(values[variable]):
            raise PatchError(
                f"The value of '{variable}' cannot be used in {label}.",
                why="It contains a line break or a NUL character, which would break the lines of the diff.",
                next_step="Use such a value in a new file (templates/) instead.",
            )
    try:
        return _render(sandbox, label, text, values)
    except _UnsafeValueError as error:
        variable = f"the variable '{error.variable}'" if error.variable else "an expression"
        raise PatchError(
            f"The value of {variable} cannot be inserted into {label} as it is.",
            why="It contains a quote, a backslash or '${', which would change the code around it.",
            next_step="Write it as a literal, without your own quotes: [= name | tojson =].",
        ) from None


def render_file(path: str, text: str, values: Mapping[str, str]) -> str:
    """Render a new file; ``path`` names it in errors. Values are inserted as they are, or through ``|
    tojson``.

    The file's line endings (LF or CRLF throughout) are kept. Raises PatchError naming the template, line
    and variable.
    """
    label = f"the template '{path}'"
    crlf = text.count("\r\n")
    if text.count("\r") != crlf or crlf not in (0, text.count("\n")):
        raise PatchError(
            f"{label[0].upper()}{label[1:]} has mixed line endings.",
            why="They cannot be preserved when it is rendered.",
            next_step="Use LF throughout.",
        )
    sandbox = Sandbox(newline="\r\n" if crlf else "\n")
    _check_variables(sandbox, label, text, values)
    return _render(sandbox, label, text, values)


def render_document(path: str, text: str, values: Mapping[str, object], parts: Path, *, escape: bool = False) -> str:
    """Render a file for people or machines other than OpenCode's source; values may be lists and objects.

    ``path`` names the template in errors; ``parts`` is the directory of the templates that it may include.
    With ``escape`` values are written as HTML text. Raises PatchError as ``render_file`` does.
    """
    label = f"the template '{path}'"
    sandbox = Sandbox(parts=parts, escape=escape)
    _check_variables(sandbox, label, text, values)
    return _rendered(sandbox, label, text, values)


def _refuse_unsafe(value: object) -> object:
    if isinstance(value, Finished):
        return value
    text = str(value)
    if _BREAKS_CODE.search(text) or _LINE_BREAKS.search(text):
        raise _UnsafeValueError(value)
    return value


def _check_variables(sandbox: Sandbox, label: str, text: str, values: Mapping[str, object]) -> tuple[str, ...]:
    """The variables that the template uses. Raises PatchError for one that has no value, naming its line."""
    try:
        tree = sandbox.parse(text)
        used = find_undeclared_variables(tree)
    except ForbiddenError as error:
        raise PatchError(
            f"{label[0].upper()}{label[1:]} is refused, line {error.line}.",
            why=f"{str(error)[0].upper()}{str(error)[1:]}.",
            next_step=_ALLOWED,
        ) from error
    except TemplateSyntaxError as error:
        raise PatchError(
            f"There is a syntax error in {label}, line {error.lineno}.", why=f"{error.message}."
        ) from error
    except RecursionError as error:
        raise PatchError(
            f"{label[0].upper()}{label[1:]} cannot be read.", why="Its parts are nested too deeply."
        ) from error
    for variable in sorted(used):
        if variable in values:
            continue
        known = f"Known variables: {', '.join(sorted(values)) or 'none'}."
        raise PatchError(
            f"There is no variable '{variable}', which is used in {label}, line {_first_use(tree, variable)}.",
            why=did_you_mean(variable, values) or known,
        )
    return tuple(sorted(used))


def _first_use(tree: nodes.Template, variable: str) -> int:
    names: Iterator[nodes.Name] = tree.find_all(nodes.Name)
    return min((node.lineno for node in names if node.name == variable), default=1)


def _render(sandbox: Sandbox, label: str, text: str, values: Mapping[str, str]) -> str:
    return _rendered(sandbox, label, text, {name: _Value(value, name) for name, value in values.items()})


def _rendered(sandbox: Sandbox, label: str, text: str, values: Mapping[str, object]) -> str:
    try:
        return sandbox.render(text, values)
    except _UnsafeValueError:
        raise
    # Anybody may have written a template; whatever goes wrong in it is the template's error.
    except Exception as error:
        raise PatchError(
            f"{label[0].upper()}{label[1:]} cannot be rendered.", why=f"{type(error).__name__}: {error}."
        ) from error
