"""Long lists in pages: a list, and a `Link` header that names the next page while more follows."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

MOST = 200

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]


def link_on(request: Request, response: Response, cursor: str) -> None:
    """Say where the list goes on, with the filters of this page (RFC 8288)."""
    onward = request.url.include_query_params(cursor=cursor)
    response.headers["link"] = f'<{onward.path}?{onward.query}>; rel="next"'
