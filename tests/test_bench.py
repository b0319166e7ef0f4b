"""The benchmark's own parts: a greedy plan that is right, and a table that can be printed."""

from bench import greedy
from scheduler.matching import replan, verify
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
