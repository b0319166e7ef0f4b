"""Papers: what stands on them, the same bytes each time, and nothing fetched."""

from datetime import UTC, date, datetime

import pytest

from scheduler.config import load
from scheduler.delivery import papers
from scheduler.domain.certificates import Certificate, CertificateId, Facts
from scheduler.domain.intervals import DaySpan
from scheduler.domain.lessons import Cause
from scheduler.domain.people import TeacherId
from scheduler.domain.records import Amount, Line, Outcome
from scheduler.domain.terms import Programme, ProgrammeId
from scheduler.services import certificates, paperwork, records, statements
from scheduler.services.context import Context
from tests.paper import need_pango, pages

AUTUMN = DaySpan(date(2023, 10, 2), date(2023, 12, 31))
PROGRAMME = Programme(ProgrammeId(1), "P", "Hà Nội – Yên Bái", "Asia/Ho_Chi_Minh")
MADE = Certificate(
    id=CertificateId(1),
    code="QK7M-2XWP-9RTD",
    facts=Facts(
        TeacherId(1), "Nguyễn Thị Ngọc Lữu", "THCS Ái Mộ, Long Biên", PROGRAMME.name, AUTUMN,
        Amount(3, 135), ((date(2023, 10, 1), Amount(3, 135)),),
    ),
    issued_at=datetime(2024, 1, 5, tzinfo=UTC),
    issued_on=date(2024, 1, 5),
    withdrawn_at=None,
)  # fmt: skip


@pytest.fixture(scope="module")
def ctx():
    """Papers need the address of the house alone."""
    return Context(load(_env_file=None, base_url="https://chungtay.example"), None, None, b"")


@pytest.fixture(scope="module")
def paper(ctx):
    need_pango()
    return certificates.printed(ctx, [MADE])[0]


def test_a_certificate_says_it_in_vietnamese_and_then_in_english(paper, tmp_path):
    vietnamese, english = pages(paper, tmp_path)
    for said in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "GIẤY XÁC NHẬN",
        "Nguyễn Thị Ngọc Lữu", "THCS Ái Mộ, Long Biên", "từ ngày 02/10/2023 đến ngày 31/12/2023",
        "2 giờ 15 phút (135 phút)", "Hà Nội, ngày 05 tháng 01 năm 2024", MADE.code,
        "chungtay.example/verify/",
    ):  # fmt: skip
        assert said in vietnamese
    for said in ("SOCIALIST REPUBLIC OF VIET NAM", "CERTIFICATE OF SERVICE", "2 h 15 min"):
        assert said in english


def test_the_same_certificate_is_the_same_paper_to_the_byte(ctx, paper):
    assert certificates.printed(ctx, [MADE, MADE]) == [paper, paper]


def record(whose=""):
    months = (date(2023, 10, 1), date(2023, 11, 1))
    lines = [
        Line(1, "Cô Lan", 1, "THCS Ái Mộ", 1, "THCS Tô Hiệu", 1, "7A", month, end, cause, amount)
        for month in months
        for end, cause, amount in (
            (Outcome.GIVEN, None, Amount(2, 90)),
            (Outcome.WAS_THERE, Cause.POWER, Amount(1, 45)),
        )
    ]
    return records.divided(PROGRAMME, AUTUMN, whose, tuple(lines))


def test_a_programmes_record_is_printed_with_its_sums(tmp_path):
    need_pango()
    vietnamese, english = " ".join(pages(statements.paper(record()), tmp_path)).split("SOCIALIST")
    assert "BẢNG TỔNG HỢP CHƯƠNG TRÌNH" in vietnamese
    assert "Cộng 4 180 2 0" in vietnamese
    assert "Mất điện 2 90" in vietnamese
    assert "RECORD OF THE PROGRAMME" in english


def test_a_teachers_record_does_not_list_teachers():
    page = papers.page("record", paperwork.record(record("Cô Lan")))
    assert "Bảng kê tiết dạy" in page
    assert "<h2>Trường tiếp nhận</h2>" in page
    assert "<h2>Giáo viên</h2>" not in page


def test_a_paper_fetches_nothing_that_it_names(tmp_path):
    """What is there and what is not make the same paper, to the byte."""
    need_pango()
    (tmp_path / "there.css").write_text("p { color: red; font-size: 40pt }")
    (tmp_path / "there.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
        '<rect width="9" height="9" fill="red"/></svg>'
    )
    page = (
        '<link rel="stylesheet" href="file://{0}.css"><style>@import "file://{0}.css";'
        ' p {{ background: url("file://{0}.svg") }}</style><p>x</p><img src="file://{0}.svg">'
    )
    there, absent = (page.format(tmp_path / name) for name in ("there", "absent"))
    one, other = papers.printed([there, absent])
    assert one == other


def test_a_machine_without_pango_hears_a_sentence(monkeypatch, tmp_path):
    """The printing process finds a WeasyPrint that cannot load its library."""
    child = tmp_path / "child.py"
    child.write_text(
        "import importlib, sys\n"
        "def broken(name): raise OSError('cannot load library libpango-1.0-0')\n"
        "importlib.import_module = broken\n"
        "from scheduler.delivery import papers_child\n"
        "papers_child.main()\n"
    )
    monkeypatch.setattr(papers, "_CHILD", (papers.sys.executable, "-P", str(child)))
    with pytest.raises(papers.NoPaper, match="PDF needs Pango"):
        papers.printed(["<p>x</p>"])


def test_a_name_with_marks_of_html_is_printed_as_it_is():
    assert "&lt;b&gt;" in papers.page("record", {"halves": [_half("<b>")]})


def _half(name):
    return {
        "language": "vi", "title": name, "about": name, "facts": [], "note": "", "tables": [],
    }  # fmt: skip
