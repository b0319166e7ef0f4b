"""The page of a teacher's hours: a week in a few taps, nothing lost, and a form that forgives."""

import gzip
import re

import pytest

from scheduler.domain.availability import Window
from scheduler.domain.intervals import DaySpan
from scheduler.services import availability
from scheduler.store import availability as rows
from tests.planning import A1, WEDNESDAY, draft, publish
from tests.services.test_availability import autumn, kept, nothing

HERE = "/teacher/availability"
AWAY = f"{HERE}/away"
MOST_TAPS = 20
_CONTROL = re.compile(r'<input type="radio"[^>]* name="(\w+)" id="[^"]+" value="(\w+)" checked>')
_HIDDEN = re.compile(r'name="(seen|was)" value="([^"]*)"')
_SELECT = re.compile(r'<select[^>]* name="(\w+)"[^>]*>.*?<option value="(\d+)" selected>')
_BOXES = re.compile(r'<input type="checkbox" name="(level|wish)" value="(\w+)" checked>')


@pytest.fixture
def teacher(cast, site):
    return site.of(cast.actors["teacher1"])


def form(page, **changes):
    """What a browser sends of the page, with some controls changed."""
    found = dict(_CONTROL.findall(page)) | dict(_HIDDEN.findall(page)) | dict(_SELECT.findall(page))
    boxes = {}
    for name, value in _BOXES.findall(page):
        boxes.setdefault(name, []).append(value)
    return found | boxes | {"day": "2"} | changes


def windows(ctx, cast):
    return kept(ctx, cast).windows


def test_the_page_opens_with_what_is_stored_and_whom_it_fits(teacher):
    page = teacher.see(HERE).text
    for words in ("Khi nào thầy cô dạy được?", "2 lớp ở 2 trường hợp với thầy cô", "Giờ rảnh",
                  'id="0m-yes" value="yes" checked', 'id="5m-no" value="no" checked',
                  "19:00–21:00", "Từng tiết", "Tôi dạy tiếp: lưu giờ rảnh"):  # fmt: skip
        assert words in page
    assert page.count('class="btn go') == 1
    assert "/static/" in page
    assert "style=" not in page


def test_saving_an_untouched_page_changes_no_minute_and_confirms(ctx, cast, teacher):
    before = windows(ctx, cast)
    done = teacher.submit(HERE, form(teacher.see(HERE).text))
    assert (done.status_code, done.headers["location"]) == (303, f"{HERE}?saved=yes&day=2")
    page = teacher.see(done.headers["location"]).text
    assert "Đã lưu giờ rảnh. Cảm ơn thầy cô!" in page
    assert "Tôi dạy tiếp" not in page
    assert windows(ctx, cast) == before


def test_a_week_from_scratch_takes_at_most_twenty_taps(ctx, cast, teacher):
    """Two half-days, one of them by period: on a phone each day is a tap of its own."""
    nothing(ctx, cast)
    page = teacher.see(HERE).text
    taps = ["w2", "0m-yes", "w4", "2m-each", "2m1-yes", "2m2-yes", "2m3-maybe", "w8", "6e-maybe",
            "level"]  # fmt: skip
    for tap in taps[:-1]:
        assert f'id="{tap}"' in page
    assert len(taps) + len(["save"]) <= MOST_TAPS
    chosen = dict(tap.split("-") for tap in taps if "-" in tap)
    assert teacher.submit(HERE, form(page, level=["lower_secondary"], **chosen)).status_code == 303
    assert windows(ctx, cast) == (
        Window(0, 450, 605), Window(2, 450, 495), Window(2, 505, 550),
        Window(2, 560, 605, if_needed=True),
        Window(6, 1140, 1260, if_needed=True),
    )  # fmt: skip


def test_an_odd_morning_can_be_kept_and_is_chosen_already(ctx, cast, teacher):
    with ctx.transaction() as db:
        old = rows.pledge(db, cast["term"], cast["teacher1"])
        odd = (Window(0, 465, 630), Window(1, 1140, 1260))
        rows.revise(db, cast["term"], cast["teacher1"],
                    availability.replace(old, windows=odd), rows.Own())  # fmt: skip
    page = teacher.see(HERE).text
    assert 'id="0m-keep" value="keep" checked><label for="0m-keep">Giữ 07:45–10:30</label>' in page
    teacher.submit(HERE, form(page, **{"1e": "no"}))
    assert windows(ctx, cast) == odd[:1]


