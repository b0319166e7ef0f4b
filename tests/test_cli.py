"""The commands of the table in the design, as an operator types them."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scheduler import cli
from scheduler.matching import plan as plans
from scheduler.matching import problem
from tests.matching import make, referee, verify_plan

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.xlsx"))


def answer(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


COMMANDS = [
    [], ["demo"], ["setup"], ["serve"], ["worker"], ["migrate"], ["doctor"], ["import"], ["export"],
    ["match"],
    ["plan"], ["plan", "run"], ["plan", "show"], ["plan", "diff"], ["plan", "publish"],
    ["plan", "lines"], ["plan", "accept"], ["plan", "undo"], ["plan", "history"],
    ["pin"], ["pin", "add"], ["pin", "remove"], ["pin", "list"], ["lesson"],
    ["lesson", "show"], ["lesson", "report"], ["lesson", "settle"], ["lesson", "open"],
    ["lesson", "history"], ["lesson", "check-in"], ["lesson", "now"], ["user"],
    ["cover"], ["cover", "list"], ["cover", "show"], ["cover", "ask"], ["cover", "offer"],
    ["cover", "accept"], ["cover", "decline"], ["cover", "take"], ["cover", "close"],
    ["cover", "automatic"],
    ["basket"], ["basket", "check"], ["basket", "draft"], ["suggest"], ["swap"], ["swap", "ask"],
    ["swap", "accept"], ["swap", "decline"], ["swap", "withdraw"], ["swap", "list"],
    ["user", "add"], ["user", "reset-factor"], ["sign-in-link"], ["feed-link"], ["record"],
    ["certificate"],
    ["certificate", "issue"], ["certificate", "withdraw"], ["fairness"], ["pledge"], ["outbox"],
    ["backup"], ["restore"], ["absence"], ["closure"], ["storm"], ["access-token"],
    ["reseal"],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command):
    result = CliRunner().invoke(cli.main, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert len(result.output.splitlines()) > 3


def test_python_dash_m_is_the_same_command():
    done = subprocess.run(
        [sys.executable, "-m", "scheduler", "--version"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.startswith("chungtay, version")


def test_the_whole_flow_of_an_operator(run, tmp_path):
    counts = answer(run("import", *EXAMPLES, "--json"))
    assert counts["teachers"]["new"] == 203
    again = answer(run("import", *EXAMPLES, "--json"))
    assert again["teachers"] == {"new": 0, "changed": 0, "unchanged": 203}
    assert run("user", "add", "ha@x.example", "--role", "coordinator").exit_code == 0
    made = answer(run("plan", "run", "--time-limit", "1", "--json"))
    (shown,) = answer(run("plan", "show", "--json"))["plans"]
    assert {name: shown[name] for name in ("id", "taught", "cost", "lower_bound", "gap")} == {
        "id": made["plan"], **{name: made[name] for name in ("taught", "cost", "lower_bound")},
        "gap": pytest.approx(made["gap"]),
    }  # fmt: skip
    assert f"gap {made['gap']:.1%}" in run("plan", "show").output
    diff = answer(run("plan", "diff", made["plan"], "--json"))
    published = answer(
        run("plan", "publish", made["plan"], "--seen", diff["fingerprint"], "--json")
    )
    assert published["added"] == diff["added"] > 1900
    outbox = answer(run("outbox", "show", "--json"))
    assert outbox["law"] is True
    assert "/sign-in/" in run("sign-in-link", "ha@x.example").output
    assert "no second factor" in run("user", "reset-factor", "ha@x.example").output
    assert run("user", "reset-factor", "nobody@x.example").exit_code == 1
    assert "/feeds/" in run("feed-link", "ha@x.example").output
    assert run("doctor").exit_code == 0
    for what in ("lessons", "workbooks", "instance"):
        assert run("export", what, "-o", tmp_path / what).exit_code == 0
    stale = run("plan", "publish", made["plan"], "--seen", "old")
    assert stale.exit_code == 1


def test_an_operator_changes_a_published_timetable_and_changes_it_back(run, monkeypatch):
    monkeypatch.setenv("CHUNGTAY_CLOCK", "2023-10-02T06:30:00+07:00")  # within its term
    answer(run("import", *EXAMPLES, "--json"))
    run("user", "add", "ha@x.example", "--role", "coordinator")
    first = answer(run("plan", "run", "--time-limit", "1", "--json"))["plan"]
    shown = answer(run("plan", "lines", first, "--json"))["lines"]
    chosen = [line["line"] for line in shown[:3]]
    assert chosen[0] in run("plan", "lines", first).output
    part = answer(run("plan", "accept", first, *chosen, "--json"))["plan"]
    for plan in (part, first):
        seen = answer(run("plan", "diff", plan, "--json"))
        run("plan", "publish", plan, "--seen", seen["fingerprint"], "--json")
        assert seen["words"].startswith(f"Fills {seen['filled']:,} gaps, changes")
    last, before = answer(run("plan", "history", "--json"))["publications"]
    assert (last["added"], before["origin"]) == (seen["added"], "accepted")
    assert f"{last['added']} added" in run("plan", "history").output
    undone = answer(run("plan", "undo", "--json"))
    assert (undone["lessons"], undone["left"], undone["broken"]) == (last["added"], [], [])
    then = answer(run("plan", "history", "--day", "2100-01-01", "--json"))["lessons"]
    lesson = next(each["lesson_id"] for each in then if each["starts_at"] > "2023-11")
    assert answer(run("pin", "add", lesson, "--note", "hẹn", "--json")) == {"pinned": [lesson]}
    assert answer(run("pin", "list", "--json"))["pins"][0]["note"] == "hẹn"
    assert "hẹn" in run("pin", "list").output
    again = run(
        "plan", "run", "--time-limit", "1", "--most-lessons", "0", "--most-teachers", "0",
        "--from", "2023-11-06", "--json",
    )  # fmt: skip
    diff = answer(run("plan", "diff", answer(again)["plan"], "--json"))
    assert (diff["changed"], diff["pinned"]) == (0, [])
    assert "At most 0 lessons of 0 teachers may change." in diff["words"]
    assert answer(run("pin", "remove", lesson, "--json")) == {"unpinned": 1}


def test_a_plan_file_is_accepted_by_the_referee(tmp_path):
    instance = referee.PROGRAMME
    output = tmp_path / "plan.json"
    result = CliRunner().invoke(
        cli.main, ["match", str(instance), "-o", str(output), "--time-limit", "1", "--json"]
    )
    told = answer(result)
    plan = json.loads(output.read_text())
    verdict = verify_plan.verify(json.loads(instance.read_text()), plan)
    assert verdict["valid"]
    assert verdict["cost"] == pytest.approx(told["cost"], abs=0.01)
    assert told["cost"] <= 94_194  # the sensible greedy
    assert {"lessons", "cost", "lower_bound", "gap", "seconds", "unfilled"} <= plan.keys()


def priced(tmp_path, prices: bytes) -> Result:
    """A small instance matched with a file of prices."""
    instance, given = tmp_path / "instance.json", tmp_path / "prices.json"
    instance.write_text(json.dumps(problem.dump(make.instance())))
    given.write_bytes(prices)
    command = ["match", instance, "-o", tmp_path / "plan.json", "--iterations", "5"]
    arguments = [*map(str, command), "--prices", str(given), "--json"]
    return CliRunner().invoke(cli.main, arguments)


def test_prices_of_a_file_are_those_the_engine_works_with(tmp_path):
    usual, dearer = priced(tmp_path, b"{}"), priced(tmp_path, b'{"load": 200.5}')
    assert answer(usual)["cost"] == 16
    assert answer(dearer)["cost"] == pytest.approx(16 * 2.005)


@pytest.mark.parametrize(
    ("prices", "what"),
    [
        (b'{"hand-over": 1}', "hand-over"),
        (b'{"load": -1}', "load"),
        (b'{"load": NaN}', "load"),
        (b'{"load": Infinity}', "load"),
        (b'{"load": "5"}', "load"),
        (b'{"load": true}', "load"),
        (b'{"load": null}', "load"),
        (b'{"load": 1' + b"0" * 400 + b"}", "load"),
        (b"[1]", "JSON"),
        (b"{", "JSON"),
    ],
)
def test_odd_prices_are_one_sentence_and_exit_1(tmp_path, prices, what):
    result = priced(tmp_path, prices)
    assert result.exit_code == 1
    assert [what in line for line in result.stderr.splitlines()] == [True, True]  # vi and en
    assert not (tmp_path / "plan.json").exists()


def match(path: Path, *more: str) -> tuple[Result, float]:
    """Match an instance file; what came of it, and after how many seconds of our own work.

    Not of the wall's clock: other work on the machine is no fault of ours.
    """
    began = time.process_time()
    output = path.with_suffix(".plan")
    arguments = ["match", str(path), "-o", str(output), "--time-limit", "0", *more]
    result = CliRunner().invoke(cli.main, arguments)
    assert output.exists() == (result.exit_code == 0)
    return result, time.process_time() - began


def assert_refused(path: Path, *sentences: str) -> None:
    """In Vietnamese and in English, soon, and with nothing else."""
    result, seconds = match(path)
    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (1, True)
    assert seconds < 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) <= 4
    for sentence in sentences:
        assert sentence in result.stderr


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"", "JSON"),
        (b" \n", "JSON"),
        (b"not json", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b'{"a":' * 100_000, "JSON"),
        (b"[" * 500 + b"]" * 500, "JSON: must be an object"),
        (b'{"version": 1}', "term"),
        (b"\xff\xfe", "JSON"),
        (b"null", "JSON: must be an object"),
        (b"true", "JSON: must be an object"),
        (b"NaN", "JSON: must be an object"),
        (b'{"gap_minutes": ' + b"9" * 5000 + b"}", "JSON"),
    ],
)
def test_a_bad_instance_file_is_one_sentence_and_exit_1(tmp_path, content, where):
    path = tmp_path / "instance.json"
    path.write_bytes(content)
    result, seconds = match(path)
    assert result.exit_code == 1
    assert where in result.stderr
    assert "Traceback" not in result.stderr
    assert seconds < 2


def spoiled(path: Path, old: str, new: str) -> Path:
    """The small instance with a piece of its text replaced."""
    whole = json.dumps(problem.dump(make.instance(current=(make.current(9),))))
    assert whole.count(old) >= 1, old
    path.write_text(whole.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1.0", "true", '"2"'])
@pytest.mark.parametrize(
    ("old", "where"),
    [
        ('"gap_minutes": 10', "gap_minutes"),
        ('"rooms": 1', "schools[0].rooms"),
        ('"max_total": 10', "teachers[0].max_total"),
        ('"weekday": 0', "teachers[0].available[0].weekday"),
        ('"rank": 0', "requests[0].slots[0].rank"),
    ],
)
def test_a_number_that_is_none_is_named(tmp_path, old, where, number):
    new = f"{old.split(':')[0]}: {number}"
    path = spoiled(tmp_path / "instance.json", old, new)
    assert_refused(path, f"{where}: must be a whole number")


@pytest.mark.parametrize("number", [-1, 10**9 + 1, 2**31, 2**32, 2**63, 10**30, 10**400])
@pytest.mark.parametrize(
    ("old", "where"),
    [
        ('"gap_minutes": 10', "gap_minutes"),
        ('"rooms": 1', "schools[0].rooms"),
        ('"max_per_day": 2', "teachers[0].max_per_day"),
        ('"max_per_week": 4', "teachers[0].max_per_week"),
        ('"max_total": 10', "teachers[0].max_total"),
        ('"lessons_per_week": 1', "requests[0].lessons_per_week"),
        ('"priority": 1', "requests[0].priority"),
        ('"rank": 0', "requests[0].slots[0].rank"),
    ],
)
def test_a_number_that_nothing_can_count_to_is_named(tmp_path, old, where, number):
    new = f"{old.split(':')[0]}: {number}"
    path = spoiled(tmp_path / "instance.json", old, new)
    assert_refused(path, f"{where}: must be at {'most' if number > 0 else 'least'}")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"07:30"', '"24:00"', "requests[0].slots[0]: must end after it starts"),
        ('"07:30"', '"24:01"', "requests[0].slots[0].start: must be a time"),
        ('"07:30"', '"7:30"', "requests[0].slots[0].start: must be a time"),
        ('"07:30"', '"٠٧:٣٠"', "requests[0].slots[0].start: must be a time"),
        ('"07:30"', "450", "requests[0].slots[0].start: must be a time"),
        ('"2023-09-11"', '"2023-02-30"', "term.first_day: must be a date"),
        ('"2023-09-11"', '"20230911"', "term.first_day: must be a date"),
        ('"2023-09-11"', '"0000-01-01"', "term.first_day: must be a date"),
        ('"2023-09-11"', '"0001-01-01"', "term: is longer than 1,024 weeks"),
        ('"2023-10-08"', '"9999-12-31"', "term: is longer than 1,024 weeks"),
        ('"2023-10-08"', '"2022-10-08"', "term: must not end before it starts"),
        ('"level": "primary"', '"level": ["primary"]', "requests[0].level: must be a text"),
        ('"school": "YB1"', '"school": "A/1"', "requests[0].school: there is no school A/1"),
        ('"pinned": false', '"pinned": "no"', "current[0].pinned: must be true or false"),
        ('"pinned": false', '"pinned": true, "teacher": "A/1"', "current[0].teacher"),
        ('"gap_minutes": 10', '"gap_minutes": 10, "teachers": []', "teachers: is there twice"),
        ('"rooms": 1', '"rooms": 1, "rooms": 2', "schools[0].rooms: is there twice"),
        ('"gap_minutes": 10', '"gap_minutes": 10, "term": {}', "term: is there twice"),
        ('"version": 1', '"version": 1, "version": 1', "version"),
        ('"teachers": [', '"teachers": [[], ', "teachers[0]: must be an object"),
        ('"levels": ["primary"]', '"levels": {"primary": 1}', "teachers[0].levels: must be a list"),
        ('"requests": [', '"requests": 5, "rest": [', "requests: must be a list"),
    ],
)
def test_a_fault_in_an_instance_is_named_at_its_place(tmp_path, old, new, sentence):
    assert_refused(spoiled(tmp_path / "instance.json", old, new), sentence)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"08:05"', '"24:00"'),
        ('"11:30"', '"24:00"'),
        ('"max_total": 10', f'"max_total": {10**9}'),
        ('"priority": 1', f'"priority": {10**9}'),
        ('"priority": 1, "slots"', '"x": [[[{"y": NaN}]]], "priority": 1, "slots"'),
        ('"name"', '"unknown": 1, "unknown": 2, "name"'),
        (
            '"unavailable": []',
            '"unavailable": [{"first_day":"0001-01-01","last_day":"0001-01-02"}]',
        ),
        (
            '"unavailable": []',
            '"unavailable": [{"first_day":"9999-12-30","last_day":"9999-12-31"}]',
        ),
        ('"holidays": []', '"holidays": ["0001-01-01", "9999-12-31"]'),
        ('"gap_minutes": 10', '"gap_minutes": 10, "freeze_before": "9999-12-31"'),
        ('"gap_minutes": 10', '"gap_minutes": 10, "freeze_before": "0001-01-01"'),
        ('"date": "2023-11-13"', '"date": "0001-01-01"'),
        ('"date": "2023-11-13"', '"date": "9999-12-31"'),
    ],
)
def test_what_is_only_odd_is_matched(tmp_path, old, new):
    path = spoiled(tmp_path / "instance.json", old, new)
    result, _ = match(path)
    assert result.exit_code == 0, result.output
    plan = json.loads(path.with_suffix(".plan").read_text())
    verdict = verify_plan.verify(json.loads(path.read_text()), plan)
    assert verdict["valid"]
    assert verdict["cost"] == pytest.approx(plan["cost"], abs=0.001)


@pytest.mark.parametrize(
    ("first", "last"), [("0001-01-01", "0001-02-04"), ("9999-12-01", "9999-12-30")]
)
def test_a_term_at_either_end_of_time_is_matched(tmp_path, first, last):
    path = tmp_path / "instance.json"
    whole = json.dumps(problem.dump(make.instance()))
    path.write_text(whole.replace("2023-09-11", first).replace("2023-10-08", last))
    result, _ = match(path)
    assert result.exit_code == 0, result.output
    verdict = verify_plan.verify(
        json.loads(path.read_text()), json.loads(path.with_suffix(".plan").read_text())
    )
    assert (verdict["valid"], verdict["taught"]) == (True, verdict["requested"])


def test_a_mark_of_the_byte_order_is_no_fault(tmp_path):
    path = tmp_path / "instance.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(problem.dump(make.instance())).encode())
    assert match(path)[0].exit_code == 0


def test_a_large_file_that_is_cut_short_is_refused_at_once(tmp_path):
    whole = json.dumps(problem.dump(make.instance()))
    teacher = json.dumps(problem.dump(make.instance())["teachers"][0])
    path = tmp_path / "instance.json"
    count = 100_000_000 // len(teacher)
    path.write_text(whole.split(teacher)[0] + f"{teacher}, " * count + teacher[:-20])
    assert_refused(path, "This is no JSON file: it ends in the middle.")


def test_many_teachers_of_one_name_are_one_fault_and_soon_told(tmp_path):
    whole = json.dumps(problem.dump(make.instance()))
    teacher = json.dumps(problem.dump(make.instance())["teachers"][0])
    path = tmp_path / "instance.json"
    path.write_text(whole.replace(teacher, f"{teacher}, " * 20_000 + teacher))
    assert_refused(path, "teachers[1].id: lan is there twice")


def test_a_file_that_is_no_workbook_is_refused_in_both_languages(run, tmp_path):
    path = tmp_path / "danh-sach.xlsx"
    path.write_bytes(b"this is text")
    result = run("import", path)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert any("danh-sach.xlsx" in line and "workbook" in line for line in lines)
    assert any("danh-sach.xlsx" in line and "Excel" in line for line in lines)


def test_a_backup_restores_the_whole_state_and_pauses_sending(run, tmp_path, postgresql_programs):
    answer(run("import", *EXAMPLES, "--json"))
    run("user", "add", "ha@x.example", "--role", "coordinator")
    done = run("backup", tmp_path / "state.backup")
    assert done.exit_code == 0, done.output
    run("user", "add", "later@x.example", "--role", "coordinator")
    assert run("sign-in-link", "later@x.example").exit_code == 0
    restored = run("restore", tmp_path / "state.backup")
    assert restored.exit_code == 0, restored.output
    assert run("sign-in-link", "later@x.example").exit_code == 1
    assert run("sign-in-link", "ha@x.example").exit_code == 0
    assert answer(run("outbox", "show", "--json"))["paused"] is True


def test_journals_of_other_machines_are_replayed(run, tmp_path):
    path = tmp_path / "other.log"
    path.write_text("nobody\t2023-10-01T23:30:00+00:00\n")
    assert run("migrate").exit_code == 0
    assert answer(run("outbox", "replay", path, "--json")) == {"replayed": 0}
    assert run("outbox", "replay").exit_code == 2
    assert run("outbox", "show", path).exit_code == 2
    assert run("outbox", "replay", tmp_path / "nowhere.log").exit_code == 1


def test_a_damaged_backup_changes_nothing(run, tmp_path):
    answer(run("import", *EXAMPLES, "--json"))
    bad = tmp_path / "bad.backup"
    bad.write_bytes(b"nothing of ours")
    assert run("restore", bad).exit_code == 1
    assert answer(run("import", *EXAMPLES, "--json"))["teachers"]["unchanged"] == 203


@pytest.fixture
def run_embedded(run, monkeypatch, tmp_path):
    """`run` on an embedded database, whose backups are files of the same kind."""
    monkeypatch.setenv("CHUNGTAY_DATABASE_URL", "")
    return run


def _database(path, *statements):
    with closing(sqlite3.connect(path)) as made:
        for statement in statements:
            made.execute(statement)
        made.commit()


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (["CREATE TABLE photos (id INTEGER)"], "no backup"),
        (["CREATE TABLE alembic_version (version_num TEXT)"], "no backup"),
        (
            [
                "CREATE TABLE alembic_version (version_num TEXT)",
                "INSERT INTO alembic_version VALUES ('9999')",
            ],
            "newer version (9999)",
        ),
    ],
)
def test_a_database_of_something_else_is_no_backup(run_embedded, tmp_path, statements, told):
    answer(run_embedded("import", *EXAMPLES, "--json"))
    other = tmp_path / "other.db"
    _database(other, *statements)
    refused = run_embedded("restore", other)
    assert (refused.exit_code, told in refused.stderr) == (1, True)
    again = answer(run_embedded("import", *EXAMPLES, "--json"))
    assert again["teachers"]["unchanged"] == 203


def test_a_backup_cut_short_changes_nothing(run_embedded, tmp_path):
    answer(run_embedded("import", *EXAMPLES, "--json"))
    assert run_embedded("backup", tmp_path / "whole").exit_code == 0
    (tmp_path / "cut").write_bytes((tmp_path / "whole").read_bytes()[:5000])
    refused = run_embedded("restore", tmp_path / "cut")
    assert (refused.exit_code, "damaged" in refused.stderr) == (1, True)
    again = answer(run_embedded("import", *EXAMPLES, "--json"))
    assert again["teachers"]["unchanged"] == 203


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIMEZONE", "Asia/Hanoi"),
        ("SMTP_URL", "mail.truong.example"),
        ("MAIL_FROM", "Chung Tay"),
        ("BASE_URL", ""),
        ("BASE_URL", "chungtay.example"),
        ("BASE_URL", "https://chungtay.example/tay"),
        ("DATABASE_URL", "mysql://x"),
        ("DATABASE_URL", "chungtay.db"),
        ("TICK_SECONDS", "inf"),
        ("INTERNAL_HOSTS", "https://calendar.school.internal/"),
        ("INTERNAL_HOSTS", "calendar.school.internal, *.school.internal"),
        ("SMS_URL", "gateway.example"),
        ("SMS_URL", "http://gateway.example/sms"),
        ("ZALO_URL", "https://me:pw@gateway.example/"),
    ],
)
def test_a_wrong_setting_is_one_sentence(run, monkeypatch, name, value):
    monkeypatch.setenv(f"CHUNGTAY_{name}", value)
    result = run("doctor")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"CHUNGTAY_{name}: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["SMS", "ZALO"])
def test_a_gateway_without_a_long_secret_is_refused(run, monkeypatch, name):
    monkeypatch.setenv(f"CHUNGTAY_{name}_URL", "http://127.0.0.1:8080/send")
    for secret in ("", "x" * 31):
        monkeypatch.setenv(f"CHUNGTAY_{name}_SECRET", secret)
        result = run("doctor")
        assert result.exit_code == 1
        assert result.stderr.startswith(f"CHUNGTAY_{name}_SECRET: ")
    monkeypatch.setenv(f"CHUNGTAY_{name}_SECRET", "x" * 32)
    findings = json.loads(run("doctor", "--json").stdout)["findings"]
    assert {"subject": name.lower(), "verdict": "good"}.items() <= next(
        each.items() for each in findings if each["subject"] == name.lower()
    )


def test_a_slash_at_the_end_of_the_address_is_no_part_of_links(run, monkeypatch):
    monkeypatch.setenv("CHUNGTAY_BASE_URL", "https://chungtay.example/")
    answer(run("import", *EXAMPLES, "--json"))
    run("user", "add", "ha@x.example", "--role", "coordinator")
    link = run("sign-in-link", "ha@x.example").output
    assert link.startswith("https://chungtay.example/sign-in/")


@pytest.mark.parametrize(
    "command",
    [
        ["plan", "run"], ["plan", "show"], ["plan", "diff", "1"], ["sign-in-link", "ha@x.example"],
        ["plan", "publish", "1", "--seen", "x"], ["feed-link", "ha@x.example"], ["outbox", "show"],
        ["export", "lessons", "-o", "x.xlsx"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_command_before_the_first_import_says_what_to_do(run, monkeypatch, tmp_path, command):
    monkeypatch.setenv("CHUNGTAY_DATABASE_URL", f"sqlite:///{tmp_path / 'fresh.db'}")
    result = run(*command)
    assert result.exit_code == 1
    assert "chungtay migrate" in result.stderr


@pytest.mark.parametrize("command", [["plan", "show"], ["migrate"], ["import", *EXAMPLES]])
def test_a_database_that_does_not_answer_is_one_sentence(run, monkeypatch, command):
    monkeypatch.setenv("CHUNGTAY_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    result = run(*command)
    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (1, True)
    assert "does not answer" in result.stderr


def test_the_doctor_tells_of_a_database_that_does_not_answer(run, monkeypatch):
    monkeypatch.setenv("CHUNGTAY_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    result = run("doctor", "--json")
    assert result.exit_code == 1
    verdicts = {each["subject"]: each["verdict"] for each in json.loads(result.stdout)["findings"]}
    assert verdicts["database"] == "bad"
    assert len(verdicts) == 10


def test_the_doctor_tells_of_an_engine_that_was_not_built(tmp_path):
    unbuilt = shutil.ignore_patterns("_kernel*", "__pycache__")
    for part in ("scheduler", "alembic"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=unbuilt)
    done = subprocess.run(
        [sys.executable, "-m", "scheduler", "doctor", "--json"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "CHUNGTAY_LOCALE": "en"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    found = {each["subject"]: each for each in json.loads(done.stdout)["findings"]}
    assert found["engine"] == {
        "subject": "engine",
        "verdict": "bad",
        "sentence": "The matching engine has not been built on this machine. "
        "Run `make setup` in the checkout, or install the wheel again; "
        "building needs a C compiler or the Python package ziglang.",
    }


@pytest.mark.parametrize("command", [["match", "--time-limit"], ["plan", "run", "--time-limit"]])
@pytest.mark.parametrize("seconds", ["nan", "inf", "-1"])
def test_a_search_without_an_end_is_refused(run, command, seconds):
    more = [str(referee.PROGRAMME), "-o", "plan.json"] if command[0] == "match" else []
    result = run(*command, seconds, *more)
    assert result.exit_code == 2
    assert "--time-limit" in result.stderr


@pytest.mark.parametrize("command", ["demo", "serve"])
def test_a_port_that_cannot_be_is_refused(run, command):
    result = run(command, "--port", "80000")
    assert (result.exit_code, "--port" in result.stderr) == (2, True)


def test_a_place_that_cannot_be_written_is_one_sentence(run, tmp_path):
    result = run("match", referee.PROGRAMME, "-o", tmp_path, "--iterations", "1")
    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (1, True)
    assert str(tmp_path) in result.stderr


def test_signs_that_no_file_can_hold_are_refused(tmp_path):
    instance = json.loads(referee.PROGRAMME.read_text())
    instance["name"] = "\ud800"
    path = tmp_path / "instance.json"
    path.write_text(json.dumps(instance))
    result = CliRunner().invoke(cli.main, ["match", str(path), "-o", str(tmp_path / "plan.json")])
    assert (result.exit_code, "name" in result.stderr) == (1, True)
    assert not (tmp_path / "plan.json").exists()


def test_a_school_contact_needs_the_code_of_the_school(run):
    answer(run("import", *EXAMPLES, "--json"))
    result = run("user", "add", "hue@x.example", "--role", "school")
    assert (result.exit_code, "--school" in result.stderr) == (1, True)


@pytest.mark.parametrize("executor", ["processes", "threads"])
def test_two_workers_search_one_plan_and_find_the_same_one_again(tmp_path, executor):
    output = tmp_path / "plan.json"
    moves = ["--iterations", "4000", "--seed", "7", "--executor", executor]

    def cost(*more: str) -> float:
        command = ["match", str(referee.PROGRAMME), "-o", str(output), "--json", *moves, *more]
        return float(answer(CliRunner().invoke(cli.main, command))["cost"])

    first = cost("--workers", "2")
    instance = problem.parse(referee.programme_json())
    assert referee.judge(instance, plans.parse(json.loads(output.read_text())))["valid"]
    assert first == cost("--workers", "2")
    assert first != cost()


def test_an_executor_that_is_none_is_one_sentence(tmp_path):
    command = ["match", str(referee.PROGRAMME), "-o", str(tmp_path / "plan.json")]
    for where in ("cloud", "dask://127.0.0.1:1"):
        result = CliRunner().invoke(cli.main, [*command, "--executor", where])
        assert result.exit_code == 1
        assert where.removeprefix("dask://") in result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "chungtay.example", ""])
def test_without_https_nobody_but_this_machine_is_listened_to(tmp_path, monkeypatch, host):
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(cli.main, ["serve", "--host", host])
    assert refused.exit_code == 1
    assert "Set CHUNGTAY_BASE_URL to the https address of your proxy" in refused.output
    assert not (tmp_path / "var" / "chungtay.db").exists()


@pytest.mark.parametrize(
    ("host", "base_url", "loud"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000", True),
        ("::1", "http://127.0.0.1:8000", True),
        ("localhost", "http://127.0.0.1:8000", True),
        ("0.0.0.0", "https://chungtay.example", False),
    ],
)
def test_what_is_served_where_is_said_aloud(tmp_path, monkeypatch, caplog, host, base_url, loud):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHUNGTAY_BASE_URL", base_url)
    started = []
    monkeypatch.setattr("uvicorn.run", lambda _app, **how: started.append(how))
    monkeypatch.setattr("scheduler.logs.set_up", lambda _form: None)  # it would take the log away
    assert CliRunner().invoke(cli.main, ["serve", "--host", host]).exit_code == 0
    assert [(how["host"], how["proxy_headers"], how["server_header"]) for how in started] == [
        (host, False, False)
    ]
    assert ("PLAIN HTTP" in caplog.text) is loud
