"""`chungtay cover …`: an operator finds somebody to stand in, or another way."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from scheduler import cli
from scheduler.domain.lessons import LessonState
from tests.faults.kit import book
from tests.standins import WEDNESDAY, cannot, get, join, school
from tests.standins import neighbour as neighbouring

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def lesson(ctx, cast):
    return book(ctx, cast, WEDNESDAY)


@pytest.fixture
def run(ctx, monkeypatch, tmp_path):
    known = {
        "DATABASE_URL": ctx.settings.database_url, "VAR_DIR": str(tmp_path / "var"),
        "SECRET_KEY": ctx.settings.secret_key.get_secret_value(), "CLOCK": ctx.now().isoformat(),
    }  # fmt: skip
    for name, value in known.items():
        monkeypatch.setenv(f"CHUNGTAY_{name}", value)

    def call(*arguments, wrong=False, as_json=True):
        asked = ["cover", *map(str, arguments), *(["--json"] if as_json else [])]
        done = CliRunner().invoke(cli.main, asked)
        assert (done.exit_code != 0) is wrong, done.output
        return json.loads(done.stdout) if as_json and not wrong else done.output

    return call


def test_an_operator_asks_for_a_teacher_who_telephoned_and_sees_how_it_goes(ctx, cast, lesson, run):
    assert run("list") == {"covers": []}
    assert run("list", as_json=False).strip() == "-"
    assert run("ask", lesson, "--reason", "bị ốm") == {"lesson": lesson, "state": "cover"}
    (found,) = run("list")["covers"]
    assert (found["lesson"], found["reason"], found["exhausted"]) == (lesson, "bị ốm", False)
    assert [(x["teacher_id"], x["end"]) for x in found["offers"]] == [(cast["teacher2"], None)]
    assert "Cô teacher1, 1 asked, 1 open" in run("list", as_json=False)
    shown = run("show", lesson)
    assert (shown["state"], shown["teacher"]) == ("cover", "Cô teacher1")
    assert shown["call"]["reason"] == "bị ốm"
    assert [x["name"] for x in shown["offers"]] == ["Cô teacher2"]
    (candidate,) = shown["candidates"]
    assert (candidate["teacher"], candidate["fits"], candidate["obstacles"]) == (
        cast["teacher2"], True, [],
    )  # fmt: skip
    assert "Cô teacher2 (THCS Ái Mộ): 0/40, 0 with the class" in run("show", lesson, as_json=False)


def test_what_was_said_on_the_telephone_is_noted(ctx, cast, lesson, run):
    far = join(ctx, cast, "far", school(ctx, cast, "THCS Xa"))
    cannot(ctx, cast, lesson)
    told = run("decline", lesson, cast["teacher2"], "--reason", "đi công tác")
    assert told == {"lesson": lesson, "teacher": cast["teacher2"], "standing": "declined"}
    assert "not asked" in run("accept", lesson, far, wrong=True)
    assert run("offer", lesson, far)["teacher"] == far
    assert run("accept", lesson, far)["standing"] == "yours"
    assert get(ctx, lesson).teacher_id == far
    assert "Nobody" in run("offer", lesson, cast["teacher2"], wrong=True)


def test_a_lesson_is_given_to_who_agreed_or_left_to_its_teacher(ctx, cast, lesson, run):
    cannot(ctx, cast, lesson)
    assert run("close", lesson) == {"lesson": lesson, "state": "scheduled"}
    cannot(ctx, cast, lesson)
    taken = run("take", lesson, cast["teacher2"], "--reason", "đã gọi điện")
    assert taken == {"lesson": lesson, "teacher": cast["teacher2"]}
    assert "--reason" in run("take", lesson, cast["teacher2"], wrong=True)
    assert "no such lesson" in run("show", 10_000, wrong=True)


def test_asking_by_itself_is_switched_off_and_on(cast, run):
    switched = [run("automatic"), run("automatic", "off"), run("automatic"), run("automatic", "on")]
    assert [each["automatic"] for each in switched] == [True, False, False, True]


def test_the_ways_are_shown_and_a_lesson_moves(ctx, cast, lesson, run):
    cannot(ctx, cast, lesson)
    told = run("ways", lesson)
    assert [(x["day"], x["start"], x["fits"]) for x in told["times"]] == [
        ("2023-10-05", "07:30", True),
        ("2023-10-04", "08:25", True),
        ("2023-10-05", "09:20", True),
    ]
    assert told["merges"] == []
    first = told["times"][0]
    assert first["own_teacher"] == []
    assert [x["teacher"] for x in first["others"]] == [cast["teacher2"]]
    lines = run("ways", lesson, as_json=False).splitlines()
    assert lines[0] == "+ move --day 2023-10-05 --start 07:30: its teacher, 1 others"
    wrong = run("move", lesson, "--day", "2023-10-06", "--start", "07:30", wrong=True)
    assert "did not ask for this time" in wrong
    moved = run("move", lesson, "--day", "2023-10-05", "--start", "09:20", "--teacher",
                cast["teacher2"])  # fmt: skip
    assert moved == {
        "lesson": lesson, "starts_at": "2023-10-05 02:20:00+00:00", "teacher": cast["teacher2"],
        "state": "scheduled",
    }  # fmt: skip


def test_a_class_joins_another_lesson(ctx, cast, lesson, run):
    cannot(ctx, cast, lesson)
    host = neighbouring(ctx, cast, WEDNESDAY + timedelta(hours=1))
    (told,) = run("ways", lesson)["merges"]
    assert (told["lesson"], told["class"], told["fits"], told["fault"]) == (host, "7B", True, None)
    assert f"+ merge {host}: 7B 01:30Z, Cô teacher2" in run("ways", lesson, as_json=False)
    merged = run("merge", lesson, host)
    assert (merged["state"], merged["merged_into"]) == ("cancelled", host)
    assert merged["reason"].startswith("Lớp học chung với lớp 7B lúc 08:30")
    assert get(ctx, lesson).state is LessonState.CANCELLED
    assert "takes place no more" in run("merge", lesson, host, wrong=True)
