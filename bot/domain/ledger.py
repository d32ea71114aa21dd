"""The work-in-progress ledger: every dollar of a person-day is recognised once, in one block, as one part.

    opening open work + changes = booked (direct + abandoned + unattributed) + closing open work

What was measured of a person-day goes where it was measured, at most up to what the provider says of that day. The
rest is split equally over the pull requests the person committed to that day. The split stays open, and may still take
in a pull request that is opened later, until its first share is recognised; then it is settled for good.
A share is recognised when its pull request merges or closes; without one, two weeks after the day; on a branch without
one, two weeks after the last work on it; and at once where it was measured and is in no branch.
A provider's later correction is booked as a difference; a negative one waits for the person's next positive amount.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from bot.domain.binding.bound import Grade
from bot.domain.block import Part
from bot.domain.targets import NO_PULL, Target, equally, shares

WAIT_FOR_PULL = timedelta(days=14)


@dataclass(frozen=True, slots=True, order=True)
class Slice:
    """A person's spend in one provider account on one UTC day."""

    person: str
    day: date
    account: str


@dataclass(frozen=True, slots=True)
class Share:
    """Micro-USD of a slice that belong to one pull request (node id, or what stands for one: `bot.domain.targets`)."""

    slice: Slice
    pull: str
    micro: int
    grade: Grade = Grade.ALLOCATED


@dataclass(frozen=True, slots=True)
class Booking:
    """A share that was recognised, and as what."""

    share: Share
    part: Part


@dataclass(frozen=True, slots=True)
class Occurred:
    """What a slice came to by now, whether or not it is in the ledger: at list price, and of the bill (None: the bill
    does not say)."""

    slice: Slice
    list_micro: int
    billed_micro: int | None


PersonDay = tuple[str, date]
Splits = Mapping[PersonDay, tuple[Target, ...]]
Measured = Mapping[Slice, tuple[Target, ...]]
"""Where telemetry says that a slice went; the weights are micro-USD."""
Landing = Callable[[str, str, date], Part | None]
"""As what a share of (person, pull request or what stands for one, day) is recognised, or None while it stays open."""


@dataclass(frozen=True, slots=True)
class Closing:
    """What a block's closing writes. `splits` are the person-days whose split is settled by it, pulls in order."""

    bookings: tuple[Booking, ...]
    open: tuple[Share, ...]
    splits: Splits


@dataclass(frozen=True, slots=True)
class Known:
    """What decides how slices are split. `settled` are person-days that keep their split, `touched` names the pull
    requests of a person-day, lowest number first."""

    settled: Splits
    touched: Mapping[PersonDay, tuple[str, ...]]
    measured: Measured = field(default_factory=dict)

    def split(self, piece: Slice, micro: int) -> Iterator[Share]:
        """A slice's amount as shares."""
        day = (piece.person, piece.day)
        rest, even = micro, equally(self.touched.get(day, ()))
        if day in self.settled:
            even = self.settled[day]
        elif micro > 0:
            for share in _fitted(piece, micro, self.measured.get(piece, ())):
                rest -= share.micro
                yield share
        yield from _in_proportion(piece, rest, even)


def close(changes: Mapping[Slice, int], open_work: Iterable[Share], known: Known, landing: Landing) -> Closing:
    """Close the books of a block; `changes` are new or corrected amounts."""
    found = _shares(changes, list(open_work), known)
    landed = [
        Booking(share, part) for share in found if (part := landing(share.slice.person, share.pull, share.slice.day))
    ]
    waiting = [share for share in found if landing(share.slice.person, share.pull, share.slice.day) is None]
    bookings, owed = _set_off(landed)
    days = {_day(booking.share) for booking in landed} - known.settled.keys()
    splits = _splits(found, days, known)
    return Closing(tuple(bookings), tuple(_merged([*waiting, *owed])), splits)


def branch_landing(last_work: date, cutoff: datetime) -> Part | None:
    """A branch without a pull request is abandoned two weeks after the last work on it."""
    return Part.ABANDONED if cutoff >= _end(last_work) + WAIT_FOR_PULL else None


