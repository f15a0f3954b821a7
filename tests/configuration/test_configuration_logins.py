"""The copy of OpenCode 2's database that is asked about: logins, and no conversation."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from opencode_patcher.configuration import logins


def database(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.executescript(
            "CREATE TABLE credential (id TEXT PRIMARY KEY, value TEXT);"
            "CREATE TABLE message (id TEXT PRIMARY KEY, credential_id TEXT REFERENCES credential);"
            "CREATE INDEX by_credential ON message (credential_id);"
            "INSERT INTO credential VALUES ('one', '{}'), ('two', NULL);"
            "INSERT INTO message VALUES ('secret', 'one');"
        )
    return path


def test_only_the_rows_of_the_named_tables_are_copied(tmp_path: Path) -> None:
    original, target = database(tmp_path / "it's a #?%20.db"), tmp_path / "copy.db"
    before = original.read_bytes()
    logins.copy(original, target, ("credential", "not-there"))
    assert target.stat().st_mode & 0o777 == 0o600
    assert original.read_bytes() == before
    with closing(sqlite3.connect(target)) as made:
        assert made.execute("SELECT * FROM credential ORDER BY id").fetchall() == [("one", "{}"), ("two", None)]
        assert made.execute("SELECT count(*) FROM message").fetchone() == (0,)
        assert made.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql NOT NULL").fetchall()
    assert b"secret" not in target.read_bytes()


def test_what_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database " * 1000)
    for name in ("text", "nothing"):
        logins.copy(tmp_path / name, tmp_path / "copy.db", ("credential",))
        assert not (tmp_path / "copy.db").exists()
