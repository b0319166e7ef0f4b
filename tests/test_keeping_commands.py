"""Backups and upgrades as an operator types them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def run(run, monkeypatch, postgresql_programs):
    monkeypatch.setenv("CHUNGTAY_LOCALE", "en")
    return run


def test_a_dated_backup_is_told_and_the_doctor_knows_it(run, tmp_path):
    done = run("backup", "--into", tmp_path / "shelf")
    assert done.exit_code == 0, done.output
    [made] = (tmp_path / "shelf").glob("chungtay-*.backup")
    assert done.output.startswith(f"{made}: ")
    assert f"0 hours ago: {made}" in run("doctor").output
    assert run("restore", made).exit_code == 0


@ONE
@pytest.mark.parametrize(
    "words", [[], ["a.backup", "--into", "shelf"], ["a.backup", "--daily-at", "02:15"]]
)
def test_where_must_be_said_once(run, words):
    result = run("backup", *words)
    assert (result.exit_code, "FILE, or --into DIR" in result.output) == (2, True)


@ONE
@pytest.mark.parametrize("at", ["25:00", "2:15", "noon"])
def test_a_time_that_is_none_is_refused(run, at):
    result = run("backup", "--into", "shelf", "--daily-at", at)
    assert (result.exit_code, "as 02:15" in result.output) == (2, True)


@ONE
def test_it_stays_and_makes_up_at_once_for_a_night_that_was_missed(run, tmp_path):
    shelf = tmp_path / "shelf"
    started = subprocess.Popen(
        [sys.executable, "-m", "scheduler", "backup", "--into", str(shelf), "--daily-at", "02:15"],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=tmp_path,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not list(shelf.glob("chungtay-*.backup")) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)
        assert started.poll() is None
    finally:
        started.terminate()
        started.wait(10)
    assert len(list(shelf.glob("chungtay-*.backup"))) == 1
    assert list(shelf.glob("*.part")) == []


@ONE
def test_a_restore_says_what_it_kept(run, tmp_path):
    assert run("backup", tmp_path / "a.backup").exit_code == 0
    done = run("restore", tmp_path / "a.backup")
    assert done.exit_code == 0
    [kept] = (tmp_path / "var" / "backups").glob("*-before-restore.backup")
    assert f"What was there before is kept as {kept}." in done.output
