"""The only Jinja2 environment. A template may come from a fork or a pull request, and is not trusted.

It may insert values, choose, repeat and include a file of its own directory, and nothing else: the syntax tree is
checked against a list of what is allowed before anything runs. So a template has no attributes, calls, arithmetic or
assignments to reach Python or make text grow, and its steps and size are limited.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound, nodes, pass_environment
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_CHARACTERS = 5_000_000
"""Largest result. Our largest, the tables of model identity, is less than a tenth of it."""
MOST_STEPS = 100_000
"""Most loop iterations in one rendering; including a file counts as ``_INCLUSION_STEPS``."""
_INCLUSION_STEPS = 100

_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const),
    *(nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Test),
    *(nodes.For, nodes.Getattr, nodes.Filter, nodes.Include),
)
_FILTERS = frozenset({"join", "length", "tojson"})
_TESTS = frozenset({"none"})
_REFERENCES = frozenset({"self", "super"})
"""Names by which a Jinja2 template can refer to itself."""
_LOOP = frozenset({"first", "last"})
_EACH = "each step is counted"
"""The filter put around whatever a loop iterates over; no template can write such a name."""


class Finished(str):
    """A finished literal of the target language, safe to insert as it is."""

    __slots__ = ()


class ForbiddenError(Exception):
    """A template contains something that is not allowed, on ``line``."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"{what} is not allowed in a template")
        self.line = line


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment for one rendering, which uses up its budget of steps and characters.

    ``newline`` ends the lines of the result. ``parts`` is the directory of the templates that may be included.
    ``finalize`` sees every value before it is inserted. With ``escape`` values are written as HTML text.
    """

    def __init__(
        self,
        *,
        newline: Literal["\n", "\r\n"] = "\n",
        parts: Path | None = None,
        finalize: Callable[[object], object] | None = None,
        escape: bool = False,
    ) -> None:
        super().__init__(
            block_start_string="[%",
            block_end_string="%]",
            variable_start_string="[=",
            variable_end_string="=]",
            comment_start_string="[#",
            comment_end_string="#]",
            trim_blocks=True,
            lstrip_blocks=True,
            newline_sequence=newline,
            keep_trailing_newline=True,
            undefined=StrictUndefined,
            autoescape=escape,
            finalize=finalize,
            loader=_Parts(parts) if parts else None,
        )
        self.globals.clear()
        self.filters = {name: self.filters[name] for name in _FILTERS} | {
            "join": _join,
            "tojson": _to_json,
            _EACH: _each,
        }
        self.tests = {name: self.tests[name] for name in _TESTS}
        self._steps = 0

    def render(self, text: str, values: Mapping[str, object]) -> str:
        """The rendered text. Raises ForbiddenError, SecurityError for too many steps or characters, and what Jinja2
        raises.
        """
        made: list[str] = []
        size = 0
        for chunk in self.from_string(text).generate(values):
            size += len(chunk)
            if size > MOST_CHARACTERS:
                raise SecurityError(f"the result has more than {MOST_CHARACTERS:,} characters")
            made.append(chunk)
        return "".join(made)

    def step(self, count: int = 1) -> None:
        """Count steps. Raises SecurityError when there are too many."""
        self._steps += count
        if self._steps > MOST_STEPS:
            raise SecurityError(f"it takes more than {MOST_STEPS:,} steps")

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        # Every template goes through here, included ones too.
        tree = super()._parse(source, name, filename)
        for node in tree.find_all(nodes.Node):
            _check(node)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, _EACH, [], [], None, None, lineno=loop.lineno)
        return tree

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:
        self.step(_INCLUSION_STEPS)
        return super().get_template(name, parent, globals)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``a.b`` is the entry ``b`` of a mapping, or one of the two facts about a loop; never a Python attribute."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return obj.first if attribute == "first" else obj.last
        return self.undefined(obj=obj, name=attribute)

    def call(self, *_: Any, **__: Any) -> Any:
        """Nothing is ever called."""
        raise SecurityError("a call is not allowed in a template")


class _Parts(BaseLoader):
    """The templates of one directory, without paths out of it or links."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:  # noqa: ARG002
        path = (self._directory / template).resolve()
        if not path.is_relative_to(self._directory) or not path.is_file():
            raise TemplateNotFound(template)
        return path.read_text(encoding="utf-8"), str(path), lambda: True


def _check(node: nodes.Node) -> None:
    if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
        raise ForbiddenError(node.lineno, f"the filter '{node.name}'")
    if isinstance(node, nodes.Test) and node.name not in _TESTS:
        raise ForbiddenError(node.lineno, f"the test '{node.name}'")
    if isinstance(node, nodes.Name) and node.name in _REFERENCES:
        raise ForbiddenError(node.lineno, f"'{node.name}'")
    if isinstance(node, nodes.For) and node.recursive:
        raise ForbiddenError(node.lineno, "a recursive loop")
    if isinstance(node, nodes.Include) and not (
        isinstance(node.template, nodes.Const) and isinstance(node.template.value, str) and node.with_context
    ):
        raise ForbiddenError(node.lineno, "an include of anything but a named file")
    if type(node) not in _ALLOWED:
        raise ForbiddenError(node.lineno, f"'{type(node).__name__.lower()}'")


@pass_environment
def _each(environment: Sandbox, items: Iterable[object]) -> Iterator[object]:
    for item in items:
        environment.step()
        yield item


def _join(items: Iterable[object], separator: str = "") -> str:
    """Jinja2's own filter joins texts of any length, so that a chain of them could grow without limit."""
    texts = [str(item) for item in items]
    if sum(map(len, texts)) + len(separator) * len(texts) > MOST_CHARACTERS:
        raise SecurityError(f"a joined text has more than {MOST_CHARACTERS:,} characters")
    return separator.join(texts)


def _to_json(value: object) -> Finished:
    # U+2028 and U+2029 are escaped: they end lines in older JavaScript.
    text = json.dumps(value, ensure_ascii=False)
    return Finished(text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))
