"""Each figure that a document promises has a line of the bench, and docs/benchmarks.md shows it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import kept, matching, parts, promises, report, rows
from bench.kept import Machine, Result
from bench.promises import PROMISES, Promise
from bench.rows import Row

HERE = Machine(2, "3.11.2", "A processor")
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
README = Path(__file__).parents[1] / "README.md"


def result(part: str = "mail", *found: Row, **more: object) -> Result:
    usual = Result(part, f"python -m bench.{part}", AT, 12.5, 0.4, 0.1, HERE, found)
    return replace(usual, **more)


def test_each_promise_names_a_part_that_there_is_and_is_written_once() -> None:
    names = {part.name for part in parts.PARTS}
    assert [each for each in PROMISES if each.part not in names] == []
    answers = [each.answer for each in PROMISES]
    assert sorted(set(answers)) == sorted(answers)


def test_each_part_of_the_engines_bench_can_be_run_alone() -> None:
    prefix = "matching."
    found = [p.name.removeprefix(prefix) for p in parts.PARTS if p.name.startswith(prefix)]
    assert sorted(found) == sorted(matching.PARTS)


def test_each_figure_of_the_readme_has_a_line_of_the_bench() -> None:
    measured = README.read_text().partition("## Measured")[2].partition("\n## ")[0]
    lines = [line.split("|")[1].strip() for line in measured.splitlines() if line.startswith("| ")]
    quoted = {each.readme for each in PROMISES if each.readme}
    assert set(lines) - {"what"} == quoted


def test_benchmarks_show_each_promise_with_what_was_found() -> None:
    page = report.PAGE.read_text()
    table = page.partition("## What was promised")[2].partition("## Everything")[0]
    said = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    assert [each for each in said if each != "promise"] == [each.words for each in _in_order()]
    assert report.BROKEN not in table


def _in_order() -> list[Promise]:
    sources = list(dict.fromkeys(each.source for each in PROMISES))
    return sorted(PROMISES, key=lambda each: sources.index(each.source))


def test_what_a_part_found_is_kept_as_it_was(tmp_path: Path) -> None:
    found = result("mail", Row("a | b", "1 ms", "≤ 2 ms", True, (("peer", "3 ms"),), "key", 0.5))
    kept.write(found, tmp_path)
    kept.write(result("feeds", fault="it ended with 1"), tmp_path)
    assert kept.everything(tmp_path) == {
        "mail": found,
        "feeds": result("feeds", fault="it ended with 1"),
    }


def test_only_one_machine_and_one_day_go_together() -> None:
    elsewhere = result("pages", machine=replace(HERE, cores=64))
    earlier = result("desk", began=AT - timedelta(hours=23))
    before = result("feeds", began=AT - timedelta(days=2))
    found = kept.together([result(), elsewhere, earlier, before], HERE)
    assert sorted(found) == ["desk", "mail"]


def test_a_promise_is_answered_by_the_worst_of_its_rows() -> None:
    asked = Promise("mail/weight", promises.SPEED, "each mail: at most 5 kB")
    some = [rows.at_most(f"mail {n}", n, 5, "kB", key="weight") for n in (3, 7, 4)]
    row, when = report.answer(asked, {"mail": result("mail", *some, Row("else", "1"))})
    assert (row.what, row.found, row.met, when) == (
        "mail 7 (the worst; 2 of 3 meet it)", "7.0 kB", False, "2026-03-02 09:30",
    )  # fmt: skip


def test_what_was_not_measured_says_so_and_a_part_without_its_figure_has_broken_it() -> None:
    asked = Promise("mail/weight", promises.SPEED, "each mail: at most 5 kB")
    row, when = report.answer(asked, {})
    assert (row.found, row.met, when) == (report.UNMEASURED, None, rows.NONE)
    row, _ = report.answer(asked, {"mail": result("mail", fault="it ended with 1")})
    assert (row.found, row.met) == (f"{report.BROKEN}; it ended with 1", False)


def test_the_page_names_the_machine_by_what_counts_and_by_nothing_else() -> None:
    page = report.page({"mail": result("mail", Row("a mail", "0.4 ms", "≤ 0.6 ms", True))})
    assert (
        "Measured 2026-03-02 09:30 to 2026-03-02 09:30 on 2 cores, Python 3.11.2, A processor, "
        "shared with others: ten million additions in a loop took it 0.40 to 0.40 s."
    ) in page
    assert "| a mail | 0.4 ms | ≤ 0.6 ms | yes |  |\n" in page
    assert "`python -m bench.mail`, 2026-03-02 09:30, 12 s; loop 0.40 s, load 0.1" in page


def test_a_part_says_its_rows_to_people_and_to_the_whole_bench(capsys) -> None:
    some = [rows.at_most("a", 3, 2, "ms", key="k"), Row("b | c", "1", beside=rows.peer("x", "2"))]
    assert rows.say(some, as_json=False) == 1
    assert capsys.readouterr().out == (
        "| what | found | goal | met | beside |\n|---|---|---|---|---|\n"
        "| a | 3.0 ms | ≤ 2 ms | **no** |  |\n| b \\| c | 1 | – |  | x: 2 |\n"
    )
    assert rows.say(some, as_json=True) == 0
    told = capsys.readouterr().out.splitlines()
    assert [rows.read(json.loads(line)) for line in told] == some


def test_a_name_stands_for_all_its_parts() -> None:
    assert [part.name for part in parts.chosen(["outbox", "mail"])] == [
        "mail", "outbox.ratio", "outbox.storm", "outbox.flood",
    ]  # fmt: skip
    assert parts.chosen([]) == list(parts.PARTS)
