"""Flows of lessons to teachers: what is stuck is told in groups, whatever met whatever."""

from scheduler.domain.flows import Flow, Givers, Wanted


def test_a_request_that_another_one_met_before_it_is_grouped_with_it():
    """The first of the two cannot go on, and neither can what it meets: the second's own way."""
    both = Wanted(2, {1: [1], 0: [0]})
    able, a_day = [(0,), (0, 1)], {(0, 0): 2, (0, 1): 2, (1, 0): 0, (1, 1): 1}
    givers = Givers([0, 1], able, lambda giver, day: a_day[giver, day], [1, 1])
    flow = Flow([both, both, Wanted(1, {1: [1]})], givers)
    assert sum(flow.given) == 2
    assert [(members, teachers) for members, teachers in flow.groups()] == [([0, 1, 2], 2)]
