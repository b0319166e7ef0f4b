"""Pages: each test on one of the two engines, half of them on each; `--every-engine`: on both.

What a page does with its database is tested below the pages, on both.
"""

from zlib import crc32

import pytest

from tests.conftest import ENGINES
from tests.web.browser import Site


@pytest.fixture
def site(ctx):
    return Site(ctx)


@pytest.fixture
def visitor(site):
    return site.browser()


def pytest_collection_modifyitems(config, items):
    if config.getoption("--every-engine"):
        return
    spared = [item for item in items if _is_spared(item)]
    items[:] = [item for item in items if not _is_spared(item)]
    config.hook.pytest_deselected(items=spared)


def _is_spared(item) -> bool:
    """Whether the test is for the other engine of the two."""
    engine = getattr(item, "callspec", None) and item.callspec.params.get("database_url")
    if engine is None or "tests/web/" not in item.path.as_posix():
        return False
    name = f"{item.path.name}::{getattr(item, 'originalname', item.name)}"
    return engine != ENGINES[crc32(name.encode()) % len(ENGINES)]
