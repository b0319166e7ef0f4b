"""The benchmark's own parts: a greedy plan that is right, and a table that can be printed."""

import json
from pathlib import Path

import pytest

from bench import engine, greedy, load
from bench.engine_rows import Costs, cost_row, taught_row
from bench.instances import Floor, Prototype
from bench.rows import table
from scheduler.matching import problem, replan, verify
from scheduler.matching.plan import Plan
from scheduler.matching.problem import Instance
from tests.matching import make


def violations(instance: Instance, plan: Plan) -> tuple[verify.Violation, ...]:
    return verify.verify(instance, plan).violations


def test_greedy_plan_keeps_every_hard_rule() -> None:
    for seed in range(120):
        instance = make.by_chance(seed)
        if not violations(instance, Plan(tuple(replan.standing_lessons(instance)))):
            assert violations(instance, greedy.plan(instance)) == (), seed


def test_greedy_plan_teaches_all_of_an_easy_instance() -> None:
    instance = make.instance()
    verdict = verify.verify(instance, greedy.plan(instance))
    assert (verdict.taught, verdict.requested) == (4, 4)


def test_table_has_a_row_for_each_figure(tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(problem.dump(make.instance())))
    run = engine.searched(str(path), iterations=100, crew="one")
    floor = Floor(cost=20, taught=4, requested=4, moves_per_second=5000, megabytes=30)
    both = Costs("small", "s", [run], [floor], "")
    alone = Costs("small again", "again", [run, run], [], Prototype(tmp_path, tmp_path).absent)
    rows = [
        cost_row(both, 16, greedy="17 (4 taught)", bound=15),
        cost_row(alone, 15),
        taught_row(both, all_of_them=True),
        cost_row(alone, None),
    ]
    assert table(rows) == (
        "| what | found | goal | met | beside |\n"
        "|---|---|---|---|---|\n"
        "| small: cost | 16 | ≤ 16 | yes | "
        "prototype: 20; greedy: 17 (4 taught); proved bound: 15 |\n"
        "| small again: cost | 16 (16 – 16) | ≤ 15 | **no** | prototype: not there |\n"
        "| small: taught | 4 / 4 | all | yes | prototype: 4 |\n"
        "| small again: cost | 16 (16 – 16) | – |  | prototype: not there |\n"
    )


def test_engine_in_a_process_of_its_own_answers_as_this_one(tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(problem.dump(make.instance())))
    asked = {"path": str(path), "iterations": 50, "crew": "threads"}
    there = engine.Run(**engine.ask("searched", **asked))
    assert there.digest == engine.searched(**asked).digest
    assert 0 < there.read_megabytes <= there.megabytes


def test_a_server_is_asked_and_what_it_spends_is_seen(tmp_path: Path) -> None:
    (tmp_path / "body.gz").write_bytes(b"x" * 300_000)
    asked = [load.request("/feeds/a/b.ics", {"accept-encoding": "gzip"})]
    with load.serving("bare 200", tmp_path, {}) as server:
        assert server.cost(asked, 20, 200) > 0
        assert len(server.delays(asked, 3, 0, 200)) == 3
        with pytest.raises(RuntimeError, match="200 OK"):
            server.cost(asked, 1, 304)
    assert server.process.poll() is not None
