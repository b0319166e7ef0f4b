"""The weights of a programme, as its coordinator reads and changes them."""

import re
from dataclasses import asdict, replace

import pytest

from scheduler.services import weights
from scheduler.services.weights import DEFAULTS

HERE = "/coordinator/matching/weights"
USUAL = {name: str(points) for name, points in asdict(DEFAULTS).items()}


@pytest.fixture
def coordinator(site, cast):
    return site.of(cast.actors["coordinator"])


def typed(page) -> dict[str, str]:
    return dict(re.findall(r'<input class="in s" id="\w+" name="(\w+)" value="([^"]*)"', page.text))


def kept(ctx, cast):
    return weights.of_programme(ctx, cast.actors["coordinator"], cast["programme"])


def test_the_form_shows_each_weight_its_meaning_and_the_usual_points(ctx, cast, coordinator):
    weights.choose(
        ctx, cast.actors["coordinator"], cast["programme"], replace(DEFAULTS, handover=90)
    )
    page = coordinator.see(HERE)
    assert typed(page) == USUAL | {"handover": "90"}
    assert page.text.count("Cao hơn: ") == page.text.count("Thấp hơn: ") == len(USUAL)
    assert re.findall(r"thường lệ: (\d+)", page.text) == [
        "1000", "60", "30", "5", "100", "15", "10", "80", "120",
    ]  # fmt: skip
    assert page.text.count("btn go") == 1
    assert f'href="{HERE}"' in coordinator.see("/coordinator/matching").text


def test_weights_are_saved_and_taken_back(ctx, cast, coordinator):
    assert f"{HERE}/reset" not in coordinator.see(HERE).text
    done = coordinator.submit(HERE, USUAL | {"load": "250"})
    assert (done.status_code, done.headers["location"]) == (303, HERE)
    assert kept(ctx, cast).weights == replace(DEFAULTS, load=250)
    page = coordinator.see(HERE)
    assert "Đã lưu" in page.text
    assert f'action="{HERE}/reset"' in page.text
    assert coordinator.submit(f"{HERE}/reset").status_code == 303
    assert not kept(ctx, cast).own


@pytest.mark.parametrize("points", ["", "x", "-1", "1.5", "100001", "NaN", "1e3", "٣"])
def test_an_odd_number_is_named_at_its_field_and_nothing_is_kept(ctx, cast, coordinator, points):
    coordinator.see(HERE)
    page = coordinator.submit(HERE, USUAL | {"handover": points, "load": "7"})
    assert page.status_code == 422
    assert re.findall(r'id="(\w+)-error"', page.text) == ["handover"]
    assert 'href="#handover"' in page.text
    assert typed(page) == USUAL | {"handover": points, "load": "7"}
    assert not kept(ctx, cast).own


def test_a_missing_lesson_cannot_be_made_cheaper_than_a_given_one(ctx, cast, coordinator):
    coordinator.see(HERE)
    page = coordinator.submit(HERE, USUAL | {"handover": "5000"})
    assert page.status_code == 422
    error = re.search(r'id="unmet-error">(.*?)</span>', page.text, re.S)[1]
    assert "10.200" in error
    assert not kept(ctx, cast).own


def test_each_programme_has_its_own(ctx, cast, site, coordinator):
    other = site.of(cast.actors["stranger"])
    other.see(HERE)
    assert other.submit(HERE, USUAL | {"load": "7"}).status_code == 303
    assert not kept(ctx, cast).own
