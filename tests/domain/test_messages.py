"""What holds for every message, whatever it is about."""

from scheduler.domain import messages


def test_each_try_waits_longer_and_not_all_wait_alike():
    waits = [[messages.back_off(f"k{n}", tries) for n in range(200)] for tries in (1, 2, 3, 4, 9)]
    for spread, step in zip(waits, [30, 120, 300, 900, 900], strict=True):
        assert 0.8 * step <= min(spread).total_seconds() < 0.9 * step
        assert 1.1 * step < max(spread).total_seconds() <= 1.2 * step