def test_an_older_page_is_told_what_changed_and_keeps_what_was_chosen(ctx, cast, teacher):
    page = teacher.see(HERE).text
    teacher.submit(HERE, form(page, **{"1m": "maybe"}))
    refused = teacher.submit(HERE, form(page, **{"0m": "no"}, max_total="30"))
    assert refused.status_code == 409
    assert "Thứ Ba, sáng: Nếu cần" in refused.text
    assert 'id="0m-no" value="no" checked' in refused.text
    assert 'id="1m-maybe" value="maybe" checked' in refused.text
    assert '<option value="30" selected>' in refused.text
    assert teacher.submit(HERE, form(refused.text)).status_code == 303
    after = windows(ctx, cast)
    assert {w.weekday for w in after if w.holds(w.weekday, 450, 495)} == {1, 2, 3, 4}
    assert all(w.if_needed for w in after if w.holds(1, 450, 495))
    assert kept(ctx, cast).max_total == 30


def test_two_taps_on_save_are_one(teacher):
    page = teacher.see(HERE).text
    for _ in range(2):
        assert teacher.submit(HERE, form(page, **{"0m": "no"})).status_code == 303


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"first_day": "31/09/2023"}, 'id="first_day-error"'),
        ({"first_day": "01/10/2023"}, 'id="first_day-error"'),
        ({"last_day": "01/10/2023"}, 'id="last_day-error"'),
        ({"max_per_day": "x"}, 'id="max_per_day-error"'),
        ({"level": []}, 'href="#levels"'),
    ],
)
def test_a_fault_is_said_at_its_field_and_nothing_chosen_is_lost(ctx, cast, teacher, change, field):
    before = kept(ctx, cast)
    page = teacher.see(HERE).text
    refused = teacher.submit(HERE, form(page, **{"0m": "maybe"}, **change))
    assert refused.status_code == 422
    assert field in refused.text
    assert 'role="alert"' in refused.text
    assert 'id="0m-maybe" value="maybe" checked' in refused.text
    assert kept(ctx, cast) == before


def test_the_line_says_who_fits_while_the_choices_change(cast, teacher):
    page = teacher.see(HERE).text
    assert f'hx-post="{HERE}/fit?term={cast["term"]}"' in page
    line = teacher.submit(f"{HERE}/fit", form(page, **{f"{n}m": "no" for n in range(5)}))
    assert "Chưa có lớp nào đăng ký vào giờ này" in line.text
    assert "<html" not in line.text
    assert teacher.submit(f"{HERE}/fit", form(page, max_total="x")).status_code == 204


def test_a_save_is_undone(ctx, cast, teacher):
    before = kept(ctx, cast)
    teacher.submit(HERE, form(teacher.see(HERE).text, **{"0m": "no"}, wanted="fewer", wish=["B"]))
    assert kept(ctx, cast).wishes == ("B",)
    page = teacher.see(f"{HERE}?saved=yes").text
    assert 'id="wanted-fewer" value="fewer" checked' in page
    seen = dict(_HIDDEN.findall(page))["seen"]
    assert teacher.submit(f"{HERE}/undo", {"seen": seen}).status_code == 303
    assert "Giờ rảnh đã trở lại như trước." in teacher.see(HERE).text
    assert kept(ctx, cast) == before


def test_the_last_term_is_offered_by_its_half_days_and_copied(ctx, cast, teacher):
    term = autumn(ctx, cast, ((0, 1140), (1, 1140)))
    nothing(ctx, cast)
    page = teacher.see(HERE).text
    assert "Trong “Học kỳ hè” thầy cô rảnh: tối Thứ Hai, tối Thứ Ba." in page
    done = teacher.submit(f"{HERE}/copy", {"term": str(term)})
    assert "Hoàn tác" in teacher.see(done.headers["location"]).text
    assert len(windows(ctx, cast)) == 2


def test_own_lessons_stand_in_the_week_and_those_outside_lead_to_i_cannot(ctx, cast, teacher):
    publish(ctx, cast, draft(ctx, cast, A1))
    page = teacher.see(HERE).text
    assert "7A 07:30" in page
    assert "nằm ngoài giờ rảnh" not in page
    teacher.submit(HERE, form(page, **{"2m": "no"}))
    page = teacher.see(f"{HERE}?saved=yes").text
    assert "1 tiết đã công bố nằm ngoài giờ rảnh" in page
    assert re.search(r'href="/teacher/lessons/\d+/answer\?say=cannot">Tôi bận', page)


# -- days away


def away(ctx, cast):
    return [(x.span, x.reason) for x in availability.desk(ctx, cast.actors["teacher1"]).away]


def test_a_day_away_is_typed_kept_and_removed(ctx, cast, teacher):
    teacher.see(HERE)
    done = teacher.submit(AWAY, {"first_day": "5/10/2023", "last_day": "", "reason": ""})
    assert done.status_code == 303
    thursday = WEDNESDAY.replace(day=5)
    assert away(ctx, cast) == [(DaySpan(thursday, thursday), "Bận")]
    assert "Thứ Năm 05/10" in teacher.see(HERE).text
    for _ in range(2):
        gone = teacher.submit(
            f"{AWAY}/remove", {"first_day": "05/10/2023", "last_day": "05/10/2023"}
        )
        assert gone.status_code == 303
    assert away(ctx, cast) == []


