"""Bulk writes, past the ORM: many rows in one go, each may be repeated.

Unchanged rows are not rewritten. SQLite gets `executemany`, PostgreSQL gets COPY into a temporary table.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Table
from sqlmodel import Session, SQLModel

from bot.store import tables

Row = Mapping[str, Any]


def upsert(session: Session, model: type[SQLModel], rows: Sequence[Row], *, keep: Iterable[str] = ()) -> None:
    """Insert rows, or update those with the same primary key. All rows name the same columns; `keep` names columns
    that an existing row does not give up."""
    if not rows:
        return
    table = tables.table(model)
    columns = list(rows[0])
    if session.get_bind().dialect.name == "sqlite":
        _executemany(session, table, columns, rows, _conflict(table, columns, keep, "IS NOT"))
    else:
        _copy(session, table, columns, rows, _conflict(table, columns, keep, "IS DISTINCT FROM"))


def _executemany(session: Session, table: Table, columns: list[str], rows: Sequence[Row], conflict: str) -> None:
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks}) {conflict}"
    values = [tuple(_sqlite_value(row[column]) for column in columns) for row in rows]
    session.connection().exec_driver_sql(statement, values)


def _copy(session: Session, table: Table, columns: list[str], rows: Sequence[Row], conflict: str) -> None:
    names = ", ".join(columns)
    connection = session.connection()
    connection.exec_driver_sql(f"CREATE TEMP TABLE bulk (LIKE {table.name} INCLUDING DEFAULTS) ON COMMIT DROP")
    driver: Any = connection.connection.driver_connection
    with driver.cursor().copy(f"COPY bulk ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([row[column] for column in columns])
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM bulk WHERE true {conflict}")
    connection.exec_driver_sql("DROP TABLE bulk")


def _conflict(table: Table, columns: list[str], keep: Iterable[str], is_not: str) -> str:
    key = [column.name for column in table.primary_key]
    changed = [column for column in columns if column not in key and column not in set(keep)]
    if not changed:
        return f"ON CONFLICT ({', '.join(key)}) DO NOTHING"
    sets = ", ".join(f"{column} = excluded.{column}" for column in changed)
    differs = " OR ".join(f"{table.name}.{column} {is_not} excluded.{column}" for column in changed)
    return f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sets} WHERE {differs}"


def _sqlite_value(value: Any) -> Any:
    """A value as SQLAlchemy itself would store it, so that both ways of writing meet."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return value.isoformat() if isinstance(value, date) else value
