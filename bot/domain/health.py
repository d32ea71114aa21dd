"""What `leverage doctor` says: a finding a check, made from plain facts. None holds an amount, a person or a secret."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LATE = timedelta(hours=26)
TOO_LATE = timedelta(hours=72)
STILL = timedelta(minutes=3)
"""How old the last sign of life of `leverage serve` may be: it ends its own process sooner."""


class Level(StrEnum):
    """OK: as it should be. WARNING: something is off or late, and the rest works. PROBLEM: it needs a person."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` was looked at and how it is; `advice` is what to do about it."""

    level: Level
    what: str
    advice: str = ""


def ok(what: str) -> Finding:
    return Finding(Level.OK, what)


def warning(what: str, advice: str = "") -> Finding:
    return Finding(Level.WARNING, what, advice)


def problem(what: str, advice: str = "") -> Finding:
    return Finding(Level.PROBLEM, what, advice)


def problems(findings: Iterable[Finding]) -> int:
    """How many need a person."""
    return sum(finding.level is Level.PROBLEM for finding in findings)


def line(finding: Finding) -> str:
    """A finding as it is printed: one line, whatever is in it."""
    said = " ".join(f"{finding.what}: {finding.advice}".split()) if finding.advice else " ".join(finding.what.split())
    return f"{finding.level:<7}  {said.removesuffix('.')}"


class Schema(StrEnum):
    """What a database holds. OLDER and EMPTY are put right by the next command; FOREIGN is another program's."""

    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"
    EMPTY = "empty"
    FOREIGN = "foreign"


SCHEMAS = {
    Schema.CURRENT: ok("Database: it answers, and its tables are this version's"),
    Schema.OLDER: warning("Database: its tables are an older version's", "run `leverage migrate`"),
    Schema.NEWER: problem("Database: it was written by a newer version of Leverage", "install that version, or newer"),
    Schema.EMPTY: warning(
        "Database: it is empty", "`leverage migrate` makes its tables, and so does any other command"
    ),
    Schema.FOREIGN: problem(
        "Database: it holds tables of another program", "give Leverage one of its own in DATABASE_URL"
    ),
}


def secret(matches: bool | None) -> list[Finding]:
    """Whether LEVERAGE_SECRET_KEY is the database's; None: it has none yet, and takes the first it sees."""
    if matches is not False:
        return []
    return [
        problem(
            "LEVERAGE_SECRET_KEY: it is not the key this database was made with, so nobody would be recognised",
            "set the old key again, or start with a new database",
        )
    ]


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a source was read, what went wrong since, and whether trying again is no use."""

    fetched_at: datetime | None = None
    error: str | None = None
    off: bool = False


def freshness(name: str, reading: Reading, command: str, now: datetime) -> Finding:
    """How a source stands, by our own books. `command` reads it."""
    again = f"`{command}` reads it now; `leverage serve` does by itself"
    age = None if reading.fetched_at is None else now - reading.fetched_at
    last = "never read" if age is None else f"last read {ago(age)}"
    if reading.off:
        return problem(f"{name}: {last}; {_error(reading)}", f"put that right, then run `{command}`")
    if reading.error and (age is None or age > LATE):
        return problem(f"{name}: {last}; {_error(reading)}", again)
    if reading.error:
        return warning(f"{name}: {last}; {_error(reading)}", again)
    if age is None:
        return warning(f"{name}: never read", again)
    if age > LATE:
        return (problem if age > TOO_LATE else warning)(f"{name}: {last}", again)
    return ok(f"{name}: {last}")


def unpriced(title: str, models: Sequence[str]) -> list[Finding]:
    """Models that a source reported and nobody has a price for."""
    if not models:
        return []
    names = ", ".join(models)
    return [
        warning(
            f"{title}: no price for {names}; what they cost is unknown and in no sum",
            "give a price in a [[price]] of leverage.toml",
        )
    ]


def rejected(title: str, counts: Mapping[str, int]) -> list[Finding]:
    """Rows of the last run that could not be true."""
    reasons = ", ".join(sorted(counts))
    what = f"{title}: {sum(counts.values())} rows were refused when it was last read ({reasons})"
    return [warning(what, "they are in the remainder; if it stays for days, tell us")] if counts else []


def told(agent: str, age: timedelta, refused: Mapping[str, int], models: Sequence[str]) -> list[Finding]:
    """That an agent sends telemetry, and what was wrong with the last batch that had anything wrong. That one is silent
    is no finding: nobody need use it."""
    title = f"Telemetry of {agent}"
    reasons = ", ".join(sorted(refused))
    bad = f"{title}: {sum(refused.values())} parts of a batch were refused ({reasons})"
    wrong = [warning(bad, "docs/operating.md says what each means")] if refused else []
    return [ok(f"{title}: last came {ago(age)}"), *wrong, *unpriced(title, models)]


def imported(account: str, age: timedelta) -> Finding:
    """A bill that comes from a file ages until somebody takes in the next one."""
    what = f"Bill of {account} from a file: taken in {ago(age)}"
    return warning(what, IMPORT) if age > IMPORT_LATE else ok(what)


IMPORT = "export it again and run `leverage collect focus --file EXPORT.csv`"
IMPORT_LATE = timedelta(days=8)


def _error(reading: Reading) -> str:
    return f"then: {(reading.error or 'it failed').rstrip('.')}"


def heartbeat(last: datetime | None, now: datetime) -> Finding:
    """Whether somewhere a `leverage serve` works on this database."""
    if last is None:
        return warning(
            "Service: `leverage serve` has not run here yet, so nothing is read or posted by itself", "start it"
        )
    if now - last > STILL:
        return problem(
            f"Service: the jobs of `leverage serve` last ran {ago(now - last)}", "start it; its log says why it stopped"
        )
    return ok("Service: `leverage serve` is at work")


class Roster(StrEnum):
    """Whether it is written down who is on a team."""

    TAKEN = "taken"
    OLD = "old"
    NONE = "none"


def roster(team: str, found: Roster) -> Finding:
    advice = "run `leverage backfill`, or let `leverage serve` run"
    match found:
        case Roster.TAKEN:
            return ok(f"Roster of {team}: taken for these four weeks")
        case Roster.OLD:
            return warning(f"Roster of {team}: not taken yet for these four weeks, so the last one counts", advice)
        case Roster.NONE:
            return problem(f"Roster of {team}: never taken, so no digest can be made", advice)


def comments(reasons: Iterable[str]) -> list[Finding]:
    """Pull requests whose comment was given up; the reasons are codes."""
    named = ", ".join(sorted(set(reasons)))
    if not named:
        return [ok("Pull request comments: none has failed")]
    advice = "look at the permissions of the GitHub App; the next event of a pull request tries again"
    return [problem(f"Pull request comments: some could not be written ({named})", advice)]


def arrivals(failed: bool) -> list[Finding]:
    """Webhooks that were stored and could not be worked off."""
    if not failed:
        return [ok("Webhooks: all that arrived were worked off")]
    advice = "redeliver them on the GitHub App's page (Advanced, Recent Deliveries)"
    return [warning("Webhooks: some that arrived could not be worked off", advice)]


def ago(age: timedelta) -> str:
    """A stretch of time in the largest unit that says enough; a clock that is behind says nothing."""
    minutes = max(0, int(age.total_seconds())) // 60
    if minutes < 2:
        return "just now"
    if minutes < 120:
        return f"{minutes} minutes ago"
    return f"{minutes // 60} hours ago" if minutes < 72 * 60 else f"{minutes // 1440} days ago"
