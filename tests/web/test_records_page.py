"""The page by which anybody checks a certificate."""

import pytest

from scheduler.services import certificates
from tests import outcomes


@pytest.fixture
def issued(ctx, cast, clock):
    (a, b, *_), _ = outcomes.autumn(ctx, cast)
    outcomes.hold(ctx, a, b)
    clock.forward(days=70)
    return certificates.issue(ctx, cast.actors["coordinator"], cast["teacher1"])


def test_it_says_what_the_paper_says_and_no_more(issued, visitor):
    page = visitor.get(f"/verify/{issued.code}")
    assert page.status_code == 200
    for said in (
        "Giấy xác nhận này là thật", issued.code, "Cô teacher1", "THCS Ái Mộ, Long Biên",
        "Hà Nội – Yên Bái", "02/10/2023 – 31/12/2023", "1 giờ 30 phút", "11/12/2023",
    ):  # fmt: skip
        assert said in page.text
    assert "teacher1@x.example" not in page.text
    assert "THCS A<" not in page.text
    assert "coordinator" not in page.text
    assert page.headers["x-robots-tag"] == "noindex"
    assert page.headers["cache-control"] == "no-store"


def test_a_withdrawn_one_says_so(ctx, cast, issued, visitor):
    certificates.withdraw(ctx, cast.actors["coordinator"], issued.code)
    page = visitor.get(f"/verify/{issued.code}")
    assert page.status_code == 200
    assert "Giấy xác nhận này đã bị thu hồi" in page.text
    assert "là thật" not in page.text


@pytest.mark.parametrize("code", ["AAAA-AAAA-AAAA", "x", "0" * 500, "%25%25%25", "é"])
def test_every_code_that_is_none_gets_the_same_calm_page(cast, visitor, code):
    page = visitor.get(f"/verify/{code}")
    assert page.status_code == 404
    assert "Không có giấy xác nhận này" in page.text
    assert page.headers["x-robots-tag"] == "noindex"
