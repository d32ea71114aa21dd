"""`python -m bot` is the `leverage` command."""

from bot.cli import main

main()
