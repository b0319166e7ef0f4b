"""Around all pages: what each answer took, by the template of its route; a span where asked for."""

from collections.abc import Sequence

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scheduler import clock, tracing
from scheduler.web.tallies import NO_ROUTE, Tally, known_method

# In the state of a request.
TALLY = "tally"
_ROUTE = "route_template"
_BROKEN = 500  # what the server says when we said nothing


class Counting:
    """Pure ASGI, outside of everything but the feeds: what the shell refuses is counted, too."""

    def __init__(self, tally: Tally, inner: ASGIApp) -> None:
        self.tally = tally
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        state, method = scope.setdefault("state", {}), known_method(scope["method"])
        state[TALLY] = self.tally
        said, began = _Said(send), clock.monotonic()
        with tracing.span("request") as span:
            try:
                await self.inner(scope, receive, said)
            finally:
                route = state.get(_ROUTE, NO_ROUTE)
                self.tally.note(route, method, said.status, clock.monotonic() - began)
                if span is not None:
                    span.answered(method, route, said.status, state.get("request_id", ""))


class Routed:
    """Pure ASGI, inside of everything: tells those outside which route was taken."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner
        self._templates: dict[int, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.inner(scope, receive, send)
        finally:
            if scope["type"] == "http":
                scope.setdefault("state", {})[_ROUTE] = self._template(scope)

    def _template(self, scope: Scope) -> str:
        """Of the routes, never of the address: that holds the names of things, and keys."""
        route = scope.get("route")
        if route is None:
            mounted = scope.get("root_path") if "endpoint" in scope else ""
            return f"{mounted}/{{path}}" if mounted else NO_ROUTE
        if not self._templates:
            self._templates = _templates(scope["app"].routes)
        return self._templates.get(id(route), NO_ROUTE)


def _templates(routes: Sequence[BaseRoute]) -> dict[int, str]:
    """By the route's identity: what it says of itself lacks the prefix of the router it is in."""
    return {id(found.original_route): found.path or "" for found in iter_route_contexts(routes)}


class _Said:
    """Passes an answer on, and remembers its status."""

    __slots__ = ("_send", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = _BROKEN

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)
