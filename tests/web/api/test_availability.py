"""A teacher's own hours for programs: read, changed as a whole, refused when they are old."""

import pytest

HERE = "/api/v1/availability"
TUESDAY = {"weekday": 1, "start": "13:15", "end": "17:05", "first_day": None, "last_day": None,
           "if_needed": True}  # fmt: skip


@pytest.fixture
def lan(api):
    return api("teacher1")


def body(found, **changes):
    names = ("windows", "levels", "max_per_day", "max_per_week", "max_total", "wishes", "wanted",
             "fingerprint")  # fmt: skip
    return {name: found[name] for name in names} | changes


def test_own_hours_are_read_and_changed_once(lan, cast):
    found = lan.get(HERE).json()
    assert (found["term"], found["classes"], found["schools"]) == (cast["term"], 2, 2)
    assert (found["levels"], found["confirmed_at"]) == (["lower_secondary"], None)
    assert len(found["windows"]) == 5
    sent = body(found, windows=[TUESDAY], wishes=["B"], wanted="more")
    for _ in range(2):
        done = lan.put(HERE, json=sent)
        assert done.status_code == 200, done.text
    assert done.json()["windows"] == [TUESDAY]
    assert (done.json()["wanted"], done.json()["classes"]) == ("more", 0)
    assert done.json()["confirmed_at"] is not None


def test_what_is_told_of_an_older_state_is_refused(lan):
    found = lan.get(HERE).json()
    lan.put(HERE, json=body(found, windows=[TUESDAY]))
    assert lan.put(HERE, json=body(found, windows=[])).status_code == 409
    assert lan.get(HERE).json()["windows"] == [TUESDAY]


@pytest.mark.parametrize(
    "change",
    [
        {"windows": [TUESDAY | {"end": "13:15"}]},
        {"windows": [TUESDAY | {"first_day": "2023-11-02", "last_day": "2023-11-01"}]},
        {"levels": []},
        {"wishes": ["Z"]},
        {"max_per_day": 0},
        {"reason": "x"},
    ],
)
def test_hours_that_cannot_be_are_refused(lan, change):
    found = lan.get(HERE).json()
    assert lan.put(HERE, json=body(found) | change).status_code == 422


@pytest.mark.parametrize("who", ["schoolA", "coordinator", "stranger"])
def test_who_teaches_nothing_has_no_hours_to_tell(api, lan, who):
    sent = body(lan.get(HERE).json())
    assert api(who).get(HERE).status_code == 404
    assert api(who).put(HERE, json=sent).status_code == 404
