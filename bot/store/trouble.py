"""What is wrong with a database, by its driver's code: the end of a sentence that begins "The database ...".

None means that nothing is wrong with the database: a constraint failed, or the query is a defect of ours.
"""

import sqlite3

from sqlalchemy.exc import DatabaseError, OperationalError

FULL = "cannot grow because the disk is full: free some space; nothing of this step was written"
HELD = "is held by another process: stop that process or wait, then try again"
NO_TABLES = "has not got this version's tables: run `leverage migrate`"
CLOSED_FILE = "cannot be opened: check that its folder exists and may be written"

SQLITE = {
    sqlite3.SQLITE_BUSY: HELD,
    sqlite3.SQLITE_CANTOPEN: CLOSED_FILE,
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
POSTGRES_GREETINGS = (
    ("password authentication failed", REFUSED),
    ('role "', REFUSED),
    ("no pg_hba.conf entry", "refuses this user or this machine: check DATABASE_URL and the server's pg_hba.conf"),
    ("does not exist", "does not exist on that server: create it, or name another in DATABASE_URL"),
)


def of_sqlite(error: DatabaseError) -> str | None:
    code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & PRIMARY_CODE
    if code == sqlite3.SQLITE_ERROR:
        return NO_TABLES if any(sign in str(error.orig) for sign in MISSING) else None
    return SQLITE.get(code)


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
