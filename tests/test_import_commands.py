"""What `chungtay import` tells of lists: what changes, who stays, what cells were taken for."""

import re
from pathlib import Path

import openpyxl

from tests.test_cli import EXAMPLES, answer


def written_otherwise(path: Path) -> Path:
    """The teachers of the programme, one of them with a free time and a telephone as people write
    them, one with another name."""
    book = openpyxl.load_workbook(next(x for x in EXAMPLES if "giao-vien" in str(x)))
    sheet = book.worksheets[0]
    sheet["K7"], sheet["F7"], sheet["B8"] = "thứ hai 7h30 đến 11h30", 912345678, "Cô Tên Mới"
    book.save(path)
    return path


def test_an_import_tells_what_it_changed_and_what_cells_were_taken_for(run, tmp_path):
    first = run("import", *EXAMPLES)
    assert first.exit_code == 0, first.output
    assert re.search(r"^Giáo viên +203 +– +– +– +–$", first.stdout, re.MULTILINE)
    again = run("import", *EXAMPLES).stdout
    assert again.startswith("Mọi thứ trong các danh sách này đã được lưu rồi.")
    assert "→" not in again
    path = written_otherwise(tmp_path / "giao-vien.xlsx")
    said = run("import", path, "--dry-run").stdout
    assert re.search(r"^Giáo viên +– +2 +201 +– +–$", said, re.MULTILINE)
    assert "  Cô Tên Mới · " in said
    assert "“912345678” → 0912345678  (giao-vien.xlsx, trang tính Giáo viên, dòng 7, cột F" in said
    assert "“thứ hai 7h30 đến 11h30” → T2 07:30-11:30" in said
    assert answer(run("import", path, "--dry-run", "--json"))["teachers"]["changed"] == 2


def test_an_import_speaks_the_language_of_its_house(run, tmp_path, monkeypatch):
    monkeypatch.setenv("CHUNGTAY_LOCALE", "en")
    run("import", *EXAMPLES, "--json")
    path = written_otherwise(tmp_path / "giao-vien.xlsx")
    said = run("import", path, "--dry-run").stdout
    assert said.startswith("For term HK1-2023-2024. Nothing is stored")
    assert re.search(r"^Teachers +– +2 +201 +– +–$", said, re.MULTILINE)
    assert "“912345678” → 0912345678  (giao-vien.xlsx, sheet Giáo viên, row 7, column F" in said
    told = answer(run("import", path, "--dry-run", "--json"))
    shown = {(each["found"], each["meant"], each["cells"]) for each in told["readings"]}
    assert ("912345678", "0912345678", 1) in shown
    assert run("import", path).stdout.startswith("The lists are taken over, for term HK1-2023-2024")


def test_a_list_that_lacks_people_tells_who_stays(run, tmp_path):
    run("import", *EXAMPLES, "--json")
    book = openpyxl.load_workbook(next(x for x in EXAMPLES if "giao-vien" in str(x)))
    gone = book.worksheets[0]["B7"].value
    book.worksheets[0].delete_rows(7)
    book.save(tmp_path / "giao-vien.xlsx")
    said = run("import", tmp_path / "giao-vien.xlsx", "--dry-run").stdout
    assert re.search(r"^Giáo viên +– +– +202 +– +1$", said, re.MULTILINE)
    assert f"  {gone} · " in said
    assert answer(run("import", tmp_path / "giao-vien.xlsx", "--json"))["stays"]["teachers"] == 1
