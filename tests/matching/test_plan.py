"""The plan file: what DESIGN.md says it holds."""

import json
from dataclasses import replace

import pytest

from scheduler.errors import Invalid
from scheduler.matching import plan as plans
from scheduler.matching.plan import Fix, FixCode, Plan, Unfilled

from . import make


def test_a_plan_file_holds_lessons_cost_bound_gap_seconds_and_what_is_unfilled():
    instance = make.instance(teachers=(make.teacher(max_total=3),))
    data = plans.dump(make.solve(instance, monotonic=lambda: 5.0, bound_beside=True))
    assert json.loads(json.dumps(data)) == data
    assert len(data.pop("lessons")) == 3
    assert data == {
        "cost": 1350.0,
        "lower_bound": pytest.approx(1350, abs=0.002),  # rounded down
        "gap": 0.0,
        "seconds": 0.0,
        "taught": 3,
        "requested": 4,
        "terms": {
            "unmet": 1250.0,
            "handover": 0.0,
            "extra_teacher": 0.0,
            "rank": 0.0,
            "if_needed": 0.0,
            "not_preferred": 0.0,
            "load": 100.0,
            "change": 0.0,
        },
        "iterations": 0,
        "seed": 1,
        "unfilled": [
            {
                "request": "A/1",
                "week": "2023-10-02",
                "missing": 1,
                "reasons": [{"code": "term_limit", "count": 1}],
                "rivals": [],
                "fixes": [],
            }
        ],
    }


def test_a_fix_in_a_plan_file_holds_what_it_has_and_nothing_else():
    day = Fix(FixCode.MAKE_UP, 1, "lan", day=make.MONDAY, start=450, end=485)
    slot = Fix(FixCode.SLOT, 2, weekday=1, start=450, end=485, free=7, changes=3)
    gap = Unfilled("A/1", make.MONDAY, 1, (), ("B/1",), (slot, day))
    solution = replace(make.solve(make.instance()), unfilled=(gap,))
    assert plans.dump(solution)["unfilled"] == [
        {
            "request": "A/1",
            "week": "2023-09-11",
            "missing": 1,
            "reasons": [],
            "rivals": ["B/1"],
            "fixes": [
                {
                    "code": "slot",
                    "covers": 2,
                    "weekday": 1,
                    "start": "07:30",
                    "end": "08:05",
                    "free": 7,
                    "changes": 3,
                },
                {
                    "code": "make_up",
                    "covers": 1,
                    "teacher": "lan",
                    "start": "07:30",
                    "end": "08:05",
                    "date": "2023-09-11",
                },
            ],
        }
    ]


def test_a_plan_reads_back_from_its_file():
    solution = make.solve(make.instance())
    assert plans.parse(plans.dump(solution)) == solution.plan
    assert plans.parse({"lessons": []}) == Plan()


def test_faults_of_a_plan_are_named_at_their_places():
    lesson = {"request": "A/1", "date": "11/9", "start": "07:30", "end": "08:05"}
    with pytest.raises(Invalid) as caught:
        plans.parse({"lessons": [lesson]})
    assert [str(fault) for fault in caught.value.problems] == [
        "lessons[0].date: must be a date like 2023-09-11",
        "lessons[0].teacher: is missing",
    ]
    with pytest.raises(Invalid, match="not a plan"):
        plans.parse(["lessons"])
