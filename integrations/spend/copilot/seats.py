"""Who has a seat of Copilot, and since when."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from integrations.days import today

UserId = Annotated[int, Field(strict=True, ge=0)]


class Assignee(BaseModel):
    id: UserId
    node_id: str | None = None


class Seat(BaseModel):
    """`created_at` to `pending_cancellation_date`, which is the first day without it."""

    assignee: Assignee | None = None
    created_at: AwareDatetime
    pending_cancellation_date: date | None = None

    def is_paid(self, day: date) -> bool:
        ends = self.pending_cancellation_date
        return today(self.created_at) <= day and (ends is None or day < ends)


class SeatPage(BaseModel):
    total_seats: int
    seats: list[Any]


@dataclass(frozen=True, slots=True)
class Seats:
    """The seats of today, and how many there are by GitHub's own count."""

    seats: tuple[Seat, ...]
    total: int

    def paid(self, day: date) -> int | None:
        """How many seats were paid for. A seat that is gone by now is not listed, so for a past day they may have been
        more. None where the list is not whole: seats that changed while it was read, or could not be."""
        if _people(self.seats) != self.total:
            return None
        return _people(seat for seat in self.seats if seat.is_paid(day))

    def accounts(self) -> Mapping[int, str]:
        """Node ids of accounts by their numbers. One that several people have is no id."""
        named = {one.id: one.node_id for seat in self.seats if (one := seat.assignee) and one.node_id}
        uses = Counter(named.values())
        return {number: node for number, node in named.items() if uses[node] == 1}


def _people(seats: Iterable[Seat]) -> int:
    """Somebody who has a seat by two teams pays for one; a seat without a person is one too."""
    holders = [seat.assignee for seat in seats]
    return len({one.id for one in holders if one}) + holders.count(None)