def no_pull_landing(day: date, cutoff: datetime) -> Part | None:
    """A person-day without a pull request waits two weeks for one, then is unattributed."""
    return Part.UNATTRIBUTED if cutoff >= _end(day) + WAIT_FOR_PULL else None


def _end(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _shares(changes: Mapping[Slice, int], open_work: Collection[Share], known: Known) -> list[Share]:
    """Open work and changes as shares. Settled days keep their split, and so do slices whose telemetry is past its
    lifetime; the others are split anew as things stand."""
    outlived = {share.slice for share in open_work if share.grade is not Grade.ALLOCATED} - known.measured.keys()
    kept: list[Share] = []
    amounts = defaultdict(int, changes)
    for share in open_work:
        if _day(share) in known.settled or share.slice in outlived:
            kept.extend(_late(share, known))
        else:
            amounts[share.slice] += share.micro
    for piece, micro in sorted(amounts.items()):
        kept.extend(known.split(piece, micro))
    return list(_merged(kept))


def _late(share: Share, known: Known) -> Iterator[Share]:
    """A share that waits for any pull request takes in those that have turned up, though its day is settled."""
    touched = known.touched.get(_day(share)) if share.pull == NO_PULL else None
    yield from _in_proportion(share.slice, share.micro, equally(touched)) if touched else (share,)


def _fitted(piece: Slice, micro: int, measured: tuple[Target, ...]) -> Iterator[Share]:
    """What was measured of a slice, at most the slice: telemetry explains a bill and never adds to it."""
    told = sum(target.weight for target in measured)
    if told:
        yield from _in_proportion(piece, min(micro, told), measured)


def _in_proportion(piece: Slice, micro: int, targets: tuple[Target, ...]) -> Iterator[Share]:
    for target, part in zip(targets, shares(micro, targets), strict=True):
        yield Share(piece, target.pull, part, target.grade)


def _splits(found: Iterable[Share], days: Collection[PersonDay], known: Known) -> dict[PersonDay, tuple[Target, ...]]:
    """How these person-days were split. One of which nothing was measured was split evenly."""
    sums: dict[PersonDay, dict[tuple[str, Grade], int]] = {day: defaultdict(int) for day in days}
    for share in found:
        if _day(share) in sums:
            sums[_day(share)][share.pull, share.grade] += share.micro
    return {day: _settled(parts) or equally(known.touched.get(day, ())) for day, parts in sums.items()}


def _settled(sums: Mapping[tuple[str, Grade], int]) -> tuple[Target, ...]:
    if all(grade is Grade.ALLOCATED for _, grade in sums):
        return ()
    return tuple(Target(pull, grade, micro) for (pull, grade), micro in sums.items() if micro > 0)


def _merged(found: Iterable[Share]) -> Iterator[Share]:
    """Add up shares of the same slice, pull request and grade; nothing left means no share."""
    sums: dict[tuple[Slice, str, Grade], int] = defaultdict(int)
    for share in found:
        sums[share.slice, share.pull, share.grade] += share.micro
    return (Share(piece, pull, micro, grade) for (piece, pull, grade), micro in sorted(sums.items()) if micro)


def _set_off(landed: list[Booking]) -> tuple[list[Booking], list[Share]]:
    """Hold each person's negative amounts against that person's positive ones: of the same pull request first, then
    oldest first.

    A negative amount is booked as what it is held against, in part and pull request, so that neither a part of a person
    nor the cost of a pull request falls below zero; what nothing can be held against stays open.
    """
    room = [booking for booking in landed if booking.share.micro > 0]
    bookings, owed = list(room), []
    left = {id(booking): booking.share.micro for booking in room}
    for debt in (booking.share for booking in landed if booking.share.micro < 0):
        rest = debt.micro
        own = (one for one in room if one.share.slice.person == debt.slice.person)
        for booking in sorted(own, key=lambda one: one.share.pull != debt.pull):
            held = min(-rest, left[id(booking)])
            if held:
                against = replace(debt, pull=booking.share.pull, grade=booking.share.grade, micro=-held)
                bookings.append(Booking(against, booking.part))
                left[id(booking)] -= held
                rest += held
        if rest:
            owed.append(replace(debt, micro=rest))
    return bookings, owed


def _day(share: Share) -> PersonDay:
    return share.slice.person, share.slice.day
