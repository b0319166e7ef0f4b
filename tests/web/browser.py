"""A browser of ours: keeps cookies, sends the form token it was given, follows no redirect."""

import re
from collections.abc import Mapping

import sqlalchemy as sa
from fastapi import FastAPI
from starlette.datastructures import State
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from scheduler.app import around, create_pages
from scheduler.services import accounts, outbox
from scheduler.services.context import Context
from scheduler.store import accounts as accounts_store
from scheduler.store import tables

BASE = "https://chungtay.example"
SAME_ORIGIN = {"origin": BASE, "sec-fetch-site": "same-origin"}
_CSRF = re.compile(r'name="csrf" value="([^"]*)"')


class Browser(TestClient):
    """`submit` posts a form as its page would; `arrive` signs somebody in by the shortest way."""

    def __init__(self, app, ctx: Context) -> None:
        super().__init__(app, base_url=BASE, follow_redirects=False, raise_server_exceptions=False)
        self.ctx = ctx
        self.csrf = ""

    def see(self, path: str, **more):
        """Get a page and remember the token of its forms."""
        page = self.get(path, **more)
        found = _CSRF.search(page.text)
        self.csrf = found[1] if found else self.csrf
        return page

    def submit(self, path: str, fields: dict | None = None, **more):
        headers = SAME_ORIGIN | more.pop("headers", {})
        return self.post(path, data={"csrf": self.csrf, **(fields or {})}, headers=headers, **more)

    def arrive(self, actor) -> "Browser":
        path = accounts.operator_link(self.ctx, actor.email).removeprefix(BASE)
        self.see(path)
        assert self.submit(path).status_code == 303
        self.prove()
        self.see("/calendar")
        return self

    def prove(self) -> None:
        """As if the second factor had been shown in the newest session."""
        with self.ctx.transaction() as db:
            newest = db.scalar(sa.select(sa.func.max(tables.sessions.c.id)))
            accounts_store.prove(db, newest, self.ctx.now())


_PAGES: list[FastAPI] = []


class Site:
    """The whole application, and as many browsers as a test needs.

    Its pages are made once in a process: to look through all routes takes longer than most tests.
    What a site knows it brings along with each request.  `standins`: what is called instead of a
    dependency, by that.
    """

    def __init__(self, ctx: Context, standins: Mapping | None = None) -> None:
        self.ctx = ctx
        self.standins = dict(standins or {})
        if not _PAGES:
            _PAGES.append(create_pages(ctx, start_loop=False))
        self.state = State({"ctx": ctx, "labels": {}, "is_alive": lambda: True})
        self.app = around(self._pages, ctx)

    async def _pages(self, scope: Scope, receive: Receive, send: Send) -> None:
        (pages,) = _PAGES
        pages.state, pages.dependency_overrides = self.state, self.standins
        await pages(scope, receive, send)

    def browser(self) -> Browser:
        return Browser(self.app, self.ctx)

    def of(self, actor) -> Browser:
        return self.browser().arrive(actor)


def mailed(ctx: Context) -> tuple[str, str]:
    """The path of the link and the code of the newest sign-in message."""
    accounts.make_links(ctx)  # what the next beat does
    newest = sa.select(tables.outbox.c.payload).order_by(tables.outbox.c.id.desc()).limit(1)
    with ctx.reading() as db:
        payload = db.scalar(newest)
    told = outbox.opened(ctx, payload)
    return told["url"].removeprefix(BASE), told["code"]


def messages(ctx: Context) -> int:
    accounts.make_links(ctx)
    with ctx.reading() as db:
        return db.scalar(sa.select(sa.func.count()).select_from(tables.outbox))
