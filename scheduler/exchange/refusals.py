"""Why a file as a whole is not taken; each sentence says what its sender can do."""

from scheduler.errors import Text, text
from scheduler.exchange.faults import UnreadableError

EMPTY = text("The file is empty: it has no rows. Send the list anew.")
TOO_MANY_BYTES = text(
    "The file has {size} MB; a workbook may have {most} MB. Remove pictures and other sheets."
)
LOCKED = text(
    "The workbook is locked with a password. Remove the password in Excel and save it anew."
)
OLD_KIND = text(
    "This is a workbook of the old kind (.xls). Open it in Excel and save it as “Excel"
    " Workbook (*.xlsx)”."
)
NO_WORKBOOK = text(
    "This is not an Excel workbook. Open it in Excel and save it as “Excel Workbook (*.xlsx)”."
)
CUT_OFF = text("The workbook is cut off or damaged. Send it anew.")
DAMAGED = text(
    "The workbook is damaged and cannot be read. Open it in Excel, save it again and send it anew."
)
INFLATED = text(
    "Unpacked, the file would be {size} MB in {parts} parts: too large for a list."
    " Copy the table into a new workbook."
)
TOO_MANY_SHEETS = text(
    "The workbook has {sheets} sheets; at most {most} are read. Delete those that do not belong to"
    " the lists, or send them in parts."
)
MACROS = text("The workbook contains macros. Save it as “Excel Workbook (*.xlsx)”, without macros.")
OTHER_ARCHIVE = text(
    "This is an archive, but no Excel workbook. Open the list in Excel and save it as"
    " “Excel Workbook (*.xlsx)”."
)
TOO_LARGE = text(
    "Sheet {sheet} has entries beyond row {rows} or column {columns}. Delete what does not"
    " belong to the list, or send the list in parts."
)
TOO_LONG = text(
    "The file has entries beyond row {rows} or column {columns}. Delete what does not"
    " belong to the list, or send the list in parts."
)
RENAMED = text(
    "The file is called a workbook, and is none: it holds plain text. Open it in Excel and save it"
    " as “Excel Workbook (*.xlsx)”, or give it a name that ends in .csv."
)
NO_TEXT = text(
    "This is neither an Excel workbook nor a list as CSV: line {line} holds a NUL character."
    " Open the list in Excel and save it as “Excel Workbook (*.xlsx)”."
)
MIXED = text(
    "Line {line} is written in another encoding than the lines above it. Open the list in Excel"
    " and save it as “CSV UTF-8 (*.csv)”."
)
UNQUOTED = text(
    "Row {row} cannot be read: a quotation mark in it is not closed, or a cell has more than {most}"
    " letters. Correct the row."
)
BROKEN_CALENDAR = text(
    "The calendar breaks off or is put together wrongly. Save it anew as a file .ics."
)
NO_INSTANCE = text(
    "This is not an instance of the matching problem, version 1, as JSON. Export it again."
)
BEYOND = text(
    "The file is too large or too tangled to be read. Copy the table into a new workbook."
)

KNOWN = {
    sentence.msgid: sentence
    for sentence in (
        *(EMPTY, TOO_MANY_BYTES, LOCKED, OLD_KIND, NO_WORKBOOK, CUT_OFF, DAMAGED, INFLATED),
        *(MACROS, OTHER_ARCHIVE, TOO_LARGE, TOO_LONG, RENAMED, NO_TEXT, MIXED, UNQUOTED),
        *(BROKEN_CALENDAR, NO_INSTANCE, BEYOND),
    )
}


def error(sentence: Text, **values: int | float | str) -> UnreadableError:
    """One of these sentences to raise, with what fills its places."""
    return UnreadableError(Text(sentence.msgid, values))
