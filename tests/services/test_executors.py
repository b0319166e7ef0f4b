"""Searching beside the caller: processes, threads, and a real Dask cluster on loopback."""

import pytest
from distributed import LocalCluster

from scheduler.errors import Invalid
from scheduler.matching import problem
from scheduler.matching.plan import parse
from scheduler.services import executors, matching
from tests.matching import referee


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
    ) as found:
        yield found.scheduler_address.replace("tcp://", executors.DASK)


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


def test_nobody_beside_needs_no_executor():
    with executors.opened(executors.THREADS, 0) as helpers:
        assert helpers == executors.Helpers(None, 0)


@pytest.mark.parametrize("where", ["", "cloud", "dask:/1", "dask://127.0.0.1:1"])
def test_what_is_no_executor_is_refused(where):
    with pytest.raises(Invalid), executors.opened(where, 1):
        pass
