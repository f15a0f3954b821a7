"""The table for people: ``docs/failures.md``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from opencode_patcher.failures.table import CLASSES, SCOPES, Row, Table

_HEAD = """\
# What providers' failures mean

Written by `python -m opencode_patcher.failures` from
[failures.toml](../opencode_patcher/failures/failures.toml); change the rows there. OpenCode gets the same rows.

The stages are tried in this order, the rows of a stage in theirs, and the first row that holds decides. What no row
knows is asked of one more provider before it is believed.

```
opencode-patcher failures explain FILE      which row decides a failure, and what follows
opencode-patcher failures check FILE        what is wrong with rows of your own
opencode-patcher attempts --unknown         what no row knew in your own log, ready to paste
```
"""

_TIMES = """\
## When a provider is asked again

A time that the provider names is kept to: in headers (`retry-after`, the reset of a limit that is used up), in fields
beside the message, and in its words (spans in English and Chinese, dates with a zone, dates without one where the
vendor's zone is known). More than a year is a mistake, and is not believed.

A limit that ends in days (class `quota`) holds until then, for 35 days at most. One look a day is taken in between only
where the vendor may be wrong: where the row says "may end early" (limits that end sooner when a plan is changed or
credits are bought), and where the end is further away than that of any plan's window. A look is one request, and costs
nothing where the limit still holds. Any other class ends within a day.

Without a time, a first `quota` is tried again after half an hour, each further one in a row after twice as long,
up to six hours. A success of the provider ends all of that, also one of its own model that was chosen by hand, or
a title.
"""


def document(table: Table) -> str:
    """The page."""
    return "\n".join(_lines(table))


def _lines(table: Table) -> Iterator[str]:
    yield _HEAD
    yield "## Classes\n"
    yield "| class | meaning |\n|---|---|"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in CLASSES.items())
    yield "\n## Scopes\n"
    yield "| scope | who is left alone |\n|---|---|"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in SCOPES.items())
    yield f"\n{_TIMES}"
    yield "## Rows"
    for stage, why in table.stages.items():
        yield f"\n### {stage}\n\n{why}\n"
        yield "| row | vendor | where it shows | class, scope | source |\n|---|---|---|---|---|"
        yield from (_row(row) for row in table.rows if row.stage == stage)
    yield "\n## Finish reasons\n"
    yield "Any other word that an SDK does not know means that the answer broke off.\n"
    yield "| stands for | vendor | for example |\n|---|---|---|"
    for ending in table.endings:
        yield f"| {ending.means} | {ending.vendor} | {', '.join(f'`{word}`' for word in ending.example)} |"
    yield ""


def _row(row: Row) -> str:
    source = f"[{row.date}]({row.source})"
    result = f"`{row.kind}`, {row.scope}{''.join(f'; {text}' for text in _more(row))}"
    return f"| {row.id} | {row.vendor} | {'; '.join(_where(row))} | {result} | {source} |"


def _where(row: Row) -> Iterator[str]:
    if row.status:
        yield f"status {', '.join(map(str, row.status))}"
    if row.code:
        yield f"code {_some(list(row.code))}"
    for name, value in row.header.items():
        yield f"header `{name}: {value}`"
    if row.page:
        yield "a page for a browser"
    if row.event:
        yield "inside an answer"
    if row.words:
        yield f"words ({_languages(row.words)})"


def _some(texts: list[str]) -> str:
    shown = ", ".join(f"`{text}`" for text in texts[:6])
    return shown + (f" and {len(texts) - 6} more" if len(texts) > 6 else "")


_LANGUAGES = {"en": "English", "zh": "Chinese", "ja": "Japanese", "ko": "Korean", "ru": "Russian", "eu": "European"}


def _languages(words: Mapping[str, tuple[str, ...]]) -> str:
    return ", ".join(_LANGUAGES.get(language, language) for language in words)


def _more(row: Row) -> Iterator[str]:
    if row.zone:
        yield f"dates in {row.zone}"
    if row.time:
        yield f"time in {', '.join(row.time)}"
    if row.early:
        yield "may end early"
    if row.lasting:
        yield "lasting"
    if row.long:
        yield "too long where nobody else is left"
    if row.without:
        yield f"asked again without {row.without}"
