"""Every fault of the list has a test; the table says which, and how it did."""

from tests.faults import rows
from tests.faults.rows import FAULTS, Place, covering


def test_every_fault_has_a_test_and_every_mark_a_fault():
    assert set(FAULTS) == set(range(1, 39))
    assert set(covering()) == set(FAULTS)


def test_the_table_tells_of_each_fault_how_its_tests_did(monkeypatch):
    ours, others = Place("tests/faults/test_a.py", "test_a"), Place("tests/test_b.py", "test_b")
    monkeypatch.setattr(rows, "FAULTS", {1: "this", 2: "that", 3: "both", 4: "none"})
    monkeypatch.setattr(rows, "covering", lambda: {1: (ours,), 2: (others,), 3: (ours, others)})
    lines = [line for line in rows.table({ours: ["passed", "skipped"]}) if ":" not in line]
    assert [line.split(maxsplit=2)[2].strip() for line in lines] == [
        "1 passed, 1 skipped",
        "1 not in this run",
        "1 passed, 1 skipped, 1 not in this run",
        "NO TEST",
    ]
    lines = list(rows.table({ours: ["passed", "failed"]}))
    assert lines[0].endswith("FAILED")
    assert lines[1] == "       faults/test_a.py: test_a"
