"""Records, certificates, fairness and pledges as an operator types them."""

import json

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from scheduler import cli
from tests import outcomes
from tests.paper import need_pango


@pytest.fixture
def run(ctx, cast, settings, monkeypatch, tmp_path, clock):
    """Calls a command against the cast, whose first two lessons were held."""
    (a, b, *_), _ = outcomes.autumn(ctx, cast)
    outcomes.hold(ctx, a, b)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHUNGTAY_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("CHUNGTAY_VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("CHUNGTAY_CLOCK", "2023-12-01T08:00:00+07:00")
    return lambda *words: CliRunner().invoke(cli.main, [str(word) for word in words])


def told(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_an_operator_reads_and_writes_records(run, tmp_path):
    whole = told(run("record", "--json"))
    assert (whole["lessons"]["given"], whole["minutes_given"]) == (2, 90)
    assert whole["lessons"]["unreported"] == 9
    one = told(run("record", "teacher1@x.example", "--from", "2023-10-05", "--json"))
    assert (one["teacher"], one["lessons"]["given"]) == ("Cô teacher1", 1)
    assert run("record", "-o", tmp_path / "all.xlsx").exit_code == 0
    assert load_workbook(tmp_path / "all.xlsx").sheetnames[0] == "Tháng"
    assert run("record", "-o", tmp_path / "all.csv").exit_code == 0
    assert (tmp_path / "all.csv").read_text("utf-8-sig").startswith("Tháng,")
    refused = run("record", "-o", tmp_path / "all.doc")
    assert refused.exit_code == 1
    assert ".pdf, .xlsx or .csv" in refused.output
    assert not (tmp_path / "all.doc").exists()
    assert run("record", "nobody@x.example").exit_code == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_operator_issues_and_withdraws_certificates(run, tmp_path):
    need_pango()
    (made,) = told(run("certificate", "issue", "--all", "-o", tmp_path / "out", "--json"))[
        "certificates"
    ]
    paper = (tmp_path / "out" / f"{made['code']}.pdf").read_bytes()
    again = told(run("certificate", "issue", "teacher1@x.example", "-o", tmp_path / "2", "--json"))
    assert again["certificates"] == [made]
    assert (tmp_path / "2" / f"{made['code']}.pdf").read_bytes() == paper
    assert told(run("certificate", "withdraw", made["code"], "--json"))["withdrawn"] is True
    assert run("certificate", "issue", "-o", tmp_path / "3").exit_code == 1


def test_an_operator_sees_how_fairly_work_is_spread(run):
    assert told(run("pledge", "THCS Ái Mộ", 26, "--json"))["lessons"] == 26
    found = told(run("fairness", "--weeks", 13, "--until", "2023-12-31", "--json"))
    assert found["donor_schools"]["shares"][0]["due"] == 26
    assert [share["name"] for share in found["teachers"]["shares"]] == [
        "Cô teacher2", "Cô teacher1",
    ]  # fmt: skip
    plain = run("fairness")
    assert "teachers: median" in plain.output
