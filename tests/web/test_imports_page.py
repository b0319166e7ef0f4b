"""Lists in and out: what they would do, taking exactly that over, files of any kind, downloads."""

import gzip
import io
import json
import zipfile

import openpyxl
import pytest
import sqlalchemy as sa

from scheduler.domain.access import Grant, Role
from scheduler.services import retention, uploads
from scheduler.store import accounts, tables
from tests.exchange.books import TERM, saved
from tests.exchange.careless import careless
from tests.faults.kit import write
from tests.web.browser import SAME_ORIGIN
from tests.web.cast_desk import WED, count, publish, queries
from tests.web.cast_desk import at as lesson_at

HERE = "/coordinator/imports"
TEACHERS, SCHOOLS = "giao-vien-tinh-nguyen.xlsx", "truong-tiep-nhan.xlsx"


@pytest.fixture
def desk(site, cast):
    browser = site.of(cast.actors["coordinator"])
    browser.see(HERE)
    return browser


def sent(desk, *files, csrf=None):
    """The answer to files, by name and bytes, sent in by the form of the page."""
    parts = [("files", (name, data, "application/octet-stream")) for name, data in files]
    return desk.post(
        HERE, data={"csrf": desk.csrf if csrf is None else csrf}, files=parts, headers=SAME_ORIGIN
    )


def looked(desk, *files):
    """The address of the preview, and the preview."""
    answer = sent(desk, *files)
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    return path, desk.see(path)


def seen(page) -> str:
    return page.text.partition('name="seen" value="')[2].partition('"')[0]


def with_cell(data: bytes, cell: str, value: object) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    book.worksheets[0][cell] = value
    return saved(book)


def name_of(ctx, cast, who="teacher1"):
    with ctx.reading() as db:
        mine = tables.persons.c.id == cast[f"person_{who}"]
        return db.scalar(sa.select(tables.persons.c.name).where(mine))


def test_a_list_changes_nothing_before_it_was_seen_and_then_just_that(ctx, cast, desk, lists):
    path, page = looked(desk, (TEACHERS, with_cell(lists[TEACHERS], "B7", "Cô Hương Mới")))
    assert "Các danh sách đã được hiểu" in page.text
    assert "Cô Hương Mới · THCS Ái Mộ</li>" not in page.text  # it is not new
    assert "Cô Hương Mới · THCS Ái Mộ: tên" in page.text
    assert name_of(ctx, cast) == "Cô teacher1"
    done = desk.submit(path, {"seen": seen(page)})
    assert (done.status_code, done.headers["location"]) == (303, HERE)
    assert "Mới: 0, thay đổi: 1" in desk.see(HERE).text
    assert name_of(ctx, cast) == "Cô Hương Mới"
    again = desk.submit(path, {"seen": seen(page)})  # a second press
    assert again.status_code == 303
    assert "đã được lưu rồi" in desk.see(HERE).text
    with ctx.reading() as db:
        line = tables.audits.c
        query = sa.select(line.person_id, line.reason).where(line.action == "import")
        assert db.execute(query).all() == [(cast["person_coordinator"], TEACHERS)]


def test_the_same_lists_once_more_change_nothing(desk, lists):
    path, page = looked(desk, *lists.items())
    assert "Mọi thứ đã được lưu rồi" in page.text
    assert 'name="seen"' not in page.text
    assert path


def test_every_fault_is_told_at_its_cell_fifty_on_a_page(ctx, cast, desk, lists):
    book = openpyxl.load_workbook(io.BytesIO(lists[TEACHERS]))
    for row in range(9, 69):
        book.worksheets[0][f"E{row}"] = f"kein{row}"
    before = count(ctx, tables.persons)
    path, first = looked(desk, (TEACHERS, saved(book)))
    assert 'name="seen"' not in first.text
    assert f"{TEACHERS}, trang tính Giáo viên, dòng 9, cột E" in first.text
    assert "“kein9”" in first.text
    assert first.text.count('<th scope="row">') == 50
    last = desk.see(f"{path}?page=99")
    assert last.status_code == 200
    assert desk.submit(path, {"seen": "x"}).status_code == 422
    assert count(ctx, tables.persons) == before


