"""What a coordinator does with lists: sends one in, mends it, takes it over, and takes it out."""

import io
import zipfile
from contextlib import closing

import openpyxl
import pytest

from scheduler.services import accounts, exports
from tests.journeys.stage import House, Stage, Task, Visit, Way, in_every_way

pytestmark = pytest.mark.browser

TEACHERS = "giao-vien-tinh-nguyen.xlsx"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def lists(stage: Stage) -> tuple[Visit, bytes]:
    """The coordinator at the page of lists, and the teachers' list as it is stored."""
    me = accounts.operator(stage.ctx)
    v = stage.enter(me)
    v.open("/coordinator/imports")
    return v, exports.export_workbooks(stage.ctx, actor=me)[TEACHERS]


def edited(data: bytes, cell: str, value: str) -> bytes:
    book, made = openpyxl.load_workbook(io.BytesIO(data)), io.BytesIO()
    book.worksheets[0][cell] = value
    book.save(made)
    return made.getvalue()


def send(v: Visit, data: bytes) -> None:
    v.page.set_input_files("#files", {"name": TEACHERS, "mimeType": XLSX, "buffer": data})
    v.hands.send(v.button("See what would change"))


def mends_a_list_and_takes_it_over(stage: Stage) -> None:
    v, kept = lists(stage)
    send(v, edited(kept, "E8", "khong phai thu"))
    v.sees("“khong phai thu”", "E (Email)")
    v.fits()
    v.hands.send(v.link("Send lists in again"))
    name = f"Cô Mới {stage.way.name}"
    send(v, edited(kept, "B8", name))
    v.headed(v.say("The lists are understood"))
    v.hands.press(v.summary("Changes"))
    v.sees(name)
    v.fits()
    v.hands.send(v.button("Take the lists over"))
    v.is_told(v.say("The lists are taken over. New: {new}, changed: {changed}.", new=0, changed=1))
    stored = exports.export_workbooks(stage.ctx, actor=v.actor)[TEACHERS]
    assert openpyxl.load_workbook(io.BytesIO(stored)).worksheets[0]["B8"].value == name


def takes_the_lists_out(stage: Stage) -> None:
    v, _ = lists(stage)
    v.fits()
    archive = zipfile.ZipFile(io.BytesIO(v.fetched(v.link("The three lists as workbooks"))))
    assert len(archive.namelist()) == 3
    send(v, archive.read(TEACHERS))
    v.headed(v.say("Everything is stored already"))


@in_every_way(mends_a_list_and_takes_it_over, takes_the_lists_out)
def test_a_coordinator_with_lists(house: House, task: Task, way: Way) -> None:
    with closing(Stage(house, way)) as stage:
        task(stage)
