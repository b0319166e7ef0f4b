"""Weights: what the engine may be told, and how a plan's cost reads."""

from dataclasses import replace

import pytest

from scheduler.domain.weights import MOST, Charge, Weights, bill, dearest_lesson, faults

USUAL = Weights(1000, 60, 30, 5, 15, 10, 100, 80, 120)


def test_the_usual_weights_have_no_fault():
    assert faults(USUAL) == {}


@pytest.mark.parametrize("points", [-1, MOST + 1, float("nan"), float("inf")])
def test_a_weight_outside_its_limits_is_named(points):
    assert set(faults(replace(USUAL, handover=points))) == {"handover"}


def test_a_missing_lesson_is_never_cheaper_than_one_that_is_given():
    assert dearest_lesson(USUAL) == 320
    assert faults(replace(USUAL, unmet=320)) == {}
    assert set(faults(replace(USUAL, unmet=319))) == {"unmet"}
    assert set(faults(replace(USUAL, handover=401))) == {"unmet"}


def test_a_missing_lesson_costs_something_even_when_nothing_else_does():
    nothing = Weights(0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert set(faults(nothing)) == {"unmet"}
    assert faults(replace(nothing, unmet=1)) == {}


def test_a_bill_counts_what_can_be_counted_back():
    terms = {
        "unmet": 5100.0, "handover": 4740.0, "extra_teacher": 0.0, "rank": 15.0,
        "load": 123.4, "change": 200.0,
    }  # fmt: skip
    assert bill(terms, USUAL, missing=5) == (
        Charge("unmet", 5100.0, 5, None),
        Charge("handover", 4740.0, 79, 60.0),
        Charge("rank", 15.0, 3, 5.0),
        Charge("load", 123.4, None, None),
        Charge("change", 200.0, None, None),
    )
