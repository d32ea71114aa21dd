"""The command line at another time: `python -m tests.e2e.clocked 2026-05-18T10:00 digest payments`.

The product has no switch for its clock; end-to-end tests come in through this door of their own.
"""

import sys
from datetime import UTC, datetime

from bot import clock
from bot.cli import main

if __name__ == "__main__":
    moment = datetime.fromisoformat(sys.argv[1]).replace(tzinfo=UTC)
    clock.now = lambda: moment
    main(sys.argv[2:])
