"""What Leverage does, one verb a file. Sources and messengers are arguments; the database is the only I/O here."""