def test_a_faulty_list_comes_back_with_marks_is_mended_and_sent_in_again(ctx, cast, desk, lists):
    book = openpyxl.load_workbook(io.BytesIO(lists[TEACHERS]))
    sheet = book.worksheets[0]
    sheet["B7"], sheet["E7"], sheet["H7"] = "Cô Hương Mới", "không có", None
    path, page = looked(desk, (TEACHERS, saved(book)))
    assert f'href="{path}/marked/0"' in page.text
    answer = desk.get(f"{path}/marked/0")
    name = 'attachment; filename="giao-vien-tinh-nguyen-danh-dau.xlsx"'
    assert answer.headers["content-disposition"] == name
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    told, sheet = book["Lỗi"], book["Giáo viên"]
    assert [cell.value for cell in told[2]][:3] == ["Giáo viên", "E7", "không có"]
    assert [cell.value for cell in told[3]][:3] == ["Giáo viên", "H7", None]
    assert "không phải là địa chỉ email" in sheet["E7"].comment.text
    assert (sheet["E7"].fill.fgColor.rgb, sheet["B7"].fill.fill_type) == ("00F8C9C4", None)
    assert "Ô này trống" in sheet["H7"].comment.text
    sheet["E7"], sheet["H7"] = cast.actors["teacher1"].email, 3
    path, page = looked(desk, ("tra-lai.xlsx", saved(book)))
    assert "Cô Hương Mới · THCS Ái Mộ: " in page.text
    assert desk.submit(path, {"seen": seen(page)}).status_code == 303
    assert name_of(ctx, cast) == "Cô Hương Mới"


def test_marks_are_of_lists_with_faults_or_readings_and_of_no_other(desk, lists):
    path, page = looked(desk, (TEACHERS, lists[TEACHERS]), ("leer.xlsx", b""))
    assert "/marked/" not in page.text
    assert {desk.get(f"{path}/marked/{n}").status_code for n in (0, 1, 2)} == {404}
    assert desk.get(f"{path}/marked/99").status_code == 404


def test_what_is_written_otherwise_is_shown_as_understood(desk, lists):
    spoken = with_cell(lists[TEACHERS], "K7", "thứ hai, thứ tư 7h30 đến 11h30")
    path, page = looked(desk, (TEACHERS, with_cell(spoken, "F7", 912345678)))
    assert "Chúng tôi đã hiểu là" in page.text
    assert "“912345678” → <strong>0912345678</strong>" in page.text
    assert "T2 07:30-11:30; T4 07:30-11:30" in page.text
    assert "dòng 7, cột K" in page.text
    book = openpyxl.load_workbook(io.BytesIO(desk.get(f"{path}/marked/0").content))
    assert book.sheetnames == ["Giáo viên", "Hiểu là"]
    assert book["Giáo viên"]["F7"].fill.fgColor.rgb == "00FFF1C2"
    assert [cell.value for cell in book["Hiểu là"][2]][1:3] == ["912345678", "0912345678"]


def test_requests_that_move_with_bell_times_are_said_to(desk, lists):
    book = openpyxl.load_workbook(io.BytesIO(lists[SCHOOLS]))
    sheet = book["Khung giờ"]
    for row in range(2, sheet.max_row + 1):
        sheet[f"E{row}"] = f"{sheet[f'E{row}'].value[:-1]}1"
    _, page = looked(desk, (SCHOOLS, saved(book)))
    assert "2 đăng ký dời theo khung giờ mới của trường" in page.text


def test_a_careless_office_is_understood_on_a_page_of_no_weight(ctx, cast, desk):
    write(ctx, tables.terms, tables.terms.c.id == cast["term"], code=TERM)
    _, page = looked(desk, *careless())
    assert "Các danh sách đã được hiểu" in page.text
    assert len(gzip.compress(page.content)) < 25_000


