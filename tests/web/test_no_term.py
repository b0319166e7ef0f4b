"""A programme that has no term yet: every room of the desk leads to where lists are sent in."""

import pytest
import sqlalchemy as sa

from scheduler.store import tables

ROOMS = (
    "/coordinator", "/coordinator/week", "/coordinator/demand", "/coordinator/matching",
    "/coordinator/balance", "/coordinator/term", "/coordinator/schools", "/coordinator/reports",
    "/coordinator/publications", "/coordinator/announce", "/coordinator/partnerships",
)  # fmt: skip


@pytest.fixture
def stranger(ctx, cast, site):
    """The coordinator of a programme that holds nothing yet."""
    with ctx.reading() as db:
        theirs = cast.actors["stranger"].grants[0].programme_id
        count = sa.select(sa.func.count()).where(tables.terms.c.programme_id == theirs)
        assert db.scalar(count) == 0
    return site.of(cast.actors["stranger"])


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_without_a_term_leads_to_the_lists_and_says_why(stranger, room):
    page = stranger.see(room, follow_redirects=True)
    assert (page.status_code, page.url.path) == (200, "/coordinator/imports")
    assert "Chưa có học kỳ nào" in page.text
