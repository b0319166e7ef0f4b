"""Long lists in pages: a list, and a `Link` header that names the next page while more follows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol, TypeVar

from fastapi import Depends, Query, Request
from starlette.responses import Response

from scheduler.store.catalogue import Page
from scheduler.web.guard import LARGEST_ID

MOST = 200
Place = tuple[int, ...]  # where something stands in its list: it grows from one to the next


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


_Row = TypeVar("_Row", bound=_Numbered)
_T = TypeVar("_T")

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
Cursor = Annotated[
    str | None,
    Query(
        pattern="^[0-9a-f]{1,8}(-[0-9a-f]{1,8})?$",
        description="From the link to the next page; not to be made up.",
    ),
]


@dataclass(frozen=True, slots=True)
class Paging:
    """One page of a list, as it was asked for."""

    request: Request
    response: Response
    limit: int
    after: Place | None

    def rows(self, ask: Callable[[Page], Sequence[_Row]]) -> list[_Row]:
        """Of a list in order of numbers, which gives pages itself.

        One row more is asked for than is told: it says whether anything follows.
        """
        after = min(self.after[0], LARGEST_ID) if self.after else 0
        found = ask(Page(after, self.limit + 1))
        return self._told(found, lambda row: (row.id,))

    def cut(self, found: Iterable[_T], place: Callable[[_T], Place]) -> list[_T]:
        """Of a list that comes whole; what is added or goes meanwhile shifts nothing else."""
        after = self.after or ()
        left = sorted((each for each in found if place(each) > after), key=place)
        return self._told(left, place)

    def _told(self, left: Sequence[_T], place: Callable[[_T], Place]) -> list[_T]:
        told = list(left[: self.limit])
        if len(left) > self.limit:
            self._link_on("-".join(f"{part:x}" for part in place(told[-1])))
        return told

    def _link_on(self, cursor: str) -> None:
        """Say where the list goes on, with the filters of this page (RFC 8288)."""
        onward = self.request.url.include_query_params(cursor=cursor)
        self.response.headers["link"] = f'<{onward.path}?{onward.query}>; rel="next"'


def _paging(
    request: Request, response: Response, limit: Limit = MOST, cursor: Cursor = None
) -> Paging:
    after = tuple(int(part, 16) for part in cursor.split("-")) if cursor else None
    return Paging(request, response, limit, after)


Paged = Annotated[Paging, Depends(_paging)]


def by_time(at: datetime, number: int) -> Place:
    """The earliest first, and of those at once the first that was made."""
    return int(at.timestamp()), number


def newest_first(number: int) -> Place:
    return (LARGEST_ID - number,)
