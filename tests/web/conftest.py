import pytest

from tests.cast import gather
from tests.web.browser import Site


@pytest.fixture
def cast(ctx):
    return gather(ctx)


@pytest.fixture
def site(ctx):
    return Site(ctx)


@pytest.fixture
def visitor(site):
    return site.browser()
