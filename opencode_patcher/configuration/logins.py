"""A copy of a database of OpenCode that has the user's logins, and nothing else of the user's."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote


def copy(database: Path, target: Path, tables: Sequence[str]) -> None:
    """Make ``target``, which only the user can read. It gets every table of ``database``, but only the rows of
    ``tables``.

    If ``database`` is missing or cannot be read, nothing is made. ``database`` itself is never written.
    """
    if not database.is_file():
        return
    target.touch(mode=0o600)
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(database.absolute()))}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target)) as made,
        ):
            schema = source.execute(
                "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' "
                "ORDER BY type = 'table' DESC"
            ).fetchall()
            for name, sql in schema:
                made.execute(sql)
                if name in tables:
                    _rows(source, made, name)
            made.commit()
    except sqlite3.Error:
        target.unlink()


def _rows(source: sqlite3.Connection, made: sqlite3.Connection, table: str) -> None:
    rows = source.execute(f'SELECT * FROM "{table}"')
    places = ", ".join("?" for _ in rows.description)
    made.executemany(f'INSERT INTO "{table}" VALUES ({places})', rows)
