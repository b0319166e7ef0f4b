"""A clean process that has imported what tests start in others: those begin in milliseconds, and
inherit no lock."""

import multiprocessing

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    ["tests.faults.worker", "tests.faults.migrator", "tests.faults.test_cover_kills"]
)
