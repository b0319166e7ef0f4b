"""Importing workbooks: all or nothing, twice is once, and out again as it came."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from openpyxl import Workbook

from scheduler.domain.access import Actor, Grant, Role
from scheduler.domain.imports import Count, ImportSummary
from scheduler.domain.intervals import dated
from scheduler.domain.people import PersonId
from scheduler.domain.plans import Change, ChangeKind, Placement
from scheduler.errors import Invalid, NotFound
from scheduler.exchange import grids
from scheduler.services import exports, imports
from scheduler.services.context import Context
from scheduler.store import (
    availability,
    lessons,
    people,
    recipients,
    requests,
    tables,
    terms,
    timetable,
)
from scheduler.store import imports as rosters
from tests.exchange.books import (
    REQUESTS,
    SCHOOLS,
    TEACHERS,
    TERM,
    as_sets,
    edited,
    example,
    examples,
    put,
    reference,
    with_files,
)
from tests.exchange.careless import careless

WHOLE = {
    "terms": 1,
    "schools": 17,
    "periods": 152,
    "donor_schools": 122,
    "teachers": 203,
    "classes": 168,
    "requests": 168,
}


_READ = cache(grids.read)


@pytest.fixture(autouse=True)
def each_file_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading takes a process of its own; what it makes of the same bytes is the same."""
    monkeypatch.setattr(grids, "read", _READ)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first SQLite database with the examples is kept for the tests after it."""
    return tmp_path_factory.mktemp("filled") / "filled.db"


@pytest.fixture
def full(ctx: Context, filled: Path) -> Context:
    """A database that has the three examples."""
    if not ctx.database.is_sqlite:
        imports.import_files(ctx, examples())
        return ctx
    path = Path(ctx.database.url.removeprefix("sqlite:///"))
    if not filled.exists():
        imports.import_files(ctx, examples())
        ctx.database.close()  # the last to leave folds the write-ahead log into the file
        shutil.copy(path, filled)
    ctx.database.close()
    shutil.copy(filled, path)
    return ctx


def rows(ctx: Context) -> dict[str, int]:
    """How many rows each table has, empty tables left out."""
    with ctx.reading() as db:
        counts = {
            table.name: db.scalar(sa.select(sa.func.count()).select_from(table))
            for table in tables.metadata.sorted_tables
        }
    return {name: count for name, count in counts.items() if count}


def changed(summary: ImportSummary) -> dict[str, Count]:
    """The counts of nouns of which something is new or changed."""
    return {n: c for n, c in summary.counts.items() if c.new or c.changed}


def test_examples_mean_the_reference_instance(full: Context) -> None:
    assert as_sets(exports.export_instance(full)) == as_sets(reference())


def test_a_careless_office_tells_the_same_instance(ctx: Context) -> None:
    imports.import_files(ctx, careless())
    assert as_sets(exports.export_instance(ctx)) == as_sets(reference())
    assert imports.import_files(ctx, examples()).changes_nothing


def test_first_import_is_all_new_and_the_second_changes_nothing(ctx: Context) -> None:
    first = imports.import_files(ctx, examples())
    assert (first.programme, first.term) == ("ha-noi-yen-bai", TERM)
    assert first.counts == {noun: Count(new=count) for noun, count in WHOLE.items()}
    before = rows(ctx)
    second = imports.import_files(ctx, examples())
    assert second.counts == {noun: Count(unchanged=count) for noun, count in WHOLE.items()}
    assert rows(ctx) == before


def test_persons_and_roles_are_made_for_teachers_and_contacts(full: Context) -> None:
    with full.reading() as db:
        programme = terms.all_programmes(db)[0]
        school = terms.schools(db, programme.id)[0]
        teacher = people.teachers(db, programme.id)[0]
        assert programme.name == "Hà Nội – Yên Bái"
        assert people.by_email(db, "NGALM@c.example ") == people.person(db, teacher.person_id)
        assert people.grants(db, teacher.person_id) == (
            Grant(Role.TEACHER, programme.id, teacher_id=teacher.id),
        )
        contact = people.person(db, *recipients.of_schools(db, [school.id])[school.id])
        assert (contact.name, contact.email) == ("Bùi Thu Oanh", "yb01@yb.example")
        assert people.grants(db, contact.id) == (
            Grant(Role.SCHOOL, programme.id, school_id=school.id),
        )


def test_import_is_recorded_with_what_changed(full: Context) -> None:
    with full.reading() as db:
        [line] = db.execute(sa.select(tables.audits)).all()
    assert (line.action, line.subject, line.person_id) == ("import", "programme", None)
    assert line.reason == f"{SCHOOLS}, {TEACHERS}, {REQUESTS}"
    assert {noun: len(entries) for noun, entries in line.after.items()} == WHOLE
    assert line.after["teachers"][0].keys() == {"school", "district"}  # of people no name
    assert "@" not in str(line.after)


def test_faulty_workbooks_leave_every_table_empty(ctx: Context) -> None:
    files = with_files(
        edited(TEACHERS, put("Giáo viên", "E209", "cuongnm")),
        edited(REQUESTS, put("Đăng ký", "H172", "T2 sáng tiết 9")),
    )
    with pytest.raises(Invalid) as refused:
        imports.import_files(ctx, files)
    assert len(refused.value.problems) == 2
    assert rows(ctx) == {}


def test_database_refusal_in_the_middle_leaves_every_table_empty(ctx: Context) -> None:
    with ctx.transaction() as db:
        db.execute(sa.text("DROP TABLE request_slots"))
    with pytest.raises(sa.exc.DBAPIError):
        imports.import_files(ctx, examples())
    with ctx.reading() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(tables.persons)) == 0


def test_dry_run_counts_and_leaves_nothing(ctx: Context) -> None:
    summary = imports.import_files(ctx, examples(), dry_run=True)
    assert summary.dry_run
    assert summary.counts == {noun: Count(new=count) for noun, count in WHOLE.items()}
    assert rows(ctx) == {}


def test_schools_alone_then_the_other_lists(ctx: Context) -> None:
    first = imports.import_files(ctx, [example(SCHOOLS)])
    assert set(changed(first)) == {"terms", "schools", "periods"}
    second = imports.import_files(ctx, [example(REQUESTS), example(TEACHERS)])
    assert set(changed(second)) == {"donor_schools", "teachers", "classes", "requests"}
    assert second.term == TERM
    assert as_sets(exports.export_instance(ctx)) == as_sets(reference())


def mend_teacher(book: Workbook) -> None:
    sheet = book["Giáo viên"]
    sheet["B7"], sheet["C7"], sheet["K7"], sheet["M7"] = (
        "Lê Mai Ngà",
        "TH Mới",
        "T2 08:00-09:00",
        None,
    )


@pytest.mark.parametrize(
    ("name", "edit", "expected"),
    [
        (
            TEACHERS,
            mend_teacher,
            {"donor_schools": Count(1, 0, 121), "teachers": Count(0, 1, 202)},
        ),
        (SCHOOLS, put("Trường", "E2", 4), {"schools": Count(0, 1, 16)}),
        (SCHOOLS, put("Học kỳ", "E2", "20/11/2023"), {"terms": Count(0, 1, 0)}),
        (REQUESTS, put("Đăng ký", "C5", 21), {"classes": Count(0, 1, 167)}),
        (REQUESTS, put("Đăng ký", "J5", "T7 sáng tiết 1"), {"requests": Count(0, 1, 167)}),
    ],
)
def test_mended_list_changes_what_was_mended(
    full: Context, name: str, edit: Callable[[Workbook], None], expected: dict[str, Count]
) -> None:
    mended = edited(name, edit)
    assert changed(imports.import_files(full, [mended])) == expected
    assert imports.import_files(full, [mended]).changes_nothing
    imports.import_files(full, [example(name)])
    assert as_sets(exports.export_instance(full)) == as_sets(reference())


def test_new_contact_takes_the_role_of_the_former_one(full: Context) -> None:
    imports.import_files(full, [edited(SCHOOLS, put("Trường", "G2", "moi@yb.example"))])
    with full.reading() as db:
        programme = terms.all_programmes(db)[0]
        school = terms.schools(db, programme.id)[0]
        contact = people.person(db, *recipients.of_schools(db, [school.id])[school.id])
        assert contact.email == "moi@yb.example"
        former = people.by_email(db, "yb01@yb.example")
        assert former is not None
        assert people.grants(db, former.id) == ()


def test_slots_follow_their_period_when_its_bell_moves(full: Context) -> None:
    def ring_later(book: Workbook) -> None:
        book["Khung giờ"]["D6"], book["Khung giờ"]["E6"] = "10:20", "10:55"

    summary = imports.import_files(full, [edited(SCHOOLS, ring_later)])
    assert summary.periods == Count(0, 1, 151)
    assert summary.requests.changed > 0
    with full.reading() as db:
        term = terms.find(db, TERM)
        assert term is not None
        slots = requests.of_term(db, term.id)[0].slots
    assert [(slot.weekday, slot.start, slot.end) for slot in slots][:2] == [
        (1, 620, 655),
        (3, 435, 470),
    ]


def test_withdrawn_request_stays_withdrawn(full: Context) -> None:
    with full.transaction() as db:
        first = sa.select(sa.func.min(tables.requests.c.id)).scalar_subquery()
        db.execute(
            tables.requests.update()
            .where(tables.requests.c.id == first)
            .values(withdrawn_at=full.now())
        )
    mended = edited(REQUESTS, put("Đăng ký", "G5", 3))
    assert imports.import_files(full, [mended]).changes_nothing
    assert len(exports.export_instance(full)["requests"]) == 167


def test_second_request_of_a_class_has_its_own_key(full: Context) -> None:
    def add(book: Workbook) -> None:
        line = ["YB01", "3A#2", 20, 1, "11/09/2023", "03/12/2023", 1, "T2 sáng tiết 1"]
        for column, value in enumerate(line, start=1):
            book["Đăng ký"].cell(173, column, value)

    assert imports.import_files(full, [edited(REQUESTS, add)]).requests == Count(1, 0, 168)
    assert exports.export_instance(full)["requests"][-1]["id"] == "YB01/3A#2"
    assert imports.import_files(full, list(exports.export_workbooks(full).items())).changes_nothing


def test_exported_workbooks_change_nothing_and_found_the_same_programme(
    full: Context, tmp_path: Path
) -> None:
    exported = list(exports.export_workbooks(full).items())
    assert [name for name, _ in exported] == [SCHOOLS, TEACHERS, REQUESTS]
    assert imports.import_files(full, exported).changes_nothing
    instance = exports.export_instance(full)
    with full.transaction() as db:
        before = rosters.roster(db, 1, terms.find(db, None))
        for table in reversed(tables.metadata.sorted_tables):
            if table not in (tables.audits, tables.audit_seals):  # the record stays
                db.execute(table.delete())
    imports.import_files(full, exported)
    with full.reading() as db:
        programme = terms.all_programmes(db)[0]
        assert rosters.roster(db, programme.id, terms.find(db, None)) == before
    assert exports.export_instance(full) == instance


def test_the_same_lists_as_csv_change_nothing_and_mean_the_same(ctx: Context) -> None:
    imports.import_files(ctx, examples())
    exported = list(exports.export_csvs(ctx).items())
    assert [name for name, _ in exported] == [
        "truong.csv", "khung-gio.csv", "hoc-ky.csv", "giao-vien.csv", "dang-ky.csv",
    ]  # fmt: skip
    assert imports.import_files(ctx, exported).changes_nothing


def as_file(instance: dict[str, Any]) -> tuple[str, bytes]:
    return "du-lieu-xep-lich.json", json.dumps(instance, ensure_ascii=False).encode()


def test_an_instance_that_was_exported_changes_nothing(ctx: Context) -> None:
    imports.import_files(ctx, examples())
    instance = exports.export_instance(ctx)
    assert imports.import_files(ctx, [as_file(instance)]).changes_nothing
    instance["teachers"][0]["max_total"] = 3
    instance["schools"][0]["rooms"] = 2
    found = changed(imports.import_files(ctx, [as_file(instance)]))
    assert found == {"teachers": Count(0, 1, 202), "schools": Count(0, 1, 16)}
    assert as_sets(exports.export_instance(ctx)) == as_sets(instance)


def test_an_instance_alone_founds_a_programme_that_means_it(ctx: Context) -> None:
    imports.import_files(ctx, [as_file(reference())])
    assert as_sets(exports.export_instance(ctx)) == as_sets(reference())


def test_an_instance_that_is_wrong_is_told_at_its_entries(ctx: Context) -> None:
    imports.import_files(ctx, examples())
    instance = exports.export_instance(ctx)
    instance["teachers"][4]["levels"] = ["kindergarten"]
    instance["requests"][0]["slots"][0]["weekday"] = 9
    with pytest.raises(Invalid) as refused:
        imports.import_files(ctx, [as_file(instance)])
    assert [str(x.where).rpartition(", column")[0] for x in refused.value.problems] == [
        "du-lieu-xep-lich.json, sheet Giáo viên (instance), row 6",
        "du-lieu-xep-lich.json, sheet Đăng ký (instance), row 2",
    ]
    for data in (b"{}", b'{"version": 2}', b'{"a": ' * 3000, b'{"version": 1, "teachers": 7}'):
        with pytest.raises(Invalid) as refused:
            imports.import_files(ctx, [("x.json", data)])
        assert "not an instance" in str(refused.value.problems[0].what)


def test_texts_like_formulas_survive_the_round_trip(ctx: Context) -> None:
    def spice(book: Workbook) -> None:
        sheet = book["Giáo viên"]
        sheet["B7"], sheet["C7"], sheet["F7"] = "'=1+1", "@THCS", "+84 912 345 678"
        sheet["F7"].data_type = "s"

    imports.import_files(ctx, with_files(edited(TEACHERS, spice)))
    for exported in (exports.export_workbooks(ctx), exports.export_csvs(ctx)):
        assert imports.import_files(ctx, list(exported.items())).changes_nothing
    teacher = exports.export_instance(ctx)["teachers"][0]
    assert (teacher["name"], teacher["phone"]) == ("=1+1", "+84 912 345 678")


def test_teacher_edits_on_the_web_are_exported(full: Context) -> None:
    with full.transaction() as db:
        term = terms.find(db, TERM)
        assert term is not None
        owner, pledge = next(iter(availability.pledges(db, term.id).items()))
        windows = (replace(pledge.windows[0], last_day=term.last_day, if_needed=True),)
        availability.save(db, term.id, {owner: replace(pledge, windows=windows)})
        assert availability.pledge(db, term.id, owner) == replace(pledge, windows=windows)
    teacher = exports.export_instance(full)["teachers"][0]
    assert teacher["available"] == [
        {
            "weekday": 3,
            "start": "13:10",
            "end": "16:15",
            "last_day": "2024-01-07",
            "if_needed": True,
        }
    ]
    assert imports.import_files(full, list(exports.export_workbooks(full).items())).changes_nothing


def test_unknown_term_is_refused(full: Context) -> None:
    with pytest.raises(Invalid) as refused:
        imports.import_files(full, [example(TEACHERS)], term_code="HK9")
    assert str(refused.value.problems[0].what) == (
        f"There is no term with the code HK9. Known: ('{TERM}',)."
    )


def test_second_term_takes_its_own_pledges(full: Context) -> None:
    def next_term(book: Workbook) -> None:
        for column, value in zip(
            "ABCDE", ("HK2", "Học kỳ II", "15/01/2024", "26/05/2024", None), strict=True
        ):
            book["Học kỳ"][f"{column}2"] = value

    summary = imports.import_files(full, [edited(SCHOOLS, next_term)])
    assert (summary.term, summary.terms) == ("HK2", Count(new=1))

    def in_spring(book: Workbook) -> None:
        for row in book["Giáo viên"].iter_rows(min_row=7, max_row=209):
            row[11].value = None

    pledged = imports.import_files(full, [edited(TEACHERS, in_spring)])
    assert pledged.term == "HK2"
    assert pledged.teachers == Count(changed=203)
    assert len(exports.export_instance(full)["teachers"]) == 203
    assert as_sets(exports.export_instance(full, TERM)) == as_sets(reference())


def test_published_lessons_are_the_current_plan_and_a_workbook(full: Context) -> None:
    with full.transaction() as db:
        term = terms.find(db, TERM)
        assert term is not None
        request = requests.of_term(db, term.id)[0]
        teacher = people.teachers(db, term.programme_id)[0]
        day = term.first_day
        place = Placement(request.id, day, 610, 645, teacher.id)
        timetable.apply(db, term, [Change(ChangeKind.ADDED, None, place)], {}, full.now(), "")
        assert lessons.find(db, term_id=term.id)[0].interval == dated(day, 610, 645, term.zone)
    assert exports.export_instance(full)["current"] == [
        {
            "request": "YB01/3A",
            "date": "2023-09-11",
            "start": "10:10",
            "end": "10:45",
            "teacher": "ngalm@c.example",
            "pinned": False,
        }
    ]
    assert exports.export_lessons(full).startswith(b"PK")


def test_only_who_may_import_does(full: Context) -> None:
    with full.reading() as db:
        programme = terms.all_programmes(db)[0]
        person = people.by_email(db, "yb01@yb.example")
    assert person is not None

    def actor(role: Role) -> Actor:
        grant = Grant(role, programme.id)
        return Actor(PersonId(person.id), "Cô Oanh", person.email, "vi", (grant,))

    for role in (Role.TEACHER, Role.SCHOOL, Role.DONOR_HEAD):
        with pytest.raises(NotFound):
            imports.import_files(full, examples(), actor=actor(role))
    mended = edited(SCHOOLS, put("Trường", "E2", 4))
    imports.import_files(full, [mended], actor=actor(Role.COORDINATOR))
    with full.reading() as db:
        line = db.execute(sa.select(tables.audits).order_by(tables.audits.c.id.desc())).first()
    assert line is not None
    assert line.person_id == person.id
    assert (line.before["schools"][0]["rooms"], line.after["schools"][0]["rooms"]) == (1, 4)


def test_reading_a_roster_takes_as_many_queries_for_one_school_as_for_seventeen(
    full: Context,
) -> None:
    def queries() -> int:
        count = 0

        def tick(*_: object) -> None:
            nonlocal count
            count += 1

        sa.event.listen(full.database.reader, "before_cursor_execute", tick)
        exports.export_workbooks(full)
        exports.export_instance(full)
        sa.event.remove(full.database.reader, "before_cursor_execute", tick)
        return count

    many = queries()
    with full.transaction() as db:
        keep = db.scalar(sa.select(sa.func.min(tables.teachers.c.id)))
        for name in ("availability", "absences", "pledge_levels", "school_wishes"):
            table = tables.metadata.tables[name]
            db.execute(table.delete())
        db.execute(tables.pledges.delete().where(tables.pledges.c.teacher_id != keep))
    assert queries() == many
