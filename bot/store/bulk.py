"""Bulk writes, past the ORM: many rows in one go, each may be repeated.

Unchanged rows are not rewritten. SQLite gets `executemany`, PostgreSQL gets COPY into a temporary table.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Table, bindparam, delete, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from bot.store import tables

Row = Mapping[str, Any]
Values = list[Any]


def upsert(
    session: Session, model: type[SQLModel], rows: Sequence[Row], *, keep: Iterable[str] = (), greater: str = ""
) -> int:
    """Insert rows, or update those with the same primary key; of rows that share one the last counts. Returns how many
    rows were written.

    All rows name the same columns; `keep` names columns that an existing row does not give up. With `greater`, an
    expression with the row's name as `{0}`, only a row for which it is greater takes the place of the existing one.
    """
    if not rows:
        return 0
    table = tables.table(model)
    columns = list(rows[0])
    dialect = session.get_bind().dialect
    values = _stored(dialect, table, columns, rows)
    is_not = "IS NOT" if dialect.name == "sqlite" else "IS DISTINCT FROM"
    conflict = _conflict(table, columns, keep, is_not, greater)
    write = _executemany if dialect.name == "sqlite" else _copy
    return write(session, table, columns, values, conflict)


def replace(session: Session, model: type[SQLModel], rows: Sequence[Row], *scope: ColumnElement[bool]) -> None:
    """Make these rows all there is within the scope: delete the others, upsert these."""
    table = tables.table(model)
    key = list(table.primary_key)
    known = {tuple(row) for row in session.execute(select(*key).where(*scope))}
    gone = known - {tuple(row[column.name] for column in key) for row in rows}
    if gone:
        of_key = (column == bindparam(f"gone_{column.name}") for column in key)
        names = [f"gone_{column.name}" for column in key]
        session.connection().execute(
            delete(table).where(*of_key), [dict(zip(names, values, strict=True)) for values in gone]
        )
    upsert(session, model, rows)


def _stored(dialect: Dialect, table: Table, columns: list[str], rows: Sequence[Row]) -> list[Values]:
    """The values as SQLAlchemy itself would store them, so that both ways of writing meet; one row a key."""
    unique = {tuple(row[column.name] for column in table.primary_key): row for row in rows}
    makers = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is for name in columns]
    return [[make(row[name]) for name, make in zip(columns, makers, strict=True)] for row in unique.values()]


def _as_it_is(value: Any) -> Any:
    return value


def _executemany(session: Session, table: Table, columns: list[str], values: list[Values], conflict: str) -> int:
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks}) {conflict}"
    return session.connection().exec_driver_sql(statement, [tuple(row) for row in values]).rowcount


def _copy(session: Session, table: Table, columns: list[str], values: list[Values], conflict: str) -> int:
    names = ", ".join(columns)
    connection = session.connection()
    connection.exec_driver_sql(f"CREATE TEMP TABLE bulk (LIKE {table.name} INCLUDING DEFAULTS) ON COMMIT DROP")
    dialect = connection.dialect
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor().copy(f"COPY bulk ({names}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
    except dialect.loaded_dbapi.Error as error:  # the only statement that SQLAlchemy does not see
        raise DBAPIError.instance(
            "COPY", None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
        ) from error
    insert = f"INSERT INTO {table.name} ({names}) SELECT {names} FROM bulk WHERE true {conflict}"
    written = connection.exec_driver_sql(insert).rowcount
    connection.exec_driver_sql("DROP TABLE bulk")
    return written


def _conflict(table: Table, columns: list[str], keep: Iterable[str], is_not: str, greater: str) -> str:
    key = [column.name for column in table.primary_key]
    changed = [column for column in columns if column not in key and column not in set(keep)]
    if not changed:
        return f"ON CONFLICT ({', '.join(key)}) DO NOTHING"
    sets = ", ".join(f"{column} = excluded.{column}" for column in changed)
    differs = " OR ".join(f"{table.name}.{column} {is_not} excluded.{column}" for column in changed)
    if greater:
        differs = f"{greater.format('excluded')} > {greater.format(table.name)}"
    return f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sets} WHERE {differs}"
