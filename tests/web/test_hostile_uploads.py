"""Rows 14, 24 to 29 and 39 to 41 of the list of bad input, each through the page of lists.

Whatever is sent in, its sender reads a sentence and the house stays as it was: nothing is stored,
no answer is a broken page, and the process that serves pages holds no more than before.
"""

import gc
import html
import io
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor

import anyio
import openpyxl
import pytest

from scheduler.app import create_app
from scheduler.exchange import refusals
from scheduler.locale import Language, translate
from scheduler.store import tables
from scheduler.web import shell
from tests.exchange.books import SCHOOLS, TEACHERS, example, saved
from tests.exchange.test_archives import OLE, SHEET, archive, wide, with_part
from tests.exchange.test_child import deep_as_a_well, one_long_text_everywhere, resident
from tests.exchange.test_csvs import joined
from tests.exchange.test_hostile_rows import ENTITIES, bomb, open_document, with_macros
from tests.web.browser import BASE, SAME_ORIGIN
from tests.web.cast_desk import count
from tests.web.rights import NOTED
from tests.web.test_imports_fuzz import FAULT, rows
from tests.web.test_imports_page import HERE, colleague, looked, seen, sent, with_cell

MOST_MEMORY = 64 * 1024 * 1024


@pytest.fixture
def desk(site, cast):
    browser = site.of(cast.actors["coordinator"])
    browser.see(HERE)
    return browser


def stored(ctx) -> dict[str, int]:
    """How much there is, but for what being refused writes."""
    return {name: n for name, n in rows(ctx).items() if name not in NOTED}


def told(page) -> list[str]:
    """What the preview says against the lists, each with its place."""
    return [html.unescape(f"{where}: {what}") for where, what in FAULT.findall(page.text)]


# -- 24 to 27: files that are no honest list


def many_parts() -> bytes:
    return archive(**{f"{n}": b"" for n in range(201)})


def lying() -> bytes:
    data = with_part(SHEET, b" " * 20_000_000)
    return data.replace((20_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))


def with_entities(entities: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(wide("A1"))) as packed:
        body = packed.read(SHEET).rpartition(b"?>")[2]
    first = body.index(b">") + 1
    return with_part(SHEET, entities + body[:first] + b"&b;" + body[first:])


def locked() -> bytes:
    return OLE + "EncryptedPackage".encode("utf-16-le")


def polyglot() -> bytes:
    return b"GIF89a" + example(SCHOOLS)[1]


def text_as_workbook() -> bytes:
    return joined(SCHOOLS, "Trường").encode()


