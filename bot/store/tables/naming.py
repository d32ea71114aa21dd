"""How keys are named, and how tables are stored: needed before any table is made."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

SQLModel.metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
METADATA = SQLModel.metadata
CLUSTERED = {"sqlite_with_rowid": False}


class Row(SQLModel):
    """What every table is made from, so that none is made before its keys have a naming convention."""
