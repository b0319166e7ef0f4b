import pytest

from scheduler.services import exports
from scheduler.store import tables
from tests.web.browser import Site


@pytest.fixture
def site(ctx):
    return Site(ctx)


@pytest.fixture
def visitor(site):
    return site.browser()


@pytest.fixture
def lists(ctx, cast):
    """The programme's own lists, as an office has them on its disk."""
    with ctx.transaction() as db:
        db.execute(tables.persons.update().values(phone="0912345678"))
    return exports.export_workbooks(ctx, actor=cast.actors["coordinator"])
