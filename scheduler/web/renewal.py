"""Around all pages: a session's new secret goes out with whatever the answer is."""

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scheduler.config import Settings
from scheduler.web import guard


class Renewal:
    """Pure ASGI: pages, fragments, redirects and refusals all pass here."""

    def __init__(self, settings: Settings, inner: ASGIApp) -> None:
        self.settings = settings
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def renewing(message: Message) -> None:
            secret = scope.get("state", {}).get("new_secret")
            if message["type"] == "http.response.start" and secret:
                self._give(MutableHeaders(scope=message), secret)
            await send(message)

        await self.inner(scope, receive, renewing)

    def _give(self, headers: MutableHeaders, secret: str) -> None:
        """Unless the answer has its own word on it: it signs somebody in or out."""
        ours = guard.cookie_name(self.settings, "sid")
        if any(each.startswith(f"{ours}=") for each in headers.getlist("set-cookie")):
            return
        bearer = Response()
        guard.set_session(bearer, self.settings, secret)
        headers.append("set-cookie", bearer.headers["set-cookie"])
