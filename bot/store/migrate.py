"""Bringing a database to this version's schema: forward only, each step in its own transaction."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

from bot.store.db import transaction
from bot.store.errors import StoreError


def migrate(engine: Engine) -> None:
    """Create or upgrade the schema. Raises StoreError for a database of a newer version, or one that is not ours."""
    with transaction(engine) as session:
        connection = session.connection()
        config = _config(connection)
        _refuse_strangers(connection, ScriptDirectory.from_config(config))
        command.upgrade(config, "head")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _refuse_strangers(connection: Connection, scripts: ScriptDirectory) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is None and set(inspect(connection).get_table_names()) - {"alembic_version"}:
        raise StoreError("This database holds tables of another program: give Leverage one of its own in DATABASE_URL.")
    if current is not None and current not in known:
        raise StoreError("This database was written by a newer version of Leverage: install that version, or newer.")
