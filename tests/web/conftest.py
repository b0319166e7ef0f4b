import pytest

from tests.web.browser import Site


@pytest.fixture
def site(ctx):
    return Site(ctx)


@pytest.fixture
def visitor(site):
    return site.browser()
