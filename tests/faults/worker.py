"""A worker for tests that kill it: `python -m tests.faults.worker`, settings by environment."""

import time

from scheduler import config
from scheduler.services import outbox, ways
from scheduler.services.context import open_context


def main() -> None:
    ctx = open_context(config.load(_env_file=None))
    transport = ways.mail(ctx)
    while True:
        outbox.sweep(ctx)
        if not outbox.send_due(ctx, transport).claimed:
            time.sleep(0.02)


if __name__ == "__main__":
    main()
