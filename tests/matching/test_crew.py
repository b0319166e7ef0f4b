"""Searches side by side: the same plan on any executor, and a plan whatever happens to workers."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from dataclasses import replace
from datetime import timedelta
from multiprocessing import get_context
from random import Random
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.matching import problem, replan
from scheduler.matching.annealing import LARGE_FROM
from scheduler.matching.crew import Work, elsewhere
from scheduler.matching.plan import Plan
from scheduler.matching.problem import Instance, School, Slot, Span, Window
from scheduler.matching.replan import Budget
from tests.effort import examples

from . import make, referee

TIMES = range(450, 640, 45)


@pytest.fixture(scope="module")
def programme() -> Instance:
    return problem.parse(referee.programme_json())


@pytest.fixture(scope="module")
def crowd() -> Instance:
    """So many requests that candidates are sampled."""
    rng, days = Random(1), range(5)
    schools = tuple(School(f"s{n}", 2) for n in range(20))
    teachers = tuple(
        make.teacher(
            f"t{n}",
            max_per_week=8,
            max_total=rng.randint(16, 40),
            available=tuple(Window(day, 420, 690) for day in rng.sample(days, 4)),
        )
        for n in range(120)
    )
    requests = tuple(
        make.request(
            f"r{n}",
            school=schools[n % 20].id,
            slots=tuple(Slot(day, at, at + 40) for day in days for at in rng.sample(TIMES, 2)),
        )
        for n in range(LARGE_FROM)
    )
    return make.instance(schools=schools, teachers=teachers, requests=requests)


class Newcomers(Executor):
    """Each share goes to a worker who has never heard of anything."""

    def submit(self, fn: Callable[..., object], /, *args: object) -> Future[object]:  # type: ignore[override]
        future: Future[object] = Future()
        worker = threading.Thread(target=lambda: future.set_result(fn(*args)))
        worker.start()
        worker.join()
        return future


class Failing(Executor):
    """Works well for a while, then no more."""

    def __init__(self, shares: int, error: Exception, at_once: bool) -> None:
        self.left, self.error, self.at_once = shares, error, at_once

    def submit(self, fn: Callable[..., object], /, *args: object) -> Future[object]:  # type: ignore[override]
        future: Future[object] = Future()
        self.left -= 1
        if self.left >= 0:
            future.set_result(fn(*args))
        elif self.at_once:
            raise self.error
        else:
            future.set_exception(self.error)
        return future


class Idle(Executor):
    """Takes every share and never begins one."""

    def submit(self, fn: Callable[..., object], /, *args: object) -> Future[object]:  # type: ignore[override]
        return Future()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def helped(instance: Instance, executor: Executor, **changes: object) -> Plan:
    plain = {"iterations": 400, "seed": 3, "others": 1}
    return make.solve(instance, executor=executor, **plain | changes).plan


@pytest.mark.parametrize("size", ["programme", "crowd"])
def test_a_seed_gives_the_same_plan_on_any_executor(request, size):
    instance = request.getfixturevalue(size)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(3) as three:
        plan = helped(instance, one)
        assert helped(instance, one) == plan
        assert helped(instance, three) == plan
    assert helped(instance, Newcomers()) == plan
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        assert helped(instance, processes) == plan
    assert referee.judge(instance, plan)["valid"]


def test_help_that_is_not_asked_for_changes_nothing(programme, threads):
    alone = make.solve(programme, iterations=100).plan
    assert helped(programme, threads, iterations=100, others=0, seed=1) == alone
    assert make.solve(programme, iterations=100, others=5).plan == alone


@settings(max_examples=examples(40))
@given(seed=st.integers(0, 2**32))
def test_help_gives_valid_plans_of_every_kind(seed):
    instance = make.agreeing(make.by_chance(seed))
    with ThreadPoolExecutor(2) as pool:
        solution = make.solve(instance, iterations=200, seed=seed, others=2, executor=pool)
    verdict = referee.judge(instance, solution.plan)
    assert verdict["valid"]
    assert verdict["cost"] == solution.cost
    assert solution.iterations == (200 if instance.requests else 0)


def test_help_in_a_crowd_gives_valid_plans_with_lessons_that_stay(crowd, threads):
    first = make.solve(crowd, iterations=200)
    current = replan.with_plan(crowd, first.plan).current
    rng = Random(2)
    pinned = tuple(replace(x, pinned=rng.random() < 0.3) for x in current)
    instance = replace(crowd, current=pinned, freeze_before=make.MONDAY + timedelta(days=9))
    solution = make.solve(instance, iterations=300, others=1, executor=threads)
    verdict = referee.judge(instance, solution.plan)
    assert verdict["valid"]
    assert verdict["cost"] == pytest.approx(solution.cost, abs=0.01)


@pytest.mark.parametrize("size", ["small", "crowd"])
def test_the_budget_of_changes_binds_those_who_help(request, size, threads):
    instance = crowded() if size == "small" else request.getfixturevalue(size)
    away = Span(make.MONDAY + timedelta(days=14), make.MONDAY + timedelta(days=20))
    current = make.solve(instance, iterations=100).plan
    teachers = (replace(instance.teachers[0], unavailable=(away,)), *instance.teachers[1:])
    after = replan.with_plan(replace(instance, teachers=teachers), current)
    lost = {x for x in current.lessons if x.teacher == teachers[0].id and away.holds(x.day)}
    assert lost
    for lessons in 0, 2:
        plan = helped(after, threads, iterations=1000, budget=Budget(lessons=lessons))
        stays = set(current.lessons) - lost
        assert len(stays - set(plan.lessons)) <= lessons


def crowded() -> Instance:
    """A small instance in which a search would rather change much."""
    teachers = tuple(make.teacher(name, max_total=9) for name in ("lan", "mai", "hoa", "cuc"))
    times = (Slot(0, 450, 485), Slot(0, 500, 535, rank=2), Slot(0, 550, 585, rank=1))
    requests = tuple(make.request(f"A/{n}", slots=times) for n in range(6))
    return make.instance(teachers=teachers, requests=requests, schools=(School("YB1", 4),))


def test_what_a_worker_knows_is_of_one_instance_alone(threads):
    close = make.instance(
        teachers=(make.teacher(max_total=99, max_per_day=9, max_per_week=9),),
        requests=tuple(
            make.request(f"A/{n}", slots=(Slot(0, 450 + 40 * n, 485 + 40 * n),)) for n in range(4)
        ),
        gap_minutes=0,
    )
    assert make.solve(close, iterations=100, others=1, executor=threads).taught == 16
    apart = replace(close, gap_minutes=30)
    assert make.solve(apart, iterations=100, others=1, executor=threads).taught == 8


def test_a_worker_says_when_it_does_not_know_the_work():
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(elsewhere, "unknown", None, None, monotonic).result() is None  # type: ignore[arg-type]
    assert Work._fields == ("name", "table", "prices", "limits")


@pytest.mark.parametrize("size", ["programme", "crowd"])
@pytest.mark.parametrize(
    ("shares", "error", "at_once"),
    [
        (0, BrokenExecutor("gone"), False),
        (3, MemoryError(), False),
        (3, RuntimeError("shut"), True),
    ],
)
def test_a_worker_that_fails_leaves_a_search_of_one(request, size, error, at_once, shares, caplog):
    instance = request.getfixturevalue(size)
    failing = Failing(shares, error, at_once)
    with caplog.at_level(logging.WARNING):
        solution = make.solve(instance, iterations=200, others=1, executor=failing)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert repr(error) in caplog.text
    assert referee.judge(instance, solution.plan)["valid"]
    assert solution.cost <= make.solve(instance).cost
    assert 180 <= solution.iterations <= 200  # but for the share that was lost


def test_a_process_that_dies_leaves_a_search_of_one(programme, caplog):
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=os._exit, initargs=(1,)) as dying:
        solution = make.solve(programme, iterations=200, others=1, executor=dying)
    assert "Broken" in caplog.text
    assert referee.judge(programme, solution.plan)["valid"]


def test_a_closed_executor_leaves_a_search_of_one(programme):
    closed = ThreadPoolExecutor(1)
    closed.shutdown()
    plan = helped(programme, closed, iterations=40)
    assert referee.judge(programme, plan)["valid"]


def test_nobody_waits_for_a_worker_that_never_begins(programme):
    solution = make.solve(programme, seconds=0.5, iterations=None, others=1, executor=Idle())
    assert solution.seconds < 2
    assert solution.iterations > 0


def test_who_wants_to_stop_does_not_wait_for_the_others(crowd):
    with ThreadPoolExecutor(1) as pool:
        solution = make.solve(
            crowd,
            seconds=100,  # rounds of two and a half
            iterations=None,
            others=1,
            executor=pool,
            progress=lambda p: p.elapsed < 0.3,
        )
        assert solution.seconds < 1.5
    assert referee.judge(crowd, solution.plan)["valid"]
