"""Long papers of the report: ordered, waited for, taken; outside of any request."""

import json
import os
import time

import pytest

from scheduler.delivery import presses
from scheduler.services import certificates
from tests import outcomes
from tests.paper import need_pango, pages
from tests.web.cast_desk import plain

HERE = "/coordinator/reports/papers"


@pytest.fixture
def desk(ctx, cast, site, clock):
    (a, b, *_), (c, *_) = outcomes.autumn(ctx, cast)
    outcomes.hold(ctx, a, b, c)
    clock.forward(days=70)
    return site.of(cast.actors["coordinator"])


@pytest.fixture
def issued(ctx, cast, desk):
    return certificates.issue_all(ctx, cast.actors["coordinator"])


def printed(desk, paper):
    """Wait as the page does, and take it."""
    for _ in range(240):
        part = desk.get(f"{HERE}/{paper}", headers={"hx-request": "true"})
        if "hx-trigger" not in part.text:
            break
        time.sleep(0.25)
    assert "Tải PDF" in part.text, part.text
    return desk.get(f"{HERE}/{paper}/file")


def test_all_certificates_become_one_paper_while_the_coordinator_goes_on(
    desk, cast, issued, tmp_path
):
    need_pango()
    assert f'href="{HERE}/certificates"' in desk.see("/coordinator/reports/certificates").text
    assert "Chưa in" in plain(desk.see(f"{HERE}/certificates"))
    assert desk.get(f"{HERE}/certificates/file").status_code == 404
    assert desk.submit(f"{HERE}/certificates", {}).status_code == 303
    answer = printed(desk, "certificates")
    assert answer.headers["content-disposition"] == 'attachment; filename="giay-xac-nhan.pdf"'
    said = pages(answer.content, tmp_path)
    assert len(said) == 2 * len(issued) == 4
    assert all(any(each.code in page for page in said) for each in issued)
    assert "Đã có giấy" in plain(desk.see(f"{HERE}/certificates"))


def test_a_new_certificate_asks_for_a_new_paper(ctx, cast, desk, issued):
    folder = ctx.settings.var_dir / "papers"
    desk.see(f"{HERE}/certificates")
    desk.submit(f"{HERE}/certificates", {})
    certificates.withdraw(ctx, cast.actors["coordinator"], issued[0].code)
    assert "Chưa in" in plain(desk.see(f"{HERE}/certificates"))
    refused = desk.submit(f"{HERE}/certificates", {})  # one long paper at a time
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    _over(folder)


def test_the_whole_report_is_printed_the_same_way(desk, tmp_path):
    need_pango()
    assert f'href="{HERE}/report"' in desk.see("/coordinator/reports").text
    desk.see(f"{HERE}/report")
    desk.submit(f"{HERE}/report", {})
    said = " ".join(pages(printed(desk, "report").content, tmp_path))
    assert "BẢNG TỔNG HỢP CHƯƠNG TRÌNH" in said
    assert "Cô teacher1" in said


def test_what_stopped_with_its_machine_is_printed_by_whoever_asks_next(ctx, desk, issued):
    need_pango()
    folder = ctx.settings.var_dir / "papers"
    desk.see(f"{HERE}/certificates")
    desk.submit(f"{HERE}/certificates", {})
    printed(desk, "certificates")
    paper = next(folder.glob("*.pdf"))
    order = paper.with_suffix(presses.ORDER)
    paper.unlink()
    order.write_text(json.dumps(["<p>"]))
    assert "Đang in" in plain(desk.see(f"{HERE}/certificates"))
    _make_old(order, presses.STALE_SECONDS + 1)
    assert "Chưa in" in plain(desk.see(f"{HERE}/certificates"))
    desk.submit(f"{HERE}/certificates", {})
    assert printed(desk, "certificates").status_code == 200


def test_papers_that_nobody_took_are_gone_after_a_day(ctx, desk, issued):
    folder = ctx.settings.var_dir / "papers"
    folder.mkdir(parents=True)
    old, new = folder / "a.pdf", folder / "b.pdf"
    for each in (old, new):
        each.write_bytes(b"%PDF")
    _make_old(old, presses.KEPT_SECONDS + 1)
    presses.tidy(folder)
    assert [each.name for each in folder.iterdir()] == ["b.pdf"]


def test_nothing_to_print_is_not_there(desk):
    assert desk.get(f"{HERE}/certificates").status_code == 404
    assert desk.get(f"{HERE}/menu").status_code in (404, 422)


def _make_old(file, seconds):
    then = time.time() - seconds
    os.utime(file, (then, then))


def _over(folder):
    """Wait until nobody prints there."""
    for _ in range(240):
        if not any(folder.glob("*.order")):
            return
        time.sleep(0.25)


def test_a_full_disk_is_said_and_leaves_no_order_behind(ctx, desk, issued, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(presses.json, "dumps", full)
    desk.see(f"{HERE}/certificates")
    refused = desk.submit(f"{HERE}/certificates", {})
    assert (refused.status_code, "ổ đĩa có thể đã đầy" in refused.text) == (409, True)
    assert not list((ctx.settings.var_dir / "papers").glob("*.order"))