HOSTILE = {
    "24 a bomb": ("a.xlsx", bomb, refusals.INFLATED),
    "24 too many parts": ("a.xlsx", many_parts, refusals.INFLATED),
    "24 an archive that lies of its size": ("a.xlsx", lying, refusals.DAMAGED),
    "24 one long text in every cell": ("a.xlsx", one_long_text_everywhere, refusals.BEYOND),
    "24 deep as a well": ("a.xlsx", deep_as_a_well, refusals.DAMAGED),
    "25 one cell at the far corner": ("a.xlsx", lambda: wide("XFD1048576"), refusals.TOO_LARGE),
    "26 laughs": ("a.xlsx", lambda: with_entities(ENTITIES[0]), refusals.DAMAGED),
    "26 a file of the house": ("a.xlsx", lambda: with_entities(ENTITIES[1]), refusals.DAMAGED),
    "26 an address": ("a.xlsx", lambda: with_entities(ENTITIES[2]), refusals.DAMAGED),
    "27 .xls": ("a.xls", lambda: OLE, refusals.OLD_KIND),
    "27 .xls called .xlsx": ("a.xlsx", lambda: OLE, refusals.OLD_KIND),
    "27 .ods": ("a.ods", open_document, refusals.OTHER_ARCHIVE),
    "27 a text called .xlsx": ("a.xlsx", text_as_workbook, refusals.RENAMED),
    "27 a password": ("a.xlsx", locked, refusals.LOCKED),
    "27 macros": ("a.xlsm", with_macros, refusals.MACROS),
    "27 a picture that is an archive": ("a.gif", polyglot, refusals.NO_WORKBOOK),
    "29 five megabytes and one": ("a.csv", lambda: b"a" * (5 * 1024 * 1024 + 1),
                                  refusals.TOO_MANY_BYTES),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_file_is_told_in_a_sentence_and_stored_nowhere(ctx, desk, case):
    name, build, sentence = HOSTILE[case]
    data, before = build(), stored(ctx)
    sent(desk, ("leer.csv", b""))  # whatever is loaded once is loaded
    gc.collect()
    held = resident()
    path, page = looked(desk, (name, data))
    assert resident() - held < MOST_MEMORY
    assert (page.status_code, 'name="seen"' in page.text) == (200, False)
    [said] = told(page)
    beginning, _, _ = translate(sentence, Language.VI).partition("{")
    assert said.startswith(f"{name}: {beginning}")
    assert said.endswith(".")
    assert desk.submit(path, {"seen": ""}).status_code == 422
    assert desk.get(f"{path}/marked/0").status_code == 404
    assert stored(ctx) == before


# -- 14 and 28: days and times


@pytest.mark.parametrize("local", ["20240331T023000", "20241027T023000"], ids=["gap", "overlap"])
def test_row_14_an_hour_that_summer_time_takes_or_doubles_is_no_whole_day(desk, local):
    event = f"BEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/Paris:{local}\r\nEND:VEVENT\r\n"
    data = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{event}END:VCALENDAR\r\n".encode()
    _, page = looked(desk, ("nghi.ics", data))
    [said] = told(page)
    assert f"“{local}” không phải là ngày" in said


@pytest.mark.parametrize("serial", [60, 2_958_466, -1, 1e300])
@pytest.mark.parametrize("styled", [False, True], ids=["a number", "shown as a day"])
def test_row_28_a_number_that_is_no_day_of_ours_is_told_at_its_cell(desk, lists, serial, styled):
    book = openpyxl.load_workbook(io.BytesIO(lists[SCHOOLS]))
    cell = book["Học kỳ"]["C2"]
    cell.value = serial
    cell.number_format = "dd/mm/yyyy" if styled else "General"
    _, page = looked(desk, (SCHOOLS, saved(book)))
    [said] = told(page)
    assert "trang tính Học kỳ, dòng 2, cột C (Từ ngày)" in said
    assert "không phải là ngày" in said


def test_row_28_days_are_day_first_and_shown_as_they_were_understood(desk, lists):
    book = openpyxl.load_workbook(io.BytesIO(lists[SCHOOLS]))
    book["Học kỳ"]["D2"], book["Khung giờ"]["D2"] = "3/1/2024", 0.3125
    book["Khung giờ"]["E2"] = "8h"
    _, page = looked(desk, (SCHOOLS, saved(book)))
    said = html.unescape(page.text)
    assert "“3/1/2024” → <strong>03/01/2024</strong>" in said
    assert "“0.3125” → <strong>07:30</strong>" in said
    assert "03/10 là ngày 3 tháng 10" in said


# -- 29: bodies


def raw(desk, body, kind="multipart/form-data; boundary=b"):
    return desk.post(HERE, content=body, headers={"content-type": kind} | SAME_ORIGIN)


def part(head: bytes, body: bytes = b"x") -> bytes:
    return b"--b\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + body + b"\r\n"


def whole(desk, *parts: bytes) -> bytes:
    token = part(b'name="csrf"', desk.csrf.encode())
    return b"".join((token, *parts)) + b"--b--\r\n"


FILE = b'name="files"; filename="a.csv"'
LONG_HEAD = FILE + b"; x=" + b"y" * 1024 * 1024
LONG_NAME = b'name="files"; filename="' + b"n" * 1024 * 1024 + b'"'
MANY = [part(b'name="f%d"' % n) for n in range(10_001)]
BODIES = {
    "10,001 fields": (400, lambda desk: whole(desk, *MANY)),
    "21 files": (400, lambda desk: whole(desk, *[part(FILE)] * 21)),
    "a part with a head of a megabyte": (400, lambda desk: whole(desk, part(LONG_HEAD))),
    "a name of a megabyte": (400, lambda desk: whole(desk, part(LONG_NAME))),
    "a field of two megabytes": (400, lambda desk: whole(desk, part(b'name="note"', b"x" * 2**21))),
    "no end": (422, lambda desk: whole(desk, part(FILE))[:-20]),
    "no part": (400, lambda desk: b"--b--\r\n"),
    "no boundary in it": (400, lambda desk: b"hello"),
    "a file as a field": (422, lambda desk: whole(desk, part(b'name="files"'))),
    "no file": (422, lambda desk: whole(desk)),
    "a file without a name": (422, lambda desk: whole(desk, part(b'name="files"; filename=""'))),
}  # fmt: skip


@pytest.mark.parametrize("case", BODIES)
def test_row_29_a_body_that_is_no_form_of_ours_is_refused(ctx, desk, case):
    status, build = BODIES[case]
    body, before = build(desk), stored(ctx)
    gc.collect()
    held = resident()
    answer = raw(desk, body)
    assert resident() - held < MOST_MEMORY
    assert answer.status_code in (status, 403 if status == 400 else status), answer.text
    assert re.search(r"<h1>|role=\"alert\"", answer.text)
    assert stored(ctx) == before
    assert count(ctx, tables.uploads) == 0


def test_row_29_a_name_that_cannot_be_shown_is_not(desk):
    answer = raw(desk, whole(desk, part(b'name="files"; filename="a\0\x1b[31m.csv"')))
    assert answer.status_code == 303
    [said] = told(desk.get(answer.headers["location"]))
    assert said.startswith("?: ")


def test_row_29_a_body_of_another_kind_holds_no_file(desk):
    for kind in ("application/json", "text/csv", "application/octet-stream", ""):
        assert raw(desk, b'{"files": 1}', kind).status_code in (400, 403, 422)


def poured(ctx, desk, first: bytes, piece: bytes, every: float = 0.0) -> int:
    """The status of a body that comes piece by piece, in seconds `every` apart, without an end."""
    cookies = "; ".join(f"{name}={value}" for name, value in desk.cookies.items())
    headers = {"host": "chungtay.example", "origin": BASE, "cookie": cookies,
               "content-type": "multipart/form-data; boundary=b"}  # fmt: skip
    scope = {
        "type": "http", "method": "POST", "path": HERE, "raw_path": HERE.encode(),
        "query_string": b"", "client": ("127.0.0.1", 9), "scheme": "https",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "server": ("chungtay.example", 443), "http_version": "1.1",
    }  # fmt: skip
    rest, said = iter((first,)), []

    async def receive():
        await anyio.sleep(every)
        return {"type": "http.request", "body": next(rest, piece), "more_body": True}

    async def send(message):
        said.append(message)

    app = create_app(ctx=ctx, start_loop=False)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(anyio.run, app, scope, receive, send).result()
    assert dict(said[0]["headers"])[b"connection"] == b"close"
    return said[0]["status"]


def test_row_29_pieces_without_a_stated_length_end_at_the_limit(ctx, desk):
    """Sixteen megabytes are the most; they are on the disk and never in memory as one."""
    head = part(b'name="csrf"', desk.csrf.encode()) + part(FILE, b"")[:-2]
    poured(ctx, desk, head, b"a" * 2**20)  # whatever is made once is made
    gc.collect()
    held = resident()
    assert poured(ctx, desk, head, b"a" * 2**20) == 413
    assert resident() - held < MOST_MEMORY
    assert count(ctx, tables.uploads) == 0


def test_row_29_a_list_that_drips_is_ended(ctx, desk, monkeypatch):
    monkeypatch.setattr(shell, "PATIENCE", 0.1)
    head = part(b'name="csrf"', desk.csrf.encode()) + part(FILE, b"")[:-2]
    assert poured(ctx, desk, head, b"a", every=0.02) == 408
    assert count(ctx, tables.uploads) == 0


# -- 39 to 41: more than was asked for, an old look, the same thing twice


MORE = {"role": "admin", "programme_id": "2", "person_id": "1", "school_id": "2", "version": "999",
        "id": "1", "digest": "x", "sheets": "x", "term": "HK9", "dry_run": "0"}  # fmt: skip


def test_row_39_fields_that_no_form_has_count_for_nothing(ctx, cast, desk, lists):
    grants, programmes = (count(ctx, table) for table in (tables.grants, tables.programmes))
    data = with_cell(lists[TEACHERS], "B7", "Cô Hương Mới")
    files = [("files", (TEACHERS, data, "application/octet-stream"))]
    answer = desk.post(HERE, data={"csrf": desk.csrf, **MORE}, files=files, headers=SAME_ORIGIN)
    path = answer.headers["location"]
    page = desk.get(path)
    with ctx.reading() as db:
        kept = db.execute(tables.uploads.select()).one()
    assert (kept.programme_id, kept.person_id) == (cast["programme"], cast["person_coordinator"])
    assert desk.submit(path, {"seen": seen(page), **MORE}).status_code == 303
    assert [count(ctx, table) for table in (tables.grants, tables.programmes)] == [
        grants, programmes,
    ]  # fmt: skip


def test_row_40_a_look_that_is_missing_old_or_made_up_is_refused_with_what_is_there(
    ctx, cast, desk, lists
):
    path, page = looked(desk, (TEACHERS, with_cell(lists[TEACHERS], "B7", "Cô Hương Mới")))
    before = stored(ctx)
    for fields in ({}, {"seen": ""}, {"seen": "x" * 5_000}, {"seen": seen(page)[:-1]}):
        refused = desk.submit(path, fields)
        assert (refused.status_code, seen(refused)) == (409, seen(page))
        assert "Cô Hương Mới" in refused.text
    assert stored(ctx) == before


def test_row_41_a_look_at_one_list_takes_over_no_other(ctx, cast, desk, site, lists):
    first, page = looked(desk, (TEACHERS, with_cell(lists[TEACHERS], "B7", "Cô Hương Mới")))
    second, _ = looked(desk, (TEACHERS, with_cell(lists[TEACHERS], "B7", "Cô Hương Khác")))
    other = site.of(colleague(ctx, cast))
    other.see(HERE)
    before = stored(ctx)
    assert desk.submit(second, {"seen": seen(page)}).status_code == 409
    assert other.submit(first, {"seen": seen(page)}).status_code == 404
    assert stored(ctx) == before
    assert desk.submit(first, {"seen": seen(page)}).status_code == 303
