"""What stands on the pages is said in their language, and every day with its weekday.

That no message is untranslated or fuzzy is told by tests/locale/test_catalogues.py.
"""

import re
from html.parser import HTMLParser

import pytest

from scheduler.locale import Language, catalogue_path
from tests.journeys.trip import Trip
from tests.locale.test_catalogues import catalogue, forms

pytestmark = pytest.mark.browser

# Words that only an English sentence has; none is a syllable of Vietnamese.
_WORDS = """
    the and of your you are is with this that from have has not for will were been lesson lessons
    week weeks school schools teacher teachers class classes request requests please every each
    messages message people page sent read write ask asked again before after when which
"""
ENGLISH = frozenset(_WORDS.split())
# Words like those that a Vietnamese page may show, and why.
ALLOWED: dict[str, str] = {}
SILENT = {"script", "style", "template", "textarea", "title"}
VOID = {
    "meta",
    "link",
    "input",
    "br",
    "img",
    "hr",
    "use",
    "rect",
    "path",
    "circle",
    "line",
    "source",
}
SPOKEN = ("aria-label", "alt", "title", "placeholder")
DAY = re.compile(r"(?<![\d/.])\d{1,2}/\d{1,2}(?:/\d{4})?(?![\d/])")
WEEKDAY = re.compile(
    r"(?:Thứ (?:Hai|Ba|Tư|Năm|Sáu|Bảy)|Chủ nhật|Chủ Nhật|[Tt][2-7]|CN"
    r"|Mon|Tue|Wed|Thu|Fri|Sat|Sun)[ ,]*$"  # some pages say it in both languages
)
ADDRESS = re.compile(r"\S*(?:://|:\d{2,5}/)\S*")


class Reader(HTMLParser):
    """The words that a page shows or speaks, each with whether it is marked as another language."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[tuple[str, bool, str]] = []  # tag, silent, language
        self.said: list[tuple[str, str]] = []  # language, words
        self.feed(source)

    @property
    def language(self) -> str:
        return self.open[-1][2] if self.open else ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        language = given.get("lang") or self.language
        silent = tag in SILENT or bool(self.open and self.open[-1][1])
        self.said += [(language, given[name] or "") for name in SPOKEN if given.get(name)]
        if tag not in VOID:
            self.open.append((tag, silent, language))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        while self.open and any(each[0] == tag for each in self.open):
            if self.open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open and not self.open[-1][1]:
            self.said.append((self.language, data))


def untranslated() -> set[str]:
    """English sentences of two words or more whose Vietnamese is another."""
    vi = catalogue(Language.VI)
    found = {(forms(x.id)[0], forms(x.string)[0]) for x in vi if x.id}
    return {one for one, other in found if one != other and " " in one and "%" not in one}


def test_no_english_word_stands_on_a_vietnamese_page(trip: Trip) -> None:
    sentences, found = untranslated(), set()
    for stop, source in trip.texts("vi"):
        for language, words in Reader(source).said:
            if language != "vi":
                continue
            plain = " ".join(ADDRESS.sub("", words).split())
            english = {w for w in re.findall(r"[a-zA-Z]+", plain) if w.lower() in ENGLISH}
            if plain in sentences or english - ALLOWED.keys():
                found.add(f"{stop.path}: {plain[:120]}")
    assert not found, "\n".join(sorted(found))


def test_every_day_on_a_vietnamese_page_has_its_weekday(trip: Trip) -> None:
    found = set()
    for stop, source in trip.texts("vi"):
        text = " ".join(" ".join(words for _, words in Reader(source).said).split())
        for day in DAY.finditer(text):
            if not WEEKDAY.search(text[: day.start()]) and not _spared(text, day):
                found.add(f"{stop.path}: {text[max(0, day.start() - 50) : day.end() + 20]}")
    assert not found, "\n".join(sorted(found))


def _spared(text: str, day: re.Match[str]) -> bool:
    """An example of how to write; the other end of a span of days; lessons of those wished."""
    before, after = text[: day.start()], text[day.end() :]
    return bool(re.search(r"(?:Ví dụ|ví dụ|đến|–|từ|Từ)\s*$", before)) or bool(
        re.match(r"\s*(?:đến|–|tiết)", after)
    )


def test_a_reader_hears_what_is_shown_and_no_more() -> None:
    page = (
        '<p lang="vi">Xin <b lang="en">hello</b><br>chào<script>the</script></p>'
        '<a title="tên">x</a>'
    )
    said = Reader(page).said
    assert said == [("vi", "Xin "), ("en", "hello"), ("vi", "chào"), ("", "tên"), ("", "x")]


def test_there_is_a_catalogue_to_compare_with() -> None:
    assert catalogue_path(Language.VI).is_file()
    assert len(untranslated()) > 500
