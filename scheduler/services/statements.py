"""A record as a file: a paper, a workbook, or a table."""

from dataclasses import replace

from scheduler.delivery import papers
from scheduler.exchange import writing
from scheduler.locale import Language
from scheduler.services import paperwork
from scheduler.services.records import Record


def paper(record: Record) -> bytes:
    """The record as a PDF, in Vietnamese and then in English.  Raises NoPaper."""
    return papers.printed([papers.page("record", paperwork.record(record))])[0]


def short_paper(record: Record, language: Language) -> bytes:
    """The record of a programme as a PDF in one language, without its two longest tables, those of
    classes and teachers: of hundreds they take minutes to lay out.  Raises NoPaper."""
    short = replace(record, short=True)
    return papers.printed([papers.page("record", paperwork.record(short, [language]))])[0]


def workbook(record: Record) -> bytes:
    """The record as a workbook with a sheet for each way to divide it."""
    return writing.tables_workbook(
        (table.heading, table.names, table.rows) for table in paperwork.sheets(record)
    )


def table(record: Record) -> bytes:
    """The record's own lines as CSV, which spreadsheets open."""
    lines = paperwork.long_table(record.lines)
    return writing.csv_table(lines.names, lines.rows)
