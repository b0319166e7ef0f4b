"""A whole storm day on the example programme, by commands alone: the README's second example."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from scheduler import cli

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.xlsx"))
WEDNESDAY = "2023-10-11"


@pytest.fixture
def call(tmp_path, monkeypatch, database_url):
    """A command on Monday 9 October 2023, in English."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHUNGTAY_DATABASE_URL", database_url)
    monkeypatch.setenv("CHUNGTAY_VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("CHUNGTAY_LOCALE", "en")
    monkeypatch.setenv("CHUNGTAY_CLOCK", "2023-10-09T06:30:00+07:00")

    def invoke(*words: object) -> str:
        result = CliRunner().invoke(cli.main, [str(word) for word in words])
        assert result.exit_code == 0, result.output
        return result.stdout

    return invoke


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_storm_day_is_met_by_four_commands(call):
    call("import", *EXAMPLES)
    call("user", "add", "ha@x.example", "--role", "coordinator")
    made = json.loads(call("plan", "run", "--time-limit", 1, "--json"))["plan"]
    seen = json.loads(call("plan", "diff", made, "--json"))["fingerprint"]
    call("plan", "publish", made, "--seen", seen)

    storm = ("storm", "--from", WEDNESDAY, "--all", "--reason", "Storm no. 4")
    looked = json.loads(call(*storm, "--json"))
    hit = len(looked["lessons"])
    assert 30 <= hit <= 70
    assert looked["move"] + looked["call_off"] == hit
    assert looked["move"] > hit / 2
    assert call(*storm).splitlines()[-1] == f"--apply --seen {looked['fingerprint']}"

    done = json.loads(call(*storm, "--apply", "--seen", looked["fingerprint"], "--json"))
    assert done["lessons"] == looked["lessons"]
    assert "No lesson is concerned." in call(*storm)
    outbox = json.loads(call("outbox", "show", "--json"))
    assert outbox["law"] is True

    # Whoever was promised a lesson on Thursday can be ill as well.
    moved = next(x for x in done["lessons"] if x["way"] == "move")
    instance = Path("instance.json")
    call("export", "instance", "-o", instance)
    told = json.loads(instance.read_text())
    email = next(x["id"] for x in told["teachers"] if x["name"] == moved["new_teacher"])
    ill = ("absence", email, "--from", moved["new_day"], "--reason", "Ill")
    found = json.loads(call(*ill, "--json"))
    assert moved["lesson"] in [x["lesson"] for x in found["lessons"]]
    done = json.loads(call(*ill, "--apply", "--seen", found["fingerprint"], "--json"))
    assert json.loads(call(*ill, "--json"))["lessons"] == []
    assert "Taken back" in call(*ill, "--withdraw")

    assert any(x["pinned"] for x in told["current"])
    assert all(x["date"] != WEDNESDAY for x in told["current"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["storm", "--from", WEDNESDAY, "--reason", "x"], "Say where"),
        (["closure", "A", "--from", WEDNESDAY, "--reason", "x", "--apply"], "look first"),
        (["absence", "a@x.example", "--from", WEDNESDAY, "--choose", "1=away"], "leave, cover"),
    ],
)
def test_what_cannot_be_typed_is_said_in_a_sentence(words, said):
    result = CliRunner().invoke(cli.main, words)
    assert result.exit_code == 2
    assert said in result.output
