"""Subscribing on the page: each role its own calendars, a link shown once, ended one by one."""

import re

import pytest

from scheduler.services import feeds


def make(browser, device="apple", feed="", **more):
    return browser.submit("/calendar", {"device": device, "feed": feed, **more})


def shown(page):
    return re.search(r'id="url">([^<]+)<', page.text)[1]


@pytest.fixture
def mine(cast):
    return f"teacher:{cast['teacher1']}"


@pytest.fixture
def teacher(cast, site):
    return site.of(cast.actors["teacher1"])


def test_a_new_link_is_shown_once_and_works(ctx, cast, site, teacher, mine):
    made = make(teacher, feed=mine, name="Máy của Lan")
    url = shown(made)
    assert made.status_code == 200
    assert f'href="webcal://{url.split("://")[1]}"' in made.text
    assert 'src="data:image/svg+xml' in made.text
    token = url.split("/")[4]
    assert token not in teacher.get("/calendar").text
    assert "Máy của Lan" in teacher.get("/calendar").text
    assert site.browser().get(url).headers["content-type"].startswith("text/calendar")


@pytest.mark.parametrize(
    ("device", "address"),
    [
        ("apple", "webcal://chungtay.example/feeds/"),
        ("android", "webcal://chungtay.example/feeds/"),
        ("google", "https://calendar.google.com/calendar/r?cid=webcal%3A%2F%2Fchungtay.example"),
        ("outlook", "https://outlook.live.com/calendar/0/addfromweb?url=https%3A%2F%2Fchungtay"),
        ("outlook", "https://outlook.office.com/calendar/0/addfromweb?url=https%3A%2F%2Fchungtay"),
    ],
)
def test_each_device_gets_its_own_button(cast, teacher, mine, device, address):
    assert f'href="{address}' in make(teacher, device, mine).text


def test_a_link_without_a_name_has_that_of_its_device(ctx, cast, teacher, mine):
    make(teacher, "outlook", mine)
    make(teacher, "google", mine, show_cancelled="yes")
    links = feeds.links_of(ctx, cast.actors["teacher1"])
    assert sorted((link.name, link.key.show_cancelled) for link in links) == [
        ("Google Lịch", True),
        ("Outlook", False),
    ]


def test_ending_a_link_asks_first_and_spares_the_others(ctx, cast, site, teacher, mine):
    ended, kept = shown(make(teacher, feed=mine)), shown(make(teacher, feed=mine))
    link_id = min(link.id for link in feeds.links_of(ctx, cast.actors["teacher1"]))
    confirm = teacher.see(f"/calendar/links/{link_id}/end")
    assert 'method="post"' in confirm.text
    assert site.browser().get(ended).status_code == 200
    done = teacher.submit(f"/calendar/links/{link_id}/end")
    assert done.headers["location"] == "/calendar"
    assert site.browser().get(ended).status_code == 410
    assert site.browser().get(kept).status_code == 200
    again = teacher.submit(f"/calendar/links/{link_id}/end")
    assert again.status_code == 404


def test_the_word_after_ending_is_said_once_in_the_readers_language(cast, teacher, mine):
    teacher.submit("/language", {"language": "en"})
    make(teacher, feed=mine, name="<Phone>")
    teacher.submit("/calendar/links/1/end")
    assert "The link &lt;Phone&gt; has ended." in teacher.get("/calendar").text
    assert "has ended" not in teacher.get("/calendar").text


def test_a_word_that_somebody_else_wrote_is_not_said(cast, teacher):
    forged = "00" * 16 + "." + b'{"say": "Pay here", "with": {}}'.hex()
    headers = {"cookie": f"__Host-sid={teacher.cookies['__Host-sid']}; __Host-flash={forged}"}
    page = teacher.get("/calendar", headers=headers)
    assert page.status_code == 200
    assert "Pay here" not in page.text


@pytest.mark.parametrize(
    ("who", "kinds"),
    [
        ("teacher1", ["teacher"]),
        ("schoolA", ["school", "class"]),
        ("coordinator", ["programme"]),
    ],
)
def test_each_role_is_offered_its_own_calendars(ctx, cast, site, who, kinds):
    page = site.of(cast.actors[who]).get("/calendar").text
    offered = re.findall(r'value="([a-z_]+):\d+"', page)
    assert offered == kinds


def test_a_calendar_of_somebody_else_is_not_made(ctx, cast, teacher):
    foreign = [f"teacher:{cast['teacher2']}", f"school:{cast['A']}", "programme:1", "x", ""]
    assert [make(teacher, feed=feed).status_code for feed in foreign] == [422] * 5
    assert make(teacher, "toaster", f"teacher:{cast['teacher1']}").status_code == 422
    assert feeds.links_of(ctx, cast.actors["teacher1"]) == ()


def test_a_name_that_cannot_be_kept_is_said_at_the_field(cast, teacher, mine):
    answer = make(teacher, feed=mine, name="x" * 101)
    assert answer.status_code == 422
    assert 'id="name-error"' in answer.text
    assert make(teacher, feed=mine, name="a\u202eb").status_code == 422


def test_the_readers_own_device_stands_first(cast, teacher):
    def order(agent):
        page = teacher.get("/calendar", headers={"user-agent": agent}).text
        return re.findall(r'name="device" value="(\w+)"', page)

    assert order("Mozilla/5.0 (Linux; Android 14)")[0] == "google"
    assert order("Mozilla/5.0 (Windows NT 10.0)")[0] == "outlook"
    assert order("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)")[0] == "apple"
    assert order("Lynx") == ["apple", "google", "outlook", "android", "other"]


def test_what_was_chosen_makes_the_feed_and_stands_beside_the_link(ctx, cast, site, teacher, mine):
    url = shown(make(teacher, feed=mine, alarms="yes", zoned="yes"))
    (link,) = feeds.links_of(ctx, cast.actors["teacher1"])
    assert (link.key.alarms, link.key.zoned, link.key.show_cancelled) == (True, True, False)
    page = teacher.get("/calendar").text
    assert "báo chuông trước tiết dạy" in page
    assert site.browser().get(url).status_code == 200


def test_a_new_link_takes_the_place_of_the_old_one_at_once(ctx, cast, site, teacher, mine):
    old = shown(make(teacher, feed=mine, name="Máy cũ", show_cancelled="yes"))
    other = shown(make(teacher, feed=mine))
    (before, _) = feeds.links_of(ctx, cast.actors["teacher1"])
    assert 'method="post"' in teacher.see(f"/calendar/links/{before.id}/renew").text
    new = shown(teacher.submit(f"/calendar/links/{before.id}/renew", {"device": "google"}))
    answers = [site.browser().get(url).status_code for url in (old, other, new)]
    assert answers == [410, 200, 200]
    (_, after) = feeds.links_of(ctx, cast.actors["teacher1"])
    assert (after.name, after.key) == ("Máy cũ", before.key)
    foreign = site.of(cast.actors["teacher2"])
    assert (
        foreign.submit(f"/calendar/links/{after.id}/renew", {"device": "google"}).status_code == 404
    )
    assert teacher.submit(f"/calendar/links/{after.id}/renew", {"device": "x"}).status_code == 422
    assert site.browser().get(new).status_code == 200
