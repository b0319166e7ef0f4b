"""Routes that will end: what a program is told with each answer, long before (RFC 9745, RFC 8594).

@router.get("/old", deprecated=True, dependencies=[Depends(Retiring(since, until, "/api/v1/new"))])
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime

from starlette.responses import Response

NOTICE = timedelta(days=182)  # at least so long before its end a route is called deprecated


@dataclass(frozen=True)
class Retiring:
    """Deprecated since a day, gone on another; `instead`: the address that took its place."""

    since: date
    until: date
    instead: str

    def __post_init__(self) -> None:
        if self.until - self.since < NOTICE:
            raise ValueError("half a year of notice is the least")

    def __call__(self, response: Response) -> None:
        response.headers["deprecation"] = f"@{int(_begin(self.since).timestamp())}"
        response.headers["sunset"] = format_datetime(_begin(self.until), usegmt=True)
        response.headers.append("link", f'<{self.instead}>; rel="successor-version"')


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
