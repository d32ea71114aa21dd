"""Going through the pages of a report, with an end; and saying what to do where a source refuses."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from bot.domain.ports import NotFound, Refused, SourceError

Cursor = TypeVar("Cursor", bound=Hashable)
Page = TypeVar("Page")


def pages(
    title: str, most: int, first: Cursor, ask: Callable[[Cursor], Page], following: Callable[[Page], Cursor | None]
) -> Iterator[Page]:
    """Every page, each as soon as it is there. `ask` fetches the page at a cursor, `following` tells the next cursor.

    Raises SourceError for a cursor that comes back, and for more than `most` pages: a report that does not end must not
    be taken for one that did.
    """
    asked = {first}
    cursor: Cursor | None = first
    for _ in range(most):
        page = ask(cursor)  # type: ignore[arg-type]  # never None here: the loop ends with it
        yield page
        cursor = following(page)
        if cursor is None:
            return
        if cursor in asked:
            raise SourceError(f"{title}: the pages go in a circle")
        asked.add(cursor)
    raise SourceError(f"{title}: it did not end after {most} pages")


@contextmanager
def advising(title: str, *, refused: str, missing: str) -> Iterator[None]:
    """Begin each error with the source's name, and say what to do where a key is refused or nothing is found."""
    try:
        yield
    except Refused as error:
        raise Refused(f"{_named(title, error)}. {refused}") from None
    except NotFound as error:
        raise NotFound(f"{_named(title, error)}. {missing}", permanent=True) from None
    except SourceError as error:
        raise SourceError(_named(title, error), permanent=error.permanent, whole=error.whole) from None


def _named(title: str, error: SourceError) -> str:
    text = str(error).rstrip(".")
    return text if text.startswith(title) else f"{title}: {text}"
