"""What programs send must be JSON that reads in one way only."""

import json

from fastapi import Request
from starlette.exceptions import HTTPException

from scheduler.errors import Invalid, text
from scheduler.web.guard import SAFE

JSON = "application/json"


async def json_only(request: Request) -> None:
    """Refuse a body of another kind, and one whose names stand twice: who reads such a text takes
    the first or the last, and what was checked may not be what is done."""
    body = b"" if request.method in SAFE else await request.body()
    request.state.sent = body
    if not body:
        return
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind.strip().lower() != JSON:
        raise HTTPException(415)
    try:
        json.loads(body, object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        raise HTTPException(400) from None


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Invalid(text("A name stands twice in one object. Leave one of them."))
    return found
