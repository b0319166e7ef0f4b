"""The languages people read us in: a sentence by its English msgid becomes theirs.

Catalogues are `<language>/LC_MESSAGES/messages.po`, read as they are; `make messages` gathers
new sentences into them.
"""

import gettext
from datetime import date, datetime, time
from enum import StrEnum
from functools import cache
from io import BytesIO
from pathlib import Path
from string import Formatter

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from scheduler.errors import Text


class Language(StrEnum):
    """A language we speak."""

    VI = "vi"
    EN = "en"


LANGUAGES = tuple(language.value for language in Language)
DEFAULT = Language.VI

# A group of three digits and the decimal mark, where Python writes "," and ".".
_MARKS = {Language.VI: str.maketrans(",.", ".,"), Language.EN: str.maketrans("", "")}


def catalogue_path(language: Language) -> Path:
    """Where the catalogue of a language lies."""
    return Path(__file__).parent / language / "LC_MESSAGES" / "messages.po"


@cache
def translations(language: Language) -> gettext.NullTranslations:
    """The catalogue of a language, as Jinja's i18n extension takes it."""
    compiled = BytesIO()
    with catalogue_path(language).open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def translate(message: Text | str, language: Language) -> str:
    """The sentence in that language, its places filled in the manner of that language.

    A msgid without a translation stays English; a place without a value stays as it is written:
    an error page must not fail on its own words.
    """
    if isinstance(message, str):
        message = Text(message)
    sentence = translations(language).gettext(message.msgid) if message.msgid else ""
    if not message.values:
        return sentence
    places = _Places(message.values)
    if all(type(value) is str for value in places.values()):  # the same, in a fifth of the time
        return sentence.format_map(places)
    return _Filler(language).vformat(sentence, (), places)


def spell(value: object, language: Language) -> str:
    """A value as it stands in a sentence: 2.025 or 2,025; 02/10/2023; 07:55; nested sentences."""
    match value:
        case Text():
            return translate(value, language)
        case bool():
            return str(value)
        case int():
            return f"{value:,}".translate(_MARKS[language])
        case float():
            return _trimmed(f"{value:,.2f}").translate(_MARKS[language])
        case datetime():
            return f"{value:%d/%m/%Y %H:%M}"
        case date():
            return f"{value:%d/%m/%Y}"
        case time():
            return f"{value:%H:%M}"
        case tuple() | list():
            return ", ".join(spell(item, language) for item in value)
        case _:
            return str(value)


def _trimmed(decimal: str) -> str:
    return decimal.rstrip("0").rstrip(".")


class _Places(dict[str, object]):
    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


class _Filler(Formatter):
    def __init__(self, language: Language) -> None:
        self.language = language

    def format_field(self, value: object, format_spec: str) -> str:
        if not format_spec:
            return spell(value, self.language)
        plain = str(format(value, format_spec))
        return plain.translate(_MARKS[self.language]) if isinstance(value, int | float) else plain
