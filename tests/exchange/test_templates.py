"""Empty lists to fill in: what is offered in them is right, and their examples can be read."""

import io

import openpyxl
import pytest
from openpyxl import Workbook

from scheduler.domain.imports import Roster
from scheduler.errors import Invalid
from scheduler.exchange import archives, layout, resolving, templates, workbooks
from scheduler.locale import Language
from tests.exchange.books import File, saved, told


def empty() -> dict[str, Workbook]:
    made = templates.workbooks(told().schools, Language.VI)
    return {name: openpyxl.load_workbook(io.BytesIO(data)) for name, data in made.items()}


def filled() -> list[File]:
    """The templates with the rows of their own examples written into the lists."""
    files = []
    for name, book in empty().items():
        for table in templates.FILES[name]:
            for row, values in enumerate(templates.EXAMPLES[table.noun], start=2):
                for column, value in enumerate(values, start=1):
                    book[table.sheet].cell(row, column, value)
        files.append((name, saved(book)))
    return files


def read(files: list[File]) -> Roster:
    opened = [(name, archives.grids(data)) for name, data in files]
    return resolving.resolve(workbooks.gathered(list(opened)), Roster(), "HK1-2023-2024")


def test_a_template_filled_with_its_examples_is_a_programme() -> None:
    found = read(filled())
    assert [school.code for school in found.schools] == ["YB01", "YB02"]
    assert [teacher.name for teacher in found.teachers] == ["Lê Mai Nga", "Phan Minh Yến"]
    assert [str(request.key.class_name) for request in found.requests] == ["3A", "10A"]


def test_a_template_that_nobody_filled_is_told_as_empty_and_its_examples_are_no_list() -> None:
    with pytest.raises(Invalid) as refused:
        read([(name, saved(book)) for name, book in empty().items()])
    told_of = [str(problem.what) for problem in refused.value.problems]
    assert sum(each.startswith("The list below this row is empty") for each in told_of) == 5


def test_every_column_says_what_belongs_into_it_and_choices_are_offered() -> None:
    books = empty()
    for name, tables in templates.FILES.items():
        for table in tables:
            sheet = books[name][table.sheet]
            assert all(cell.comment and cell.comment.text for cell in sheet[1])
            assert layout.READING_EXAMPLE in books[name].sheetnames
    school, request = books["mau-truong-tiep-nhan.xlsx"], books["mau-dang-ky-tiet-hoc.xlsx"]
    [levels] = school["Trường"].data_validations.dataValidation
    assert (levels.formula1, str(levels.sqref)) == ('"TH,THCS,THPT"', "D2:D501")
    offered = [each.formula1 for each in request["Đăng ký"].data_validations.dataValidation]
    assert offered == ["'Các trường'!$A$2:$A$501", '"1,2,3,4,5,6"', '"1,2,3"']
    assert request["Các trường"]["A2"].value == "YB01"
    assert school["Trường"]["H2"].number_format == "@"  # a telephone keeps its 0
