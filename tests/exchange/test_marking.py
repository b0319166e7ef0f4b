"""A marked list can be had of whatever was read, also of what no honest office would send."""

import io

import pytest
from openpyxl import load_workbook

from scheduler.exchange import marking
from scheduler.exchange.faults import Faults
from scheduler.exchange.grids import Grid
from scheduler.locale import Language


def marked(*grids):
    made = marking.workbook(grids, marking.marks(0, Faults(), Language.VI))
    return load_workbook(io.BytesIO(made))


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("HK1/2023", "HK1 2023"),
        ("[Giáo viên]: *?", "Giáo viên"),
        ("\x01", "Danh sách"),
        ("x" * 60, "x" * 31),
        ("'a'", "a"),
        ("", "Danh sách"),
    ],
)
def test_a_sheet_of_any_name_comes_back(title, shown):
    assert marked(Grid(title, ((1, ("a",)),))).sheetnames == [shown]


def test_sheets_of_one_name_come_back_both():
    book = marked(Grid("a/b", ((1, ("x",)),)), Grid("a b", ((1, ("y",)),)))
    assert [sheet["A1"].value for sheet in book] == ["x", "y"]


@pytest.mark.parametrize("number", [10**400, -(10**400), 12345678901234567890])
def test_a_number_beyond_a_spreadsheet_comes_back_as_text(number):
    assert marked(Grid("S", ((1, (number,)),)))["S"]["A1"].value.lstrip("'") == str(number)
