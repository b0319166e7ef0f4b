"""Instances: read with every fault named at its place, written as they were read."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.errors import Invalid
from scheduler.matching import problem
from tests.effort import examples

from . import make, referee


def faults(data: object) -> list[str]:
    with pytest.raises(Invalid) as caught:
        problem.parse(data)
    return [str(fault) for fault in caught.value.problems]


def small(**changes: object) -> dict:
    return {**problem.dump(make.instance()), **changes}


def strip(data: dict) -> dict:
    """The programme's instance without the names and telephones that matching does not know."""
    known = {"name": None, "phone": None}
    for key in ("schools", "teachers"):
        data[key] = [{k: v for k, v in item.items() if k not in known} for item in data[key]]
    return data


def test_the_programme_reads_and_is_written_as_it_was():
    data = referee.programme_json()
    assert problem.dump(problem.parse(data)) == strip(data)


@settings(max_examples=examples(60))
@given(seed=st.integers(0, 2**32))
def test_any_instance_reads_back_as_it_was_written(seed):
    instance = make.by_chance(seed)
    assert problem.parse(problem.dump(instance)) == instance


def test_values_are_dates_and_minutes():
    instance = problem.parse(small(freeze_before="2023-09-13"))
    assert instance.freeze_before == date(2023, 9, 13)
    assert instance.requests == make.instance().requests
    assert (instance.requests[0].slots[0].start, instance.requests[0].slots[0].end) == (450, 485)


def test_what_is_optional_and_empty_is_left_out():
    data = problem.dump(make.instance())
    assert "freeze_before" not in data
    assert data["schools"] == [{"id": "YB1", "rooms": 1}]
    assert data["teachers"][0]["available"] == [{"weekday": 0, "start": "07:00", "end": "11:30"}]
    assert "busy" not in data["teachers"][0]


def test_all_faults_are_named_at_once_with_their_places():
    teacher = problem.dump(make.instance())["teachers"][0]
    bad = {
        **teacher,
        "max_total": "ten",
        "levels": [1],
        "available": [
            {"weekday": 7, "start": "7:30", "end": "08:00"},
            {"weekday": 0, "start": "09:00", "end": "08:00"},
        ],
        "busy": [{"date": "2023-02-30", "start": "08:00", "end": "09:00"}],
        "unavailable": [{"first_day": "2023-10-02", "last_day": "2023-10-01"}],
    }
    assert set(faults(small(version=2, gap_minutes=-1, teachers=[teacher, bad, 5]))) == {
        "version: must be 1",
        "gap_minutes: must be at least 0",
        "teachers[1].levels: must be a list of texts",
        "teachers[1].max_total: must be a whole number",
        "teachers[1].available[0].weekday: must be at most 6",
        "teachers[1].available[0].start: must be a time like 07:30",
        "teachers[1].available[1]: must end after it starts",
        "teachers[1].busy[0].date: must be a date like 2023-09-11",
        "teachers[1].unavailable[0]: must not end before it starts",
        "teachers[2]: must be an object",
    }


def test_missing_members_are_named():
    assert faults({"version": 1}) == [
        "term: is missing",
        "gap_minutes: is missing",
        "schools: is missing",
        "teachers: is missing",
        "requests: is missing",
    ]


@pytest.mark.parametrize("data", [None, [], "text", 5])
def test_something_that_is_no_object_is_refused(data):
    assert faults(data) == ["JSON: must be an object"]


def test_ids_are_met_once_and_schools_exist():
    request = problem.dump(make.instance())["requests"][0]
    school = {"id": "YB1", "rooms": 1}
    assert faults(small(requests=[request, request, {**request, "id": "B", "school": "YB9"}])) == [
        "requests[1].id: A/1 is there twice",
        "requests[2].school: there is no school YB9",
    ]
    assert faults(small(schools=[school] * 3)) == ["schools[1].id: YB1 is there twice"]


def test_a_lesson_in_force_may_name_someone_who_left_unless_it_must_stay():
    lesson = problem.dump(make.instance(current=(make.current(who="gone"),)))["current"][0]
    assert problem.parse(small(current=[lesson])).current[0].teacher == "gone"
    assert faults(small(current=[lesson], freeze_before="2023-09-12")) == [
        "current[0].teacher: there is no teacher gone"
    ]
    assert faults(small(current=[{**lesson, "request": "B", "pinned": True}])) == [
        "current[0].request: there is no request B",
        "current[0].teacher: there is no teacher gone",
    ]


def test_a_lesson_in_force_is_there_once():
    lesson = problem.dump(make.instance(current=(make.current(),)))["current"][0]
    assert faults(small(current=[lesson, lesson])) == ["current[1]: the same lesson is there twice"]
