"""People as an operator types them."""

import json

import pytest
from click.testing import CliRunner

from scheduler import cli
from tests.planning import A1, A2, draft, publish, timetable

WHO = "teacher1@x.example"


@pytest.fixture
def run(ctx, cast, monkeypatch, tmp_path):
    known = {
        "DATABASE_URL": ctx.settings.database_url, "VAR_DIR": str(tmp_path / "var"),
        "SECRET_KEY": ctx.settings.secret_key.get_secret_value(), "CLOCK": ctx.now().isoformat(),
    }  # fmt: skip
    for name, value in known.items():
        monkeypatch.setenv(f"CHUNGTAY_{name}", value)

    def call(*arguments, wrong=False, plain=False):
        more = () if plain else ("--json",)
        done = CliRunner().invoke(cli.main, [*map(str, arguments), *more])
        assert (done.exit_code != 0) is wrong, done.output
        return done.output if wrong or plain else json.loads(done.stdout)

    return call


def test_people_are_listed_and_found_without_marks(run):
    assert len(run("user", "list")["people"]) == 5
    found = run("user", "list", "--search", "ai mo", "--role", "teacher")["people"]
    assert [each["roles"] for each in found] == [[{"role": "teacher", "school": "THCS Ái Mộ"}]] * 2
    assert "schoola@x.example: Cô schoolA, school THCS A, never here" in run(
        "user", "list", plain=True
    )
    assert run("user", "roles", WHO)["roles"] == [{"role": "teacher", "school": "THCS Ái Mộ"}]
    assert "no such person" in run("user", "roles", "stranger@x.example", wrong=True)


@pytest.mark.parametrize(
    ("options", "told"),
    [(("--role", "school", "--school", "A"), None),
     (("--role", "teacher", "--donor-school", "THCS Ái Mộ"), None),
     (("--role", "donor_head", "--donor-school", "THCS Ái Mộ (Long Biên)"), None),
     (("--role", "school", "--school", "Z"), "no school with the code Z"),
     (("--role", "teacher", "--donor-school", "X"), "no donor school called X"),
     (("--role", "school"), "Say which school: --school CODE"),
     (("--role", "teacher"), "Say which donor school: --donor-school NAME"),
     (("--role", "coordinator", "--school", "A"), "no school"),
     (("--role", "school", "--school", "A", "--donor-school", "X"), "no donor school"),
     (("--role", "coordinator"), "may not")],
)  # fmt: skip
def test_people_are_invited(run, options, told):
    done = run("user", "invite", "moi@x.example", "--name", "Mới", *options, wrong=bool(told))
    assert told in done if told else done["role"] == options[1]


def test_an_account_is_switched_off_after_a_look_and_on_again(ctx, cast, run):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    ids = [lesson.id for lesson in timetable(ctx, cast)]
    looked = run("user", "switch-off", WHO, "--dry-run")
    assert looked == {"email": WHO, "lessons": ids, "done": False}
    assert run("user", "roles", WHO)["active"] is True
    assert run("user", "switch-off", WHO)["done"] is True
    assert {lesson.state.value for lesson in timetable(ctx, cast)} == {"cover"}
    assert run("user", "roles", WHO)["active"] is False
    assert run("user", "switch-on", WHO) == {"email": WHO, "active": True}
    assert "This is you" in run("user", "switch-off", "coordinator@x.example", wrong=True)
