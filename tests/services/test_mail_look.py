"""How mails look: every word readable in light and dark, by the rules of WCAG 2.2."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest

from scheduler.delivery.mail import Letter
from scheduler.domain.lessons import LessonState
from scheduler.domain.messages import MessageKind
from scheduler.domain.plans import ChangeKind
from scheduler.domain.reminders import Side
from scheduler.locale import Language
from scheduler.services import letters
from scheduler.services.letters import Reader
from tests.services.test_invitations import BASE, LESSON, NOW

READABLE = 4.5
OFF = replace(LESSON, id=2, state=LessonState.CANCELLED, cancel_reason="Bão")
MOVED = replace(LESSON, id=3, moved_from=LESSON.starts_at - timedelta(days=1))
AWAY = replace(LESSON, id=4, teacher_person_id=2)
HERE = NOW.astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))


def every_letter(language: Language) -> dict[str, Letter]:
    teacher = Reader(1, "Cô Lan", language, Side.TEACHER, BASE, f"{BASE}/stop/abc")
    school = replace(teacher, side=Side.SCHOOL)
    changes = [(ChangeKind.ADDED, LESSON), (ChangeKind.DROPPED, OFF)]
    changes += [(ChangeKind.MOVED, MOVED), (ChangeKind.RESTAFFED, AWAY)]
    until = HERE + timedelta(minutes=15)
    return {
        "day before": letters.reminder(MessageKind.DAY_BEFORE, LESSON, teacher),
        "hour before": letters.reminder(MessageKind.HOUR_BEFORE, LESSON, teacher),
        "soon": letters.reminder(MessageKind.SOON, LESSON, teacher),
        "school": letters.reminder(MessageKind.DAY_BEFORE, LESSON, school),
        "called off": letters.called_off(OFF, school),
        "changes": letters.timetable(changes, replace(teacher, stop_url=None)),
        "sign in": letters.sign_in(f"{BASE}/s", "ABCD1234", HERE, until, teacher),
    }


# -- a reader of colours


@dataclass(frozen=True)
class Seen:
    """A piece of text with its colour and what is behind it."""

    words: str
    ink: str
    ground: str


@dataclass(frozen=True)
class Element:
    name: str
    classes: frozenset[str]
    ink: str
    ground: str
    hidden: bool

    def fits(self, simple: str) -> bool:
        return simple[1:] in self.classes if simple[0] == "." else simple == self.name


class Eyes(HTMLParser):
    """Goes through a mail as a program in this scheme shows it.

    Light is what stands inline, all that a program sees which drops the sheet.
    """

    def __init__(self, html: str, *, dark: bool) -> None:
        super().__init__()
        sheet = re.search(r"@media \(prefers-color-scheme:dark\)\{\n(.*?)\n\}\n", html, re.S)
        assert sheet is not None
        self.rules = list(_rules(sheet[1])) if dark else []
        self.line = [Element("page", frozenset(), "#000000", "#ffffff", hidden=False)]
        self.seen: list[Seen] = []
        self.feed(html[html.index("<body") :])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            return
        told = {name: value or "" for name, value in attrs}
        outer = self.line[-1]
        found = Element(tag, frozenset(told.get("class", "").split()), "", "", hidden=False)
        style = _declared(told.get("style", ""))
        for selector, values in sorted(self.rules, key=lambda rule: _weight(rule[0])):
            *above, last = selector.split()
            near = all(any(x.fits(each) for x in self.line) for each in above)
            if near and found.fits(last):
                style |= values
        ink = style.get("color", "inherit")
        self.line.append(
            replace(
                found,
                ink=outer.ink if ink == "inherit" else ink,
                ground=style.get("background", outer.ground),
                hidden=outer.hidden or style.get("display") == "none",
            )
        )

    def handle_endtag(self, tag: str) -> None:
        if self.line[-1].name == tag:
            self.line.pop()

    def handle_data(self, data: str) -> None:
        here = self.line[-1]
        if data.strip() and not here.hidden:
            self.seen.append(Seen(data.strip(), here.ink, here.ground))


def _rules(sheet: str) -> list[tuple[str, dict[str, str]]]:
    found = re.findall(r"([^{}]+)\{([^{}]+)\}", sheet)
    return [(one.strip(), _declared(values)) for many, values in found for one in many.split(",")]


def _declared(style: str) -> dict[str, str]:
    pairs = (each.partition(":") for each in style.replace("!important", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _weight(selector: str) -> tuple[int, int]:
    return selector.count("."), len(selector.split())


def contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# -- what it finds


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_word_of_every_mail_can_be_read(language, dark):
    for kind, letter in every_letter(language).items():
        seen = Eyes(letter.html, dark=dark).seen
        assert len(seen) > 5, kind
        pale = [(x, contrast(x.ink, x.ground)) for x in seen]
        assert [each for each in pale if each[1] < READABLE] == [], kind


def test_dark_is_dark_and_light_is_light():
    html = every_letter(Language.VI)["changes"].html
    light, dark = (Eyes(html, dark=dark).seen for dark in (False, True))
    assert [x.words for x in light] == [x.words for x in dark]
    assert min(_luminance(x.ground) for x in light if x.words == "Chung Tay") > 0.8
    assert max(_luminance(x.ground) for x in dark if x.words == "Chung Tay") < 0.02
    assert all(a.ink != b.ink for a, b in zip(light, dark, strict=True))


def test_the_eyes_see_what_is_too_pale():
    sheet = "@media (prefers-color-scheme:dark){\n.s{background:#1c1f2c!important}\n}\n"
    page = "<body><p class='s' style='color:#4b4d5a;background:#ffffff'>x</p></body>"
    faint = Eyes(sheet + page, dark=True).seen
    assert [(x.ink, x.ground) for x in faint] == [("#4b4d5a", "#1c1f2c")]
    assert contrast("#4b4d5a", "#1c1f2c") < READABLE
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("language", list(Language))
def test_a_mail_says_why_it_came_and_how_to_stop(language):
    told = {
        Language.VI: ("nhận thư này vì", "Ngừng"),
        Language.EN: ("get this mail because", "Stop"),
    }
    why, stop = told[language]
    for kind, letter in every_letter(language).items():
        words = " ".join(x.words for x in Eyes(letter.html, dark=False).seen)
        stoppable = kind != "changes"
        assert why in words, kind
        assert why in letter.text, kind
        assert (f"{BASE}/stop/abc" in letter.html, f"{BASE}/stop/abc" in letter.text) == (
            stoppable,
            stoppable,
        ), kind
        assert (stop in words) == stoppable, kind
        assert "&" not in letter.text, kind


def test_a_list_of_mails_shows_what_the_subject_leaves_out():
    for kind, letter in every_letter(Language.VI).items():
        hidden = re.search(r'<div style="display:none[^>]*>([^<]*)</div>', letter.html)
        assert hidden is not None
        assert hidden[1].strip(), kind
        assert hidden[1].strip() not in letter.subject, kind
