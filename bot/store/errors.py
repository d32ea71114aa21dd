"""What can be wrong with a database, in one line for the person who runs Leverage."""


class StoreError(Exception):
    """The database cannot be used as it is; the message names it without its password and says what to do."""


class WrongSecret(StoreError):
    """LEVERAGE_SECRET_KEY is not the one this database was made with: nobody would be recognised."""
