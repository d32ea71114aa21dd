"""The database: tables, short transactions, one query file a noun. Rows never leave this package; values do."""