def test_days_that_cannot_be_are_said_at_their_field(ctx, cast, teacher):
    teacher.see(HERE)
    refused = teacher.submit(AWAY, {"first_day": "31/11/2023", "last_day": "", "reason": "thi"})
    assert refused.status_code == 422
    assert 'id="away_first_day-error"' in refused.text
    assert 'value="31/11/2023"' in refused.text
    assert 'value="thi"' in refused.text
    assert away(ctx, cast) == []


def test_lessons_of_a_day_away_are_shown_before_anything_is_kept(ctx, cast, teacher):
    publish(ctx, cast, draft(ctx, cast, A1))
    teacher.see(HERE)
    day = f"{WEDNESDAY:%d/%m/%Y}"
    page = teacher.submit(AWAY, {"first_day": day, "last_day": "", "reason": "thi"})
    assert page.status_code == 200
    assert "Thầy cô có 1 tiết vào những ngày này" in page.text
    assert away(ctx, cast) == []
    sent = dict(re.findall(r'name="(fingerprint|first_day|last_day|reason)" value="([^"]*)"',
                           page.text))  # fmt: skip
    for _ in range(2):
        assert teacher.submit(f"{AWAY}/apply", sent).status_code == 303
    assert away(ctx, cast) == [(DaySpan(WEDNESDAY, WEDNESDAY), "thi")]
    (lesson,) = availability.desk(ctx, cast.actors["teacher1"]).lessons
    assert lesson.state == "cover"


def test_a_lesson_may_stay_although_its_day_is_away(ctx, cast, teacher):
    publish(ctx, cast, draft(ctx, cast, A1))
    teacher.see(HERE)
    day = f"{WEDNESDAY:%d/%m/%Y}"
    page = teacher.submit(AWAY, {"first_day": day, "last_day": day, "reason": "thi"}).text
    (lesson,) = availability.desk(ctx, cast.actors["teacher1"]).lessons
    sent = dict(re.findall(r'name="(fingerprint|first_day|last_day|reason)" value="([^"]*)"', page))
    teacher.submit(f"{AWAY}/apply", sent | {f"l{lesson.id}": "leave"})
    (lesson,) = availability.desk(ctx, cast.actors["teacher1"]).lessons
    assert lesson.state == "scheduled"
    assert len(away(ctx, cast)) == 1


def test_an_older_preview_is_shown_anew(ctx, cast, teacher):
    publish(ctx, cast, draft(ctx, cast, A1))
    teacher.see(HERE)
    day = f"{WEDNESDAY:%d/%m/%Y}"
    sent = {"first_day": day, "last_day": day, "reason": "thi", "fingerprint": "old"}
    refused = teacher.submit(f"{AWAY}/apply", sent)
    assert refused.status_code == 409
    assert 'name="fingerprint"' in refused.text
    assert away(ctx, cast) == []


# -- who, and how heavy


@pytest.mark.parametrize("who", ["schoolA", "coordinator", "stranger"])
def test_who_teaches_nothing_finds_no_such_page(cast, site, who):
    browser = site.of(cast.actors[who])
    assert browser.get(HERE).status_code == 404
    assert browser.submit(HERE).status_code == 404
    assert browser.submit(AWAY, {"first_day": "05/10/2023"}).status_code == 404


def test_the_places_of_a_teacher_are_four_with_reminders_behind_the_calendar(teacher):
    page = teacher.get("/teacher").text
    places = re.findall(r'<li><a href="(/[a-z/]+)"', page.split("</nav>")[0])
    assert places == ["/teacher", HERE, "/teacher/lessons", "/calendar"]
    for path in ("/account", "/calendar"):
        assert 'href="/teacher/reminders"' in teacher.get(path).text


def test_the_whole_page_weighs_less_than_twelve_kilobytes(teacher):
    assert len(gzip.compress(teacher.get(HERE).content)) < 12_000


def test_the_page_speaks_english(teacher):
    teacher.see(HERE)
    teacher.submit("/language", {"language": "en"})
    page = teacher.get(HERE).text
    for words in ("When can you teach?", "2 classes at 2 schools fit you", "Monday, morning"):
        assert words in page


def test_a_coordinator_reads_what_a_teacher_would_like(ctx, cast, site, teacher):
    person = f"/coordinator/people/{cast['person_teacher1']}"
    coordinator = site.of(cast.actors["coordinator"])
    assert "chưa xác nhận" in coordinator.get(person).text
    teacher.submit(HERE, form(teacher.see(HERE).text, wanted="more"))
    teacher.submit(AWAY, {"first_day": "5/10/2023", "last_day": "", "reason": ""})
    page = coordinator.get(person).text
    assert "nhiều tiết hơn hiện nay" in page
    assert "Thứ Năm 05/10/2023" in page
    assert "đã xác nhận Thứ Hai 02/10/2023" in page
