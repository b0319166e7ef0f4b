"""A worker for tests that kill it: `python -m tests.faults.worker [lease seconds]`, settings by
environment."""

import sys
import time
from datetime import timedelta

from scheduler import config
from scheduler.services import sending, ways
from scheduler.services.context import open_context


def main() -> None:
    ctx = open_context(config.load(_env_file=None))
    lease = timedelta(seconds=float(sys.argv[1])) if sys.argv[1:] else sending.LEASE
    transport = ways.mail(ctx)
    while True:
        sending.sweep(ctx)
        if not sending.send_due(ctx, transport, lease=lease).claimed:
            transport.close()
            time.sleep(0.02)


if __name__ == "__main__":
    main()
