"""`chungtay lesson …`: an operator looks after one lesson from its start until it is settled."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from scheduler import cli
from scheduler.domain.briefs import Brief
from scheduler.domain.reports import Report
from scheduler.services import briefs, reports, sides
from tests.conftest import KEY
from tests.planning import A1, draft, publish, timetable

START = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)


@pytest.fixture
def lesson(ctx, cast, clock):
    publish(ctx, cast, draft(ctx, cast, A1))
    clock.at = START
    return timetable(ctx, cast)[0].id


@pytest.fixture
def run(ctx, database_url, monkeypatch, tmp_path):
    """Call a command on the test's database at a time after the lesson's start."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHUNGTAY_DATABASE_URL", database_url)
    monkeypatch.setenv("CHUNGTAY_VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("CHUNGTAY_SECRET_KEY", KEY.decode())

    def call(*arguments, after=timedelta(minutes=1)):
        monkeypatch.setenv("CHUNGTAY_CLOCK", (START + after).isoformat())
        return CliRunner().invoke(cli.main, ["lesson", *map(str, arguments)])

    return call


def answer(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_an_operator_sees_and_settles_what_both_sides_leave_open(ctx, cast, lesson, run):
    teacher = sides.of_actor(ctx, cast.actors["teacher1"], lesson)
    reports.report(ctx, teacher, Report(held=True, minutes_late=3))
    briefs.write(ctx, teacher, Brief(unit="Unit 3"))
    told = answer(run("report", lesson, "--side", "school", "--not-held", "--cause", "class",
                      "--note", "gọi điện", "--json"))  # fmt: skip
    assert (told["state"], [x["side"] for x in told["reports"]]) == (
        "disputed",
        ["teacher", "school"],
    )
    (waiting,) = answer(run("open", "--json"))["open"]
    assert (waiting["lesson"], waiting["why"]) == (lesson, "disputed")
    made = answer(
        run("settle", lesson, "--not-held", "--cause", "class", "--why", "Lớp đi thi", "--json")
    )
    assert (made["state"], made["cause"]) == ("not_held", "class")
    assert answer(run("open", "--json")) == {"open": []}
    shown = answer(run("show", lesson, "--json"))
    assert (shown["state"], shown["class"], shown["level"]) == ("not_held", "7A", "lower_secondary")
    assert shown["brief"]["unit"] == "Unit 3"
    assert shown["starts_at"] == "2023-10-04T07:30:00+07:00"
    assert shown["reports"][1]["note"] == "gọi điện"


def test_history_tells_all_and_what_it_looked_like_on_a_day(lesson, run):
    answer(run("settle", lesson, "--held", "--why", "cả hai nói vậy", "--json"))
    every = answer(run("history", lesson, "--json"))["versions"]
    assert [(x["deed"], x["state"]) for x in every] == [
        ("published", "scheduled"), ("settled", "held"),
    ]  # fmt: skip
    on = {
        day: [x["state"] for x in answer(run("history", lesson, "--on", day, "--json"))["versions"]]
        for day in ("2023-10-01", "2023-10-02", "2023-10-04")
    }
    assert on == {"2023-10-01": [], "2023-10-02": ["scheduled"], "2023-10-04": ["held"]}


def test_who_reads_is_told_in_lines_by_the_clock_of_the_school(lesson, run, monkeypatch):
    monkeypatch.setenv("CHUNGTAY_LOCALE", "en")
    head = f"{lesson:6}  Wed 04/10 · 07:30–08:15  7A THCS A, Cô teacher1"
    late, after = timedelta(minutes=4), "Mon 02/10 · 06:30"
    assert run("now", after=late).stdout == f"{head}  ! the teacher missing, the school missing\n"
    run("check-in", lesson, "--side", "school", after=late)
    told = run("report", lesson, "--side", "school", "--not-held", "--cause", "power", after=late)
    by = told.stdout.splitlines()[-1]
    assert by.endswith("Wed 04/10 · 07:34): Not held: The power failed")
    run("settle", lesson, "--not-held", "--cause", "power", "--why", "Mất điện cả xã")
    assert run("show", lesson).stdout.splitlines()[0] == f"{head}  Not held (The power failed)"
    lines = run("history", lesson).stdout.splitlines()
    assert [line.partition(": ")[2].partition("  ->")[0] for line in lines] == [
        "published", "settled by a coordinator (Mất điện cả xã)",
    ]  # fmt: skip
    assert after in lines[0]
    assert run("open").stdout == "-\n"


def test_checking_in_and_the_board(lesson, run):
    late = timedelta(minutes=4)
    (row,) = answer(run("now", "--json", after=late))["lessons"]
    assert (row["lesson"], row["red"], row["teacher"]) == (lesson, True, "Cô teacher1")
    assert row["sides"] == {"teacher": "missing", "school": "missing"}
    for side in ("teacher", "school"):
        done = answer(run("check-in", lesson, "--side", side, "--json", after=late))
    assert set(done["check_ins"]) == {"teacher", "school"}
    (row,) = answer(run("now", "--json", after=late))["lessons"]
    assert row["red"] is False


REFUSED = (
    (("report", 1, "--held"), "Say for which side you speak."),
    (("report", 1, "--side", "school", "--not-held"), "Say why it was not held."),
    (("report", 1, "--side", "school", "--held", "--late", "99"), "from 0 to 45."),
    (("settle", 1, "--held", "--why", " "), "Say in a few words why you decide so."),
    (("show", 99), "There is no such lesson here."),
    (("history", 99), "There is no such lesson here."),
)


def test_what_cannot_be_done_is_said_in_sentences(lesson, run):
    for command, sentence in REFUSED:
        result = run(*command)
        assert result.exit_code == 1
        assert sentence in result.stderr


def test_before_its_start_nothing_is_reported(lesson, run):
    result = run("report", lesson, "--side", "school", "--held", after=-timedelta(minutes=1))
    assert result.exit_code == 1
    assert "has not begun yet" in result.stderr
