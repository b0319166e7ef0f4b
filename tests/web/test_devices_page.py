"""The page of a person's devices: for everybody signed in, each one's own, without JavaScript."""

import json
import re

import pytest

from scheduler import security
from scheduler.delivery.channels import Outcome, Receipt
from scheduler.services import devices
from scheduler.web.pages import devices as pages
from tests.conftest import KEY
from tests.delivery.browsers import Browser as Keys
from tests.web.browser import Site

HERE = "/devices"
PHONE = {"user-agent": "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36"}


class Post:
    """The far end of the wire."""

    def __init__(self):
        self.parcels = []
        self.next = Outcome.SENT

    def send(self, parcel):
        self.parcels.append(parcel)
        return Receipt(self.next)

    def close(self):
        pass


@pytest.fixture
def post():
    return Post()


@pytest.fixture
def opened(ctx, post):
    return Site(ctx, {pages.transport: lambda: post}).of


@pytest.fixture
def teacher(cast, opened):
    return opened(cast.actors["teacher1"])


def sign_up(browser, endpoint="https://push.test/ok", **more):
    browser.see(HERE)
    told = Keys().subscription(endpoint)
    fields = {"endpoint": told.endpoint, "p256dh": told.p256dh, "auth": told.auth} | more
    return browser.submit(HERE, fields, headers=PHONE)


def test_the_page_says_what_to_do_before_any_script_runs(teacher):
    page = teacher.see(HERE)
    assert page.status_code == 200
    for words in (
        "Nhận tin trên điện thoại hoặc máy tính này",
        "Thêm vào MH chính",
        "Chưa có thiết bị nào",
        f'data-key="{security.push_name(KEY)}"',
    ):
        assert words in page.text
    form = re.search(r"<form[^>]*data-say[^>]*>", page.text)[0]
    assert form.endswith("hidden>")  # the script shows it where it leads anywhere
    assert f'href="{HERE}"' in teacher.get("/teacher").text


def test_a_device_is_signed_up_shown_tried_out_and_removed(ctx, cast, teacher, post):
    done = sign_up(teacher)
    assert (done.status_code, done.headers["location"]) == (303, HERE)
    page = teacher.get(HERE).text
    for words in ("Từ giờ tin nhắn cũng đến thiết bị này.", "Chrome · Android", "chưa có tin nào"):
        assert words in page
    assert "push.test" not in page
    [device] = devices.mine(ctx, cast.actors["teacher1"])
    assert f'id="d-{device.mark}"' in page
    assert teacher.submit(f"{HERE}/{device.id}/test").status_code == 303
    assert json.loads(post.parcels[0].content)["lang"] == "vi"
    assert "Tin thử đang được gửi" in teacher.get(HERE).text
    assert teacher.submit(f"{HERE}/{device.id}/remove").status_code == 303
    assert "Chưa có thiết bị nào" in teacher.get(HERE).text


def test_the_page_speaks_english(teacher):
    sign_up(teacher)
    teacher.submit("/language", {"language": "en"})
    page = teacher.get(HERE).text
    for words in ("Devices that take your messages", "no message yet", "Add to Home Screen"):
        assert words in page


def test_a_form_sent_without_the_script_says_what_is_missing(teacher):
    teacher.see(HERE)
    answer = teacher.submit(HERE, {"endpoint": "", "p256dh": "", "auth": ""})
    assert answer.status_code == 422
    assert "chưa cho biết nơi nhận tin" in answer.text


def test_another_page_may_not_sign_a_browser_up(teacher):
    assert sign_up(teacher, csrf="x").status_code == 403


def test_a_trial_that_fails_is_told(ctx, cast, teacher, post):
    sign_up(teacher)
    [device] = devices.mine(ctx, cast.actors["teacher1"])
    post.next = Outcome.REFUSED
    answer = teacher.submit(f"{HERE}/{device.id}/test")
    assert answer.status_code == 422
    assert "Không gửi được tin đến thiết bị này" in answer.text


def test_the_devices_of_one_person_are_nobody_elses(ctx, cast, opened, teacher, post):
    sign_up(teacher)
    [device] = devices.mine(ctx, cast.actors["teacher1"])
    for who in ("teacher2", "schoolA", "coordinator", "stranger"):
        browser = opened(cast.actors[who])
        page = browser.see(HERE)
        assert page.status_code == 200  # everybody has such a page
        assert "Chrome · Android" not in page.text
        for act in ("test", "remove"):
            assert browser.submit(f"{HERE}/{device.id}/{act}").status_code == 404
    assert post.parcels == []
    assert "Chrome · Android" in teacher.get(HERE).text


def test_a_visitor_is_sent_to_sign_in(visitor):
    assert visitor.get(HERE).headers["location"] == "/sign-in?next=/devices"


def test_the_worker_may_answer_for_every_page_and_is_never_old(visitor):
    worker = visitor.get("/sw.js")
    assert worker.status_code == 200
    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["cache-control"] == "no-cache"


def test_the_app_can_be_put_on_a_home_screen(visitor):
    manifest = visitor.get("/static/chungtay.vi.webmanifest").json()
    assert (manifest["display"], manifest["start_url"]) == ("standalone", "/")
    assert "manifest-src 'self'" in visitor.get("/sign-in").headers["content-security-policy"]