def test_what_another_changed_meanwhile_is_shown_anew_and_not_written_over(ctx, cast, desk, lists):
    path, page = looked(desk, (TEACHERS, with_cell(lists[TEACHERS], "B7", "Cô Hương Mới")))
    with ctx.transaction() as db:
        mine = tables.persons.c.id == cast["person_teacher1"]
        db.execute(tables.persons.update().where(mine).values(name="Cô Lan"))
    refused = desk.submit(path, {"seen": seen(page)})
    assert refused.status_code == 409
    assert "đã thay đổi" in refused.text
    assert name_of(ctx, cast) == "Cô Lan"
    assert desk.submit(path, {"seen": seen(refused)}).status_code == 303
    assert name_of(ctx, cast) == "Cô Hương Mới"


def test_a_list_renames_nobody_whom_another_programme_knows(ctx, cast, desk, lists):
    theirs = cast.actors["stranger"].email
    book = with_cell(with_cell(lists[TEACHERS], "E7", theirs), "B7", "Tên Bịa")
    path, page = looked(desk, (TEACHERS, book))
    desk.submit(path, {"seen": seen(page)})
    assert name_of(ctx, cast, "stranger") == "Cô stranger"


def test_a_list_whose_term_takes_days_of_another_is_refused_in_words(desk, lists):
    book = openpyxl.load_workbook(io.BytesIO(lists[SCHOOLS]))
    sheet = book["Học kỳ"]
    sheet["A2"], sheet["C2"], sheet["D2"] = "HK2", "20/12/2023", "31/05/2024"
    path, page = looked(desk, (SCHOOLS, saved(book)))
    assert "hai học kỳ không có ngày chung" in page.text
    assert desk.submit(path, {"seen": "x"}).status_code == 422


def test_a_list_that_ends_a_term_before_its_lessons_is_refused_in_words(ctx, cast, desk, lists):
    publish(ctx, cast, lesson_at(cast, WED))
    book = openpyxl.load_workbook(io.BytesIO(lists[SCHOOLS]))
    sheet = book["Học kỳ"]
    sheet["C2"], sheet["D2"] = "02/10/2023", "03/10/2023"
    path, page = looked(desk, (SCHOOLS, saved(book)))
    assert "1 tiết nằm ngoài những ngày này" in page.text
    assert 'name="seen"' not in page.text
    assert desk.submit(path, {"seen": "x"}).status_code == 422


def colleague(ctx, cast):
    """Another coordinator of the same programme."""
    with ctx.transaction() as db:
        person = accounts.ensure_person(
            db, email="hai@x.example", name="Cô Hai", language="vi", now=ctx.now()
        )
        accounts.add_grant(db, person, Grant(Role.COORDINATOR, cast["programme"]))
        return accounts.actor_of(db, person)


def test_a_preview_is_its_senders_alone_and_for_a_day(ctx, cast, desk, site, clock, lists):
    path, page = looked(desk, (TEACHERS, lists[TEACHERS]))
    for other in (colleague(ctx, cast), cast.actors["stranger"]):
        browser = site.of(other)
        browser.see(HERE)
        assert browser.get(path).status_code == 404
        assert browser.submit(path, {"seen": seen(page)}).status_code == 404
    clock.forward(days=1, seconds=1)
    later = site.of(cast.actors["coordinator"])
    assert later.get(path).status_code == 404
    retention.run(ctx)
    assert count(ctx, tables.uploads) == 0


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("anh.xlsx", b"\x89PNG\r\n\x1a\n" + b"0" * 100, "không phải"),
        ("cu.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, ".xls"),
        ("trong.xlsx", b"", "trống"),
        ("dài.csv", b"a" * (5 * 1024 * 1024 + 1), "5 MB"),
        ("chữ.xlsx", b"xin,chao\n1,2\n", ".csv"),
    ],
)
def test_what_is_no_list_is_refused_with_a_sentence(ctx, cast, desk, name, data, told):
    path, page = looked(desk, (name, data))
    assert (page.status_code, told in page.text) == (200, True), page.text
    assert desk.submit(path, {"seen": ""}).status_code == 422


def test_a_name_of_a_file_is_shown_and_never_believed(desk, cast):
    _, page = looked(desk, ("C:\\tmp\\<script>alert(1)</script>.xlsx", b"abc"))
    assert "<script>alert" not in page.text
    assert uploads.called("a/b/../d\u202e.xlsx") == "?"
    assert uploads.called("x" * 400 + ".csv").endswith(".csv")


