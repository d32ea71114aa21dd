"""The work-in-progress ledger: every dollar of a person-day is recognised once, in one block, as one part.

    opening open work + changes = booked (direct + abandoned + unattributed) + closing open work

A person-day is split equally over the pull requests the person committed to that day. The split stays open, and may
still take in a pull request that is opened later, until its first share is recognised; then it is settled for good.
A share is recognised when its pull request merges or closes, or, without one, two weeks after the day.
A provider's later correction is booked as a difference; a negative one waits for the person's next positive amount.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from bot.domain.block import Part
from bot.domain.money import split_equally

WAIT_FOR_PULL = timedelta(days=14)
NO_PULL = ""


@dataclass(frozen=True, slots=True, order=True)
class Slice:
    """A person's spend in one provider account on one UTC day."""

    person: str
    day: date
    account: str


@dataclass(frozen=True, slots=True)
class Share:
    """Micro-USD of a slice that belong to one pull request (node id; `NO_PULL` for none so far)."""

    slice: Slice
    pull: str
    micro: int


@dataclass(frozen=True, slots=True)
class Booking:
    """A share that was recognised, and as what."""

    share: Share
    part: Part


PersonDay = tuple[str, date]
Landing = Callable[[str, str, date], Part | None]
"""As what a share of (person, pull request or `NO_PULL`, day) is recognised, or None while it stays open."""


@dataclass(frozen=True, slots=True)
class Closing:
    """What a block's closing writes. `splits` are the person-days whose split is settled by it, pulls in order."""

    bookings: tuple[Booking, ...]
    open: tuple[Share, ...]
    splits: Mapping[PersonDay, tuple[str, ...]]


def close(
    changes: Mapping[Slice, int],
    open_work: Iterable[Share],
    settled: Mapping[PersonDay, tuple[str, ...]],
    touched: Mapping[PersonDay, tuple[str, ...]],
    landing: Landing,
) -> Closing:
    """Close the books of a block.

    `changes` are new or corrected amounts; `touched` names the pull requests of a person-day, lowest number first.
    """
    shares = _shares(changes, open_work, settled, touched)
    landed = [
        Booking(share, part) for share in shares if (part := landing(share.slice.person, share.pull, share.slice.day))
    ]
    waiting = [share for share in shares if landing(share.slice.person, share.pull, share.slice.day) is None]
    bookings, owed = _set_off(landed)
    days = {_day(booking.share) for booking in landed} - settled.keys()
    splits = {day: _targets(day, touched) for day in days}
    return Closing(tuple(bookings), tuple(_merged([*waiting, *owed])), splits)


def no_pull_landing(day: date, cutoff: datetime) -> Part | None:
    """A person-day without a pull request waits two weeks for one, then is unattributed."""
    ends = datetime.combine(day + timedelta(days=1), time(), UTC)
    return Part.UNATTRIBUTED if cutoff >= ends + WAIT_FOR_PULL else None


def _shares(
    changes: Mapping[Slice, int],
    open_work: Iterable[Share],
    settled: Mapping[PersonDay, tuple[str, ...]],
    touched: Mapping[PersonDay, tuple[str, ...]],
) -> list[Share]:
    """Open work and changes as shares: settled days keep their split, the others are split anew as things stand."""
    kept: list[Share] = []
    amounts = defaultdict(int, changes)
    for share in open_work:
        if _day(share) in settled:
            kept.append(share)
        else:
            amounts[share.slice] += share.micro
    for piece, micro in sorted(amounts.items()):
        day = (piece.person, piece.day)
        kept.extend(_split(piece, micro, settled.get(day) or _targets(day, touched)))
    return list(_merged(kept))


def _targets(day: PersonDay, touched: Mapping[PersonDay, tuple[str, ...]]) -> tuple[str, ...]:
    return touched.get(day) or (NO_PULL,)


def _split(piece: Slice, micro: int, pulls: tuple[str, ...]) -> Iterator[Share]:
    for pull, part in zip(pulls, split_equally(micro, len(pulls)), strict=True):
        yield Share(piece, pull, part)


def _merged(shares: Iterable[Share]) -> Iterator[Share]:
    """Add up shares of the same slice and pull request; nothing left means no share."""
    sums: dict[tuple[Slice, str], int] = defaultdict(int)
    for share in shares:
        sums[share.slice, share.pull] += share.micro
    return (Share(piece, pull, micro) for (piece, pull), micro in sorted(sums.items()) if micro)


def _set_off(landed: list[Booking]) -> tuple[list[Booking], list[Share]]:
    """Hold each person's negative amounts against that person's positive ones, oldest first.

    A negative amount is booked as what it is held against, in part and pull request, so that neither a part of a person
    nor the cost of a pull request falls below zero; what nothing can be held against stays open.
    """
    room = [booking for booking in landed if booking.share.micro > 0]
    bookings, owed = list(room), []
    left = {id(booking): booking.share.micro for booking in room}
    for debt in (booking.share for booking in landed if booking.share.micro < 0):
        rest = debt.micro
        for booking in (one for one in room if one.share.slice.person == debt.slice.person):
            held = min(-rest, left[id(booking)])
            if held:
                bookings.append(Booking(replace(debt, pull=booking.share.pull, micro=-held), booking.part))
                left[id(booking)] -= held
                rest += held
        if rest:
            owed.append(replace(debt, micro=rest))
    return bookings, owed


def _day(share: Share) -> PersonDay:
    return share.slice.person, share.slice.day
