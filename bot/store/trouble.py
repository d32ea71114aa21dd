"""What is wrong with a database, by its driver's code: the end of a sentence that begins "The database ...".

None means that nothing is wrong with the database: a constraint failed, or the query is a defect of ours.
"""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.exc import DatabaseError, OperationalError

FULL = "cannot grow because the disk is full: free some space; nothing of this step was written"
HELD = "is held by another process: stop that process or wait, then try again"
NO_TABLES = "has not got this version's tables: run `leverage migrate`"
CLOSED_FILE = "cannot be opened: check that its folder may be written"
UNREADABLE = "may not be read: check the file's own permissions"

SQLITE = {
    sqlite3.SQLITE_BUSY: HELD,
    sqlite3.SQLITE_CORRUPT: 'is damaged: put a backup in its place (docs/operating.md, "Backups")',
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_IOERR: "cannot be read or written: check its disk",
    sqlite3.SQLITE_LOCKED: HELD,
    sqlite3.SQLITE_NOTADB: "is not a SQLite database: name another file in DATABASE_URL, or move this one away",
    sqlite3.SQLITE_PERM: CLOSED_FILE,
    sqlite3.SQLITE_READONLY: "cannot be written: check the file's permissions",
}
PRIMARY_CODE = 0xFF
MISSING = ("no such table", "no such column", "has no column")

POSTGRES = {
    "25006": "cannot be written at the moment: it is read-only; try again",
    "42703": NO_TABLES,
    "42P01": NO_TABLES,
    "53100": FULL,
    "55P03": HELD,
}
REFUSED = "refuses the user or password in DATABASE_URL"
NO_PASSWORD = "wants a password: write postgresql://user:password@host/name in DATABASE_URL"
NO_PORT = "has a port that is none: write a number from 1 to 65535 in DATABASE_URL, or leave it out"
POSTGRES_GREETINGS = (
    ("no password supplied", NO_PASSWORD),
    ("password authentication failed", REFUSED),
    ("invalid port number", NO_PORT),
    ('role "', REFUSED),
    ("no pg_hba.conf entry", "refuses this user or this machine: check DATABASE_URL and the server's pg_hba.conf"),
    ("does not exist", "does not exist on that server: create it, or name another in DATABASE_URL"),
)


def may_read(file: Path) -> bool:
    return os.access(file, os.R_OK)


def of_sqlite(error: DatabaseError, file: Path, readable: Callable[[Path], bool] = may_read) -> str | None:
    code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & PRIMARY_CODE
    if code == sqlite3.SQLITE_ERROR:
        return NO_TABLES if any(sign in str(error.orig) for sign in MISSING) else None
    return _of_place(file, readable) if code == sqlite3.SQLITE_CANTOPEN else SQLITE.get(code)


def _of_place(file: Path, readable: Callable[[Path], bool]) -> str:
    """Why a file cannot be opened, by what stands at its place; SQLite does not say."""
    try:
        if file.is_dir():
            return "is a directory: name a file in it in DATABASE_URL"
        if not file.parent.is_dir():
            return f"cannot be opened, because the folder of {file} is not there: make it, or correct DATABASE_URL"
        return UNREADABLE if file.exists() and not readable(file) else CLOSED_FILE
    except OSError:
        return CLOSED_FILE


def of_postgres(error: DatabaseError) -> str | None:
    """A server that refuses a connection gives no code, only words."""
    state = getattr(error.orig, "sqlstate", None)
    if state in POSTGRES:
        return POSTGRES[state]
    if not isinstance(error, OperationalError):
        return None
    if state:
        return f"could not do this (PostgreSQL says {state}): see the server's log, then try again"
    for sign, sentence in POSTGRES_GREETINGS:
        if sign in str(error.orig):
            return sentence
    return "does not answer: check DATABASE_URL and that the server runs"
