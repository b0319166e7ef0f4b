"""How mails look: every word readable in light and dark, by the rules of WCAG 2.2."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from scheduler.delivery.mail import Letter
from scheduler.domain import joint_sessions
from scheduler.domain.cover import Wave
from scheduler.domain.joint_sessions import JointSession, Told
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.messages import Channel, Claimed, MessageKind
from scheduler.domain.news import Entry, News
from scheduler.domain.people import Person
from scheduler.domain.reminders import REMINDERS, Side
from scheduler.domain.swaps import Swap
from scheduler.locale import Language
from scheduler.services import letters
from scheduler.services.context import Context
from scheduler.services.facts import About, Change, OneLesson, OneSession
from scheduler.store.offers import Offer, OfferId
from tests.services.test_events_by_mail import BASE, LESSON, NOW

READABLE = 4.5
HOUR = timedelta(hours=1)
LAN = Person(1, "lan@x.example", "Cô Lan", "", "vi", active=True, reminders=True)
LATER = replace(LESSON, id=5, starts_at=LESSON.starts_at + HOUR, ends_at=LESSON.ends_at + HOUR)
LOOKING = replace(LESSON, id=6, state=LessonState.COVER)
OFF = replace(LESSON, id=2, state=LessonState.CANCELLED, cancel_reason="Bão", cancelled_by="Cô Mai")
MOVED = replace(LESSON, id=3, moved_from=LESSON.starts_at - timedelta(days=1))
AWAY = replace(LESSON, id=4, teacher_person_id=2)
OFFER = Offer(
    id=OfferId(1), call_id=1, lesson_id=6, teacher_id=1, person_id=1, name="Cô Lan",
    wave=Wave.CLASS, asked_at=NOW, deadline=NOW + HOUR, seen_at=None, ended_at=None, end=None,
    reason="",
)  # fmt: skip
DAY = {"day": "2023-10-04", "zone": "Asia/Ho_Chi_Minh"}
SESSION = JointSession(
    id=9, uid="u", join_token="t", programme_id=1, partnership_id=1, donor_unit="Long Biên",
    receiving_unit="Lục Yên", title="Ngữ âm", state=LessonState.SCHEDULED, starts_at=NOW + HOUR,
    ends_at=NOW + 2 * HOUR, zone="Asia/Ho_Chi_Minh", sequence=1, created_at=NOW, changed_at=NOW,
    moved_from=None, meeting_url=None, usual_place=None, cancel_reason="Bão", cancelled_by="Cô Mai",
)  # fmt: skip
KNEW = Told(NOW + 3 * HOUR, NOW + 4 * HOUR, "Ngữ âm", off=False)
PAYLOADS = {
    MessageKind.DIGEST: {"day": "2023-10-02", "days": 7, "zone": "Asia/Ho_Chi_Minh"},
    MessageKind.DAY_BEFORE: DAY,
    MessageKind.NOTE: {
        "words": "Thầy cô ơi,\nmai trường mất điện.", "name": "Cô Mai", "email": "mai@x.example"
    },
    MessageKind.FACTOR_NOTICE: {"what": "reset"},
    MessageKind.SIGN_IN: {"url": f"{BASE}/sign-in/s", "code": "ABCD1234"},
    MessageKind.INVITATION: {
        "url": f"{BASE}/invitation/s", "role": "teacher", "school": "THCS Ái Mộ",
        "programme": "Hà Nội – Yên Bái", "by": "Cô Mai",
    },
    MessageKind.NEW_ADDRESS: {"url": f"{BASE}/address/s"},
    MessageKind.ADDRESS_NOTICE: {"why": "asked"},
}  # fmt: skip
THANKS = {
    "name": "Cô Mai", "email": "mai@x.example",
    "thanks": {
        "programme": "Hà Nội – Yên Bái", "first": "02/10/2023", "last": "31/12/2023",
        "lessons": 12, "minutes": 540, "classes": 2, "code": "QK7M-2XWP-9RTD",
    },
}  # fmt: skip
NEWS = {
    News.OFFERED: replace(LOOKING, teacher_person_id=2),
    News.SWAP_ASKED: replace(LESSON, id=7, teacher_person_id=2),
    News.NEW: LESSON,
    News.MOVED: MOVED,
    News.OTHER_TEACHER: AWAY,
    News.GIVEN_AWAY: AWAY,
    News.JOINED: LESSON,
    News.CALLED_OFF: OFF,
    News.SWAP_FAILED: replace(LESSON, id=8),
    News.THANKED: LATER,
}
SWAP = Swap(
    1, 7, 0, 2, 5, 0, 1, "Hôm đó tôi chấm thi", NOW - HOUR, NOW + 9 * HOUR, ended_at=None, end=None
)
SWAPPED = (News.SWAP_ASKED, News.SWAP_FAILED)


@pytest.fixture
def database_url(tmp_path):
    """Nothing here asks a database: once is enough."""
    return f"sqlite:///{tmp_path / 'none.db'}"


def every_letter(ctx: Context, language: Language) -> dict[str, tuple[MessageKind, Letter]]:
    """Each kind of mail, in its different shapes."""
    lesson = about([LESSON])
    several = about([LESSON, LATER, LOOKING], confirmed={LATER.id})
    told = {
        "digest": (MessageKind.DIGEST, several),
        "digest of a school": (MessageKind.DIGEST, about([LESSON, LATER], Side.SCHOOL)),
        "day before": (MessageKind.DAY_BEFORE, lesson),
        "day before, several": (MessageKind.DAY_BEFORE, several),
        "day before, a school": (MessageKind.DAY_BEFORE, about([LESSON], Side.SCHOOL)),
        "hour before": (MessageKind.HOUR_BEFORE, lesson),
        "hour before, looking for cover": (MessageKind.HOUR_BEFORE, about([LOOKING])),
        "soon": (MessageKind.SOON, lesson),
        "changes": (MessageKind.CHANGES, changes(list(News))),
        "called off": (MessageKind.CALLED_OFF, about([OFF])),
        "called off, a school": (MessageKind.CALLED_OFF, about([OFF], Side.SCHOOL)),
        "cover wanted": (
            MessageKind.COVER_WANTED, replace(about([LOOKING], Side.SCHOOL), reason="sick: sốt")
        ),
        "note": (MessageKind.NOTE, About(LAN)),
        "sign in": (MessageKind.SIGN_IN, About(LAN)),
        "factor notice": (MessageKind.FACTOR_NOTICE, About(LAN)),
        "invitation": (MessageKind.INVITATION, About(LAN)),
        "new address": (MessageKind.NEW_ADDRESS, About(LAN)),
        "address notice": (MessageKind.ADDRESS_NOTICE, About(LAN)),
    }  # fmt: skip
    kinds = (MessageKind.JOINT_DAY, MessageKind.JOINT_HOUR)
    told |= {kind.value: (kind, About(LAN, meeting=OneSession(SESSION))) for kind in kinds}
    told |= {
        f"joint: {each}": (
            MessageKind.JOINT_NEWS, About(LAN, meeting=OneSession(SESSION, each, KNEW))
        )
        for each in joint_sessions.News
    }  # fmt: skip
    thanks = {
        "a note of thanks": (
            MessageKind.NOTE,
            made(ctx, MessageKind.NOTE, About(LAN), language, THANKS),
        )
    }
    told |= {f"changes: {each}": (MessageKind.CHANGES, changes([each])) for each in News}
    return thanks | {
        name: (kind, made(ctx, kind, what, language)) for name, (kind, what) in told.items()
    }


def about(lessons: list[Lesson], side: Side = Side.TEACHER, confirmed=frozenset()) -> About:
    return About(LAN, side, tuple(OneLesson(each, side, each.id in confirmed) for each in lessons))


def changes(told: list[News]) -> About:
    found = []
    for each in told:
        lesson = NEWS[each]
        side = Side.SCHOOL if each is News.OTHER_TEACHER else Side.TEACHER
        was = lesson.moved_from or lesson.starts_at
        offer = OFFER if each is News.OFFERED else None
        swap = {"swap": SWAP, "instead": LATER} if each in SWAPPED else {}
        joins = "7B" if each is News.JOINED else ""
        entry = Entry(lesson.id, side, was=was, by="Cô Mai", reason=joins)
        found.append(Change(each, entry, lesson, offer=offer, **swap))
    return About(LAN, changes=tuple(found))


def made(
    ctx: Context, kind: MessageKind, what: About, language: Language, payload: dict | None = None
) -> Letter:
    message = Claimed(
        id=1, key="k:mail", kind=kind, channel=Channel.MAIL, person_id=LAN.id, lesson_id=None,
        sequence=None, payload=PAYLOADS.get(kind, {}), due_at=NOW, useless_after=NOW + HOUR / 4,
        attempts=0, message_id="<k@chungtay.example>", lease_token="",
    )  # fmt: skip
    if payload:
        message = replace(message, payload=payload)
    reader = replace(what.person, language=language.value)
    return letters.letter(ctx, message, replace(what, person=reader))[1]


def test_every_kind_of_mail_is_looked_at(ctx):
    looked_at = {kind for kind, _ in every_letter(ctx, Language.VI).values()}
    assert looked_at == set(MessageKind)


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
def test_every_word_of_every_mail_can_be_read(ctx, language, dark):
    for kind, (_, letter) in every_letter(ctx, language).items():
        seen = Eyes(letter.html, dark=dark).seen
        assert len(seen) > 5, kind
        pale = [(x, contrast(x.ink, x.ground)) for x in seen]
        assert [each for each in pale if each[1] < READABLE] == [], kind


def test_dark_is_dark_and_light_is_light(ctx):
    html = every_letter(ctx, Language.VI)["changes"][1].html
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
def test_a_mail_says_why_it_came_and_how_to_stop(ctx, language):
    told = {
        Language.VI: ("nhận thư này vì", "Ngừng"),
        Language.EN: ("get this mail because", "Stop"),
    }
    why, stop = told[language]
    for name, (kind, letter) in every_letter(ctx, language).items():
        words = " ".join(x.words for x in Eyes(letter.html, dark=False).seen)
        stoppable = kind in REMINDERS
        assert why in words, name
        assert why in letter.text, name
        address = f"{BASE}/stop/"
        assert (address in letter.html, address in letter.text) == (stoppable, stoppable), name
        assert (stop in words) == stoppable, name
        assert "&" not in letter.text, name


def test_a_list_of_mails_shows_what_the_subject_leaves_out(ctx):
    for kind, (_, letter) in every_letter(ctx, Language.VI).items():
        hidden = re.search(r'<div style="display:none[^>]*>([^<]*)</div>', letter.html)
        assert hidden is not None, kind
        shown = set(re.findall(r"\w+", hidden[1]))
        assert shown - set(re.findall(r"\w+", letter.subject)), kind
