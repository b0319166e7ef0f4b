"""What a stranger's file does to the process that reads it never reaches the one that asked."""

import gc
import io
import random
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.exchange import archives, child, grids
from scheduler.exchange.faults import UnreadableError
from scheduler.exchange.grids import Grid
from tests.effort import examples
from tests.exchange.books import REQUESTS, SCHOOLS, example
from tests.exchange.test_archives import SHEET, archive, with_part, with_texts

BEYOND = "The file is too large or too tangled to be read. Copy the table into a new workbook."
NAMESPACE = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def resident() -> int:
    """Bytes of memory that this process holds."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * 4096


def reason(data: bytes, name: str = "a.xlsx") -> str:
    with pytest.raises(UnreadableError) as refused:
        grids.read(name, data)
    return str(refused.value)


def heavy(texts: bytes = b"", **parts: bytes) -> bytes:
    """A workbook with these parts, and a picture that lets it unpack to 100 MB."""
    with zipfile.ZipFile(io.BytesIO(example(SCHOOLS)[1])) as packed:
        whole = {entry: packed.read(entry) for entry in packed.namelist()}
    noise = random.Random(1).randbytes(1_100_000)
    whole = with_texts(whole, texts) if texts else whole
    return archive(**{**whole, "xl/media/a.png": noise, **parts})


def one_long_text_everywhere() -> bytes:
    """800 MB of cells, were each of them to be told."""
    row = b'<c t="s"><v>0</v></c>' * 64
    rows = b"".join(b'<row r="%d">%s</row>' % (number, row) for number in range(1, 401))
    texts = b"<sst %s><si><t>%s</t></si></sst>" % (NAMESPACE, b"x" * 30_000)
    return heavy(
        texts,
        **{
            SHEET: b"<worksheet %s><sheetData>%s</sheetData></worksheet>" % (NAMESPACE, rows),
        },
    )


def deep_as_a_well(levels: int = 200_000) -> bytes:
    return heavy(**{"xl/styles.xml": b"<styleSheet %s>" % NAMESPACE + b"<a>" * levels})


def deeper_than_a_well() -> bytes:
    return deep_as_a_well(3_000_000)


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (one_long_text_everywhere, BEYOND),
        (deep_as_a_well, "The workbook is damaged"),
        pytest.param(deeper_than_a_well, BEYOND, marks=pytest.mark.soak),
    ],
)
@pytest.mark.fault(33)
def test_file_that_eats_memory_ends_its_reader_and_nobody_else(build: Any, sentence: str) -> None:
    data = build()
    assert len(data) < grids.MOST_BYTES
    grids.read(*example(SCHOOLS))
    gc.collect()
    before, began = resident(), time.monotonic()
    assert reason(data).startswith(sentence)
    assert resident() - before < 64 * 1024 * 1024
    assert time.monotonic() - began < grids.SECONDS + 2


def test_reader_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grids, "SECONDS", 0.05)
    began = time.monotonic()
    assert reason(example(REQUESTS)[1]) == BEYOND
    assert time.monotonic() - began < 2


def test_sheets_are_the_same_from_the_other_process() -> None:
    for name, data in (example(SCHOOLS), example(REQUESTS)):
        assert grids.read(name, data) == archives.grids(data)


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.timedeltas(),
)


@given(st.lists(CELLS, max_size=20))
def test_every_cell_comes_over_as_it_was(cells: list[Any]) -> None:
    grid = Grid("Trường", ((7, tuple(cells)),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "asked", lambda *_, **__: grids.packed([grid]))
        assert grids.read("a.xlsx", b"PK") == (grid,)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["grids", "title", "rows", "trouble", "values", "x"]), inner, max_size=4
        ),
    ),
    max_leaves=12,
)
ANSWERS = st.one_of(
    st.dictionaries(st.sampled_from(["grids", "trouble", "values"]), JSON, max_size=3),
    st.builds(lambda rows: {"grids": [{"title": "x", "rows": rows}]}, st.lists(JSON, max_size=3)),
)


@given(ANSWERS)
@settings(max_examples=examples(300))
def test_process_that_was_taken_over_can_say_nothing_but_cells(answer: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "asked", lambda *_, **__: answer)
        try:
            found = grids.read("a.xlsx", b"PK")
        except UnreadableError as error:
            assert str(error) == BEYOND  # noqa: PT017 - whichever way it comes
        else:
            assert all(isinstance(grid, Grid) for grid in found)


def test_sentence_that_is_none_of_ours_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    for said in ("Pay here: {url.__class__}", "", ["x"]):
        answer = {"trouble": said, "values": {"url": "https://evil.example"}}
        monkeypatch.setattr(child, "asked", lambda *_, told=answer, **__: told)
        assert reason(b"PK") == BEYOND


def test_answer_of_a_module_is_heard() -> None:
    assert child.asked("json.tool", {"a": "Đ"}, b"", seconds=20, most=100) == {"a": "Đ"}


@pytest.mark.parametrize(
    ("module", "seconds", "most"),
    [
        ("json.tool", 20.0, 5),
        ("this", 20.0, 9999),
        ("no.such.module", 20.0, 99),
        ("timeit", 0.2, 99),
    ],
    ids=["says too much", "says no JSON", "is not there", "takes too long"],
)
def test_module_that_does_not_answer_as_it_should_is_lost(
    module: str, seconds: float, most: int
) -> None:
    began = time.monotonic()
    with pytest.raises(child.Lost):
        child.asked(module, {"a": 1}, bytes(3_000_000), seconds=seconds, most=most)
    assert time.monotonic() - began < 3


def test_damage_in_a_part_is_told_by_the_other_process() -> None:
    assert reason(with_part(SHEET, b"<worksheet")).startswith("The workbook is damaged")
