"""The record, retention, copies and breaches as an operator types them."""

import json

import pytest
from click.testing import CliRunner

from scheduler import cli
from scheduler.services import audits
from scheduler.store import audits as rows


@pytest.fixture
def run(ctx, cast, settings, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHUNGTAY_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("CHUNGTAY_VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("CHUNGTAY_SECRET_KEY", ctx.key.decode())
    monkeypatch.setenv("CHUNGTAY_CLOCK", "2023-10-02T06:30:00+07:00")
    return lambda *words: CliRunner().invoke(cli.main, [str(word) for word in words])


def test_an_operator_verifies_and_reads_the_record(ctx, cast, run):
    with ctx.transaction() as db:
        rows.record(db, ctx.now(), None, "import", "programme", cast["programme"], reason="a.xlsx")
    audits.seal(ctx)
    told = json.loads(run("audit", "verify", "--json").stdout)
    assert (told["lines"], told["broken"]) == (1, None)
    assert run("audit", "verify", "--head", told["head"]).exit_code == 0
    refused = run("audit", "verify", "--head", "0" * 64, "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["broken"]["fault"]) == (1, "no_head")
    [line] = json.loads(run("audit", "show", "--words", "A.XLSX", "--json").stdout)["lines"]
    assert (line["action"], line["by"]) == ("import", "")
    assert "Nhập bảng tính" in run("audit", "show").output


def test_an_operator_clears_exports_and_lists(run, tmp_path):
    counted = json.loads(run("retention", "--dry-run", "--json").stdout)
    assert counted["counts"]["sessions"] == 0
    assert run("retention").exit_code == 0
    assert run("user", "export", "teacher1@x.example", "-o", tmp_path / "a.json").exit_code == 0
    kept = json.loads((tmp_path / "a.json").read_text())["kept"]
    assert kept["persons"][0]["email"] == "teacher1@x.example"
    span = ("--since", "2023-10-01", "--until", "2023-10-02T06:00")
    assert run("breach", *span, "--programme", "P", "-o", tmp_path / "b.csv").exit_code == 0
    assert len((tmp_path / "b.csv").read_text("utf-8-sig").splitlines()) == 6
    assert run("user", "erase", "teacher2@x.example", "--yes").exit_code == 0
    assert run("user", "erase", "nobody@x.example", "--yes").exit_code == 1
