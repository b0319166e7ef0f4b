"""Searching beside the caller: processes, threads, and a real Dask cluster on loopback."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass

import dask
import pytest
from distributed import Client, LocalCluster

from scheduler.errors import Invalid
from scheduler.matching import problem
from scheduler.matching.plan import parse
from scheduler.services import executors, matching
from tests.matching import make, referee

PLAIN = {"host": "127.0.0.1", "dashboard_address": None, "silence_logs": 50}


def address(cluster: LocalCluster) -> str:
    return cluster.scheduler_address.replace("tcp://", executors.DASK)


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=1, threads_per_worker=2, **PLAIN) as found:
        yield address(found)


def solved(executor: str, workers: int | None) -> dict[str, object]:
    content = referee.PROGRAMME.read_bytes()
    limits = {"seconds": None, "iterations": 3000, "seed": 1}
    return matching.solve_bytes(content, workers=workers, executor=executor, **limits)


def test_a_cluster_finds_the_plan_that_threads_and_processes_find(cluster):
    found = [solved(where, 3) for where in (cluster, executors.THREADS, executors.PROCESSES)]
    assert found[0]["lessons"] == found[1]["lessons"] == found[2]["lessons"]
    instance = problem.parse(referee.programme_json())
    assert referee.judge(instance, parse(found[0]))["valid"]
    assert found[0]["iterations"] == 3000


def test_all_threads_of_a_cluster_take_part_without_a_number(cluster):
    with executors.opened(cluster, None) as helpers:
        assert helpers.count == 2
        assert helpers.executor.submit(pow, 2, 5).result() == 32


@pytest.mark.parametrize(
    ("where", "workers", "others"),
    [
        (executors.THREADS, None, 0),
        (executors.THREADS, 3, 2),
        ("dask://host:1", None, None),
        ("dask://host:1", 1, 0),
    ],
)
def test_without_a_number_one_searches_or_all_of_a_cluster(where, workers, others):
    assert executors.others(where, workers) == others


def test_a_run_goes_on_alone_without_its_cluster(caplog):
    with executors.opened_if_there("dask://127.0.0.1:1", None) as helpers:
        assert helpers == executors.Helpers(None, 0)
    assert "No Dask scheduler answers at 127.0.0.1:1." in caplog.text


def test_nobody_beside_needs_no_executor():
    with executors.opened(executors.THREADS, 0) as helpers:
        assert helpers == executors.Helpers(None, 0)


@pytest.mark.parametrize("where", ["", "cloud", "dask:/1", "dask://127.0.0.1:1"])
def test_what_is_no_executor_is_refused(where):
    with pytest.raises(Invalid), executors.opened(where, 1):
        pass


# -- what a cluster does for a search, and what its losses do to it


class Noting(Executor):
    """An executor that keeps what became of each share."""

    def __init__(self, executor: Executor, submitted: Callable[[int], None] = lambda _: None):
        self.executor, self.submitted, self.futures = executor, submitted, list[Future[object]]()

    def submit(self, fn, /, *args, **kwargs):
        self.futures.append(self.executor.submit(fn, *args, **kwargs))
        self.submitted(len(self.futures))
        return self.futures[-1]

    def came(self) -> int:
        return sum(f.done() and not f.cancelled() and f.exception() is None for f in self.futures)


@dataclass(frozen=True)
class Mortal:
    """A cluster of two processes of one thread each; whoever dies stays dead."""

    where: str
    workers: tuple[subprocess.Popen[bytes], ...]

    def killing(self, count: int, share: int) -> Callable[[int], None]:
        """Kills so many of them when that share has been sent."""

        def submitted(n: int) -> None:
            if n == share:
                for worker in self.workers[:count]:
                    worker.kill()

        return submitted


@pytest.fixture
def mortal() -> Iterator[Mortal]:
    program = (sys.executable, "-m", "dask", "worker", "--no-nanny", "--nthreads", "1")
    with (
        dask.config.set({"distributed.scheduler.no-workers-timeout": "1s"}),
        LocalCluster(n_workers=0, **PLAIN) as found,
    ):
        told = (*program, "--no-dashboard", "--death-timeout", "60", found.scheduler_address)
        workers = tuple(
            subprocess.Popen(told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(2)
        )
        with Client(found, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield Mortal(address(found), workers)
        for worker in workers:
            worker.kill()
            worker.wait()


@contextmanager
def noted(where: str, submitted: Callable[[int], None] = lambda _: None) -> Iterator[Noting]:
    with executors.opened(where, 2) as helpers:
        assert helpers.executor is not None
        yield Noting(helpers.executor, submitted)


SECONDS = {"seconds": 3.0, "iterations": None, "seed": 1, "others": 2}
MOVES = {"iterations": 3000, "seed": 1, "others": 2}


def programme() -> problem.Instance:
    return problem.parse(referee.programme_json())


def test_what_a_cluster_finds_in_a_search_by_seconds_is_used(cluster):
    with noted(cluster) as shares:
        solution = make.solve(programme(), executor=shares, **SECONDS)
    assert len(shares.futures) >= 4
    assert shares.came() >= len(shares.futures) / 2  # on a busy machine some are late
    assert solution.seconds < 10


def test_a_search_by_seconds_outlives_a_worker(mortal):
    with noted(mortal.where, mortal.killing(1, share=3)) as shares:
        solution = make.solve(programme(), executor=shares, **SECONDS)
    assert solution.seconds < 10
    assert referee.judge(programme(), solution.plan)["valid"]
    assert shares.came() >= 3


def test_a_search_by_moves_finds_the_same_plan_though_a_worker_dies(mortal):
    with noted(mortal.where, mortal.killing(1, share=9)) as shares:
        plan = make.solve(programme(), executor=shares, **MOVES).plan
    with executors.opened(executors.THREADS, 2) as helpers:
        assert plan == make.solve(programme(), executor=helpers.executor, **MOVES).plan


@pytest.mark.parametrize("limits", [SECONDS, MOVES])
def test_a_search_whose_cluster_is_lost_goes_on_alone(mortal, limits, caplog):
    with (
        caplog.at_level(logging.WARNING, "scheduler"),
        noted(mortal.where, mortal.killing(2, share=5)) as shares,
    ):
        solution = make.solve(programme(), executor=shares, **limits)
    assert "going on without" in caplog.text
    assert referee.judge(programme(), solution.plan)["valid"]
    assert solution.cost < make.solve(programme()).cost
