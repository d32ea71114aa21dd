"""Alembic's entry: runs migrations on the connection that `bot.store.migrate` hands over, or on DATABASE_URL's."""

import os

from alembic import context
from sqlalchemy import Connection

from bot.store import tables
from bot.store.db import connect, transaction


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=tables.METADATA,
        render_as_batch=True,
        transactional_ddl=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


if "connection" in context.config.attributes:
    run(context.config.attributes["connection"])
else:
    engine = connect(os.environ["DATABASE_URL"])
    with transaction(engine) as session:
        run(session.connection())
    engine.dispose()