def test_no_file_too_many_files_and_too_large_ones_are_refused(desk, cast):
    assert "Chọn một đến năm" in desk.submit(HERE, {}).text
    many = sent(desk, *((f"{n}.csv", b"a,b\n1,2\n") for n in range(6)))
    assert (many.status_code, "nhiều nhất 5" in many.text) == (422, True)
    huge = sent(desk, *((f"{n}.csv", b"a" * (6 * 1024 * 1024)) for n in range(3)))
    assert (huge.status_code, "5 MB" in huge.text) == (413, True)
    assert sent(desk, ("a.csv", b"a"), csrf="wrong").status_code == 403


def test_other_forms_take_no_files_and_stay_small(desk, cast):
    part = {"files": ("a.csv", b"a", "text/csv")}
    answer = desk.post("/language", data={"csrf": desk.csrf}, files=part, headers=SAME_ORIGIN)
    assert answer.status_code == 400
    body = {"csrf": desk.csrf, "seen": "x" * (1024 * 1024)}
    assert desk.post(f"{HERE}/1", data=body, headers=SAME_ORIGIN).status_code == 413


def test_files_that_somebody_sends_without_end_are_too_many(desk, cast, monkeypatch):
    answers = [sent(desk).status_code for _ in range(3)]
    assert answers == [422, 422, 422]  # they cost nothing, and are not counted
    codes = {sent(desk, ("a.csv", b"")).status_code for _ in range(21)}
    assert codes == {303, 429}


def test_lists_go_out_as_files_with_names_and_come_back_in(ctx, cast, desk, lists):
    publish(ctx, cast, lesson_at(cast, WED))
    answer = desk.get("/coordinator/exports/workbooks.zip?term=HK1")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="danh-sach.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert sorted(files) == sorted(lists)
    lessons = desk.get("/coordinator/exports/lessons.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(lessons.content)).worksheets[0]
    assert [cell.value for cell in sheet[2]][:3] == ["04/10/2023", "T4", "07:30"]
    instance = desk.get("/coordinator/exports/instance.json")
    assert len(json.loads(instance.content)["teachers"]) == 2
    assert desk.get("/coordinator/exports/lessons.xlsx?term=NO").status_code == 404
    _, page = looked(desk, *files.items())
    assert "Mọi thứ đã được lưu rồi" in page.text


def test_lists_and_lessons_go_out_as_csv_and_come_back_in(ctx, cast, desk, lists):
    publish(ctx, cast, lesson_at(cast, WED))
    answer = desk.get("/coordinator/exports/csv.zip?term=HK1")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    _, page = looked(desk, *files.items())
    assert "Mọi thứ đã được lưu rồi" in page.text
    said = desk.get("/coordinator/exports/lessons.csv").content.decode("utf-8-sig")
    assert said.splitlines()[1].startswith("04/10/2023,T4,07:30")


def test_empty_lists_offer_the_schools_that_are_known(desk):
    answer = desk.get("/coordinator/exports/templates.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        book = openpyxl.load_workbook(io.BytesIO(archive.read("mau-dang-ky-tiet-hoc.xlsx")))
    assert book["Các trường"]["A2"].value == "A"
    assert "thứ" in book["Đăng ký"]["H1"].comment.text.casefold()


def test_an_export_never_holds_a_formula(ctx, cast, desk):
    with ctx.transaction() as db:
        db.execute(tables.receiving_schools.update().values(name='=HYPERLINK("http://x")'))
    data = desk.get("/coordinator/exports/workbooks.zip").content
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        book = openpyxl.load_workbook(io.BytesIO(archive.read(SCHOOLS)))
    assert book.worksheets[0]["B2"].value == '\'=HYPERLINK("http://x")'


def test_a_preview_asks_as_often_for_many_rows_as_for_one(ctx, cast, desk, lists):
    def asked(*files) -> int:
        path, _ = looked(desk, *files)
        with queries(ctx) as said:
            page = desk.get(path)
        assert len(gzip.compress(page.content)) < 25_000
        return len(said)

    one = asked((TEACHERS, lists[TEACHERS]))
    assert asked(*lists.items()) == one
