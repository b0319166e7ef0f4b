"""Baskets, suggestions and swaps as an operator types them."""

import json

import pytest
from click.testing import CliRunner

from scheduler import cli
from tests.planning import WEDNESDAY, draft, publish, timetable

A = ("request_7A", WEDNESDAY, 505, "teacher1")
B = ("request_8B", WEDNESDAY, 505, "teacher2")


@pytest.fixture
def found(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A, B))
    return timetable(ctx, cast)


@pytest.fixture
def run(ctx, monkeypatch, tmp_path):
    known = {
        "DATABASE_URL": ctx.settings.database_url, "VAR_DIR": str(tmp_path / "var"),
        "SECRET_KEY": ctx.settings.secret_key.get_secret_value(), "CLOCK": ctx.now().isoformat(),
    }  # fmt: skip
    for name, value in known.items():
        monkeypatch.setenv(f"CHUNGTAY_{name}", value)

    def call(*arguments, wrong=False):
        done = CliRunner().invoke(cli.main, [*map(str, arguments), "--json"])
        assert (done.exit_code != 0) is wrong, done.output
        return done.output if wrong else json.loads(done.stdout)

    return call


def basket(tmp_path, *moves):
    path = tmp_path / "basket.json"
    path.write_text(json.dumps({"moves": moves}))
    return path


def test_a_basket_goes_from_a_file_to_the_timetable(ctx, cast, run, tmp_path, found):
    first, other = found
    one = {"lesson": first.id, "teacher": "teacher2@x.example"}
    clash = run("basket", "check", basket(tmp_path, one))
    assert [each["rule"] for each in clash["clashes"]] == [
        "A teacher gives one lesson at a time, and rests in between"
    ]
    assert "This would break a rule" in run("basket", "draft", basket(tmp_path, one), wrong=True)
    file = basket(tmp_path, one, {"lesson": other.id, "date": "2023-10-05", "start": "07:30"})
    assert run("basket", "check", file)["clashes"] == []
    plan = run("basket", "draft", file, "--note", "đổi")["plan"]
    seen = run("plan", "diff", plan)
    assert (seen["restaffed"], seen["moved"]) == (1, 1)
    run("plan", "publish", plan, "--seen", seen["fingerprint"])
    assert {(x.class_name, x.teacher_id) for x in timetable(ctx, cast)} == {
        ("7A", cast["teacher2"]), ("8B", cast["teacher2"]),
    }  # fmt: skip
    assert run("suggest", first.id)["teachers"][0]["name"] == "Cô teacher1"


def test_a_faulty_basket_names_every_fault(run, tmp_path, found):
    said = run("basket", "check", basket(tmp_path, 1, {"lesson": 99}, {"request": "A/7A"},
        {"lesson": found[0].id, "teacher": "nobody@x.example"},
        {"lesson": found[0].id, "date": "mai"}), wrong=True)  # fmt: skip
    assert all(f"move {n}:" in said for n in range(1, 6))
    (tmp_path / "odd.json").write_text("[")
    assert "This is no basket" in run("basket", "check", tmp_path / "odd.json", wrong=True)


def test_a_swap_is_asked_for_and_agreed(ctx, cast, run, found):
    first, other = found
    one, two = ("--by", "teacher1@x.example"), ("--by", "teacher2@x.example")
    made = run("swap", "ask", first.id, other.id, *one)["swap"]
    run("swap", "accept", made, *one, wrong=True)
    assert run("swap", "accept", made, *two)["end"] == "agreed"
    assert [x["end"] for x in run("swap", "list")["swaps"]] == ["agreed"]
    run("swap", "ask", first.id, other.id, "--by", "stranger@x.example", wrong=True)
    again = run("swap", "ask", first.id, other.id, *two)["swap"]
    assert run("swap", "withdraw", again, *two)["end"] == "withdrawn"
    more = run("swap", "ask", first.id, other.id, *two)["swap"]
    assert run("swap", "decline", more, *one)["end"] == "declined"
