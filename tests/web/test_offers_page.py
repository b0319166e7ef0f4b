"""Can you stand in?  Asked without signing in, and nothing happens by looking."""

import pytest

from scheduler.domain.cover import Reply
from scheduler.services import links, offers
from tests.faults.kit import book
from tests.standins import WEDNESDAY, asked, cannot, get, join
from tests.web.browser import BASE


@pytest.fixture
def lesson(ctx, cast):
    made = book(ctx, cast, WEDNESDAY)
    cannot(ctx, cast, made)
    return made


def path_of(ctx, offer):
    return links.offer_url(ctx, offer.id, WEDNESDAY).removeprefix(BASE)


@pytest.fixture
def path(ctx, lesson):
    return path_of(ctx, asked(ctx, lesson)[0])


def test_looking_asks_and_notes_nothing(ctx, lesson, path, visitor):
    page = visitor.get(path)
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert '<html lang="vi">' in page.text
    assert "Thứ Tư 04/10 · 07:30–08:15" in page.text
    assert page.text.count('type="radio"') == 3
    assert " checked" not in page.text
    assert "<script" not in page.text
    assert asked(ctx, lesson)[0].seen_at is None


@pytest.mark.parametrize("fields", [{}, {"answer": ""}, {"answer": "maybe"}, {"reason": "x"},
                                    {"answer": "decline", "reason": "x" * 151}])  # fmt: skip
def test_a_form_sent_without_a_choice_acts_on_nothing(ctx, cast, lesson, path, visitor, fields):
    page = visitor.post(path, data=fields)
    assert page.status_code == 422
    assert "Chưa gửi gì cả." in page.text
    offer = asked(ctx, lesson)[0]
    assert (offer.end, offer.seen_at) == (None, None)


def test_who_accepts_gives_the_lesson_and_reads_so_twice(ctx, cast, lesson, path, visitor):
    for _ in range(2):
        assert visitor.post(path, data={"answer": "accept"}).status_code == 303
        assert "Thầy cô sẽ dạy tiết này. Cảm ơn thầy cô!" in visitor.get(path).text
    assert get(ctx, lesson).teacher_id == cast["teacher2"]


def test_who_was_slower_reads_a_kind_word(ctx, cast, visitor):
    join(ctx, cast, "third")
    lesson = book(ctx, cast, WEDNESDAY)
    cannot(ctx, cast, lesson)
    first, second = asked(ctx, lesson)
    offers.reply(ctx, first.id, Reply.ACCEPT)
    assert visitor.post(path_of(ctx, second), data={"answer": "accept"}).status_code == 303
    page = visitor.get(path_of(ctx, second)).text
    assert "Đã có người nhận trước. Cảm ơn thầy cô!" in page
    assert 'type="radio"' not in page


def test_who_is_no_longer_free_reads_why_and_may_still_decline(ctx, cast, lesson, path, visitor):
    book(ctx, cast, WEDNESDAY, "8B", "teacher2")
    page = visitor.post(path, data={"answer": "accept"})
    assert page.status_code == 409
    assert "đã có tiết khác lúc đó hoặc quá sát giờ" in page.text
    assert visitor.post(path, data={"answer": "decline", "reason": "bận"}).status_code == 303
    assert asked(ctx, lesson)[0].reason == "bận"


def test_a_link_that_is_not_ours_asks_nothing(ctx, cast, lesson, path, visitor):
    stop = links.stop_url(ctx, cast["person_teacher2"]).rpartition("/")[2]
    for odd in ("x", path.removeprefix("/o/")[:-3], stop):
        assert visitor.get(f"/o/{odd}").status_code == 404
        assert visitor.post(f"/o/{odd}", data={"answer": "accept"}).status_code == 404


# -- signed in


@pytest.fixture
def signed_in(site, cast):
    return site.of(cast.actors["teacher2"])


def own_path(ctx, lesson):
    return f"/teacher/offers/{asked(ctx, lesson)[0].id}"


def test_a_teachers_page_lists_what_waits_for_an_answer(ctx, cast, lesson, signed_in):
    page = signed_in.see("/teacher").text
    assert "Nhờ thầy cô dạy thay" in page
    assert f'href="{own_path(ctx, lesson)}"' in page
    assert "Thứ Tư 04/10 · 07:30–08:15" in page
    signed_in.see(own_path(ctx, lesson))
    assert signed_in.submit(own_path(ctx, lesson), {"answer": "decline"}).status_code == 303
    assert "Nhờ thầy cô dạy thay" not in signed_in.see("/teacher").text


def test_an_offer_is_gone_from_the_page_when_its_time_is_over(ctx, cast, lesson, signed_in, clock):
    clock.at = asked(ctx, lesson)[0].deadline
    assert "Nhờ thầy cô dạy thay" not in signed_in.see("/teacher").text


def test_who_is_signed_in_accepts_without_the_mail(ctx, cast, lesson, signed_in):
    here = own_path(ctx, lesson)
    assert signed_in.see(here).text.count('type="radio"') == 3
    empty = signed_in.submit(here, {})
    assert empty.status_code == 422
    signed_in.submit(here, {"answer": "accept"})
    assert "Thầy cô sẽ dạy tiết này. Cảm ơn thầy cô!" in signed_in.see(here).text
    assert get(ctx, lesson).teacher_id == cast["teacher2"]


def test_nobody_sees_or_answers_an_offer_to_somebody_else(ctx, cast, lesson, site, visitor):
    here = own_path(ctx, lesson)
    other = site.of(cast.actors["teacher1"])
    assert other.get(here).status_code == 404
    assert other.submit(here, {"answer": "accept"}).status_code == 404
    assert visitor.get(here).status_code in (303, 401)
    assert asked(ctx, lesson)[0].end is None
