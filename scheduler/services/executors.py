"""Where searches run beside the caller's own: processes, threads, or workers of a Dask cluster."""

import importlib
import logging
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from scheduler.errors import Invalid, text

PROCESSES, THREADS, DASK = "processes", "threads", "dask://"
CONNECT_SECONDS = 5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Helpers:
    """`count` workers of an executor that search as well; none without one."""

    executor: Executor | None = None
    count: int = 0


def others(where: str, workers: int | None) -> int | None:
    """How many search beside the caller, of so many in all; without a number nobody does, or
    everybody whom a cluster has (None)."""
    if workers is not None:
        return workers - 1
    return None if where.startswith(DASK) else 0


@contextmanager
def opened(where: str, others: int | None) -> Iterator[Helpers]:
    """Workers beside the caller: `processes`, `threads` or `dask://HOST:PORT`.

    Without a number the machine's other cores, or all threads of the cluster, take part.  Raises
    Invalid for a place that is none of these, or a cluster that does not answer.
    """
    if where.startswith(DASK):
        with _cluster(where.removeprefix(DASK)) as client:
            count = sum(client.nthreads().values()) if others is None else others
            yield Helpers(client.get_executor(), count)
        return
    count = max(0, (os.cpu_count() or 1) - 1) if others is None else others
    if where not in (PROCESSES, THREADS):
        raise Invalid(
            text(
                "Choose processes, threads or dask://HOST:PORT as executor, not {where}.",
                where=where,
            )
        )
    if count == 0:
        yield Helpers()
        return
    with _pool(where, count) as pool:
        yield Helpers(pool, count)


@contextmanager
def opened_if_there(where: str, others: int | None) -> Iterator[Helpers]:
    """As `opened`, for whoever would rather search alone than not at all."""
    with ExitStack() as stack:
        try:
            helpers = stack.enter_context(opened(where, others))
        except Invalid as error:
            _log.warning("the search goes on alone: %s", error)
            helpers = Helpers()
        yield helpers


def _pool(where: str, count: int) -> Executor:
    if where == THREADS:
        return ThreadPoolExecutor(count, thread_name_prefix="search")
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    """A client of a Dask scheduler; the package is an extra that few installations need."""
    try:
        distributed = importlib.import_module("distributed")
    except ImportError as error:
        raise Invalid(
            text("Searching on a Dask cluster needs the extra: pip install chungtay[cluster].")
        ) from error
    try:
        client = distributed.Client(
            f"tcp://{address}", timeout=CONNECT_SECONDS, set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise Invalid(text("No Dask scheduler answers at {address}.", address=address)) from error
    try:
        yield client
    finally:
        client.close()
