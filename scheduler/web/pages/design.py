"""The parts that all pages are made of, each in every state: for coordinators, and whoever builds.

Nothing here is read from the database: what is shown stands in `specimens`.
"""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.errors import Text, text
from scheduler.web.guard import CoordinatorActor
from scheduler.web.pages import specimens
from scheduler.web.view import render

router = APIRouter()

HERE = "/design"


@dataclass(frozen=True, slots=True)
class Colour:
    """A ground, and what stands on it: letters, and where there is one a line or an icon."""

    ground: str
    ink: str
    use: Text
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A token of the stylesheet that is no colour, its value, and what it is for."""

    token: str
    value: str
    use: Text | None = None


@router.get(HERE)
def page(request: Request, _actor: CoordinatorActor) -> Response:
    return render(
        request,
        "design/page.html",
        parts=PARTS,
        colours=COLOURS,
        letters=LETTERS,
        spaces=SPACES,
        corners=CORNERS,
        measures=MEASURES,
        monday=specimens.DAYS[0],
        tuesday=specimens.DAYS[1],
        days=specimens.DAYS,
        soon=specimens.SOON,
        states=specimens.STATES,
        told=specimens.TOLD,
        periods=specimens.PERIODS,
        clocks=specimens.CLOCKS,
        chosen=specimens.CHOSEN,
        full=specimens.FULL,
        ranks=specimens.RANKS,
        week=specimens.WEEK,
        halves=specimens.HALVES,
        candidates=specimens.CANDIDATES,
        pages=specimens.PAGES,
        two_terms=specimens.TWO_TERMS,
        shares=specimens.SHARES,
        course=specimens.COURSE,
        lines=specimens.LINES,
        gap=specimens.GAP,
        asked=specimens.ASKED,
        codes=specimens.CODES,
        link=specimens.LINK,
        qr=specimens.QR,
        letter=specimens.LETTER,
        tabs=specimens.TABS,
        wall=specimens.WALL,
    )


# The table of contents: the names of the partials under templates/design, and what they are called.
PARTS: dict[str, Text] = {
    "colours": text("Colours"),
    "measures": text("Letters, spaces, corners"),
    "buttons": text("Buttons"),
    "hero": text("The dark card"),
    "states": text("States of a lesson"),
    "signs": text("Availability and differences"),
    "notes": text("Notes"),
    "errors": text("What went wrong, and the way on"),
    "empty": text("Empty pages"),
    "layers": text("Toasts and dialogs"),
    "fields": text("Fields"),
    "choices": text("Choices"),
    "periods": text("Period grid"),
    "week": text("Week grid"),
    "tables": text("Tables"),
    "cards": text("Cards and lists"),
    "figures": text("Figures and shares"),
    "charts": text("Charts"),
    "waves": text("Waves"),
    "gaps": text("Why not, and the smallest change"),
    "codes": text("Keys, codes and letters"),
    "ways": text("Ways around"),
    "print": text("On paper"),
}

COLOURS = (
    Colour("paper", "ink", text("The ground of every page, and its text.")),
    Colour("surface", "ink-2", text("Cards, inputs and tables; secondary words."), "line"),
    Colour("sunken", "ink-2", text("Heads of tables and troughs of choices."), "edge"),
    Colour("cham", "on-cham", text("What can be pressed, and what is chosen.")),
    Colour("cham-press", "on-cham", text("The same under a finger.")),
    Colour("cham-tint", "cham", text("Today, and a chosen row.")),
    Colour("surface", "link", text("Links.")),
    Colour("lua", "on-lua", text("The next thing to do: once on a page.")),
    Colour("lua-press", "on-lua", text("The same under a finger.")),
    Colour("hero", "on-hero", text("The dark card."), "hero-line"),
    Colour("hero", "on-hero-2", text("Secondary words on the dark card.")),
    Colour("ok-tint", "ok", text("Done, free, held."), "ok-mark"),
    Colour("warn-tint", "warn", text("Somebody is needed."), "warn-mark"),
    Colour("bad-tint", "bad", text("A person must act now."), "bad-mark"),
    Colour("plan-tint", "plan", text("Planned, or good to know."), "plan-mark"),
    Colour("mute-tint", "mute", text("Over, or without weight."), "mute-mark"),
    Colour("focus-halo", "focus", text("The ring round what has the keyboard.")),
)

LETTERS = (
    Measure("t-3xl", "36 px", text("rare: the time in the dark card")),
    Measure("t-2xl", "28 px", text("the heading of a page")),
    Measure("t-xl", "22 px", text("the heading of a part")),
    Measure("t-lg", "18 px", text("the sentence below a heading")),
    Measure("t-md", "16 px", text("text")),
    Measure("t-sm", "14 px", text("tables and hints")),
    Measure("t-xs", "13 px", text("heads of tables, small labels")),
)
SPACES = tuple(
    Measure(f"s{n}", f"{px} px") for n, px in enumerate((4, 8, 12, 16, 24, 32, 48, 72), start=1)
)
CORNERS = (
    Measure("r1", "6 px", text("inputs")),
    Measure("r2", "10 px", text("buttons and notes")),
    Measure("r3", "16 px", text("cards")),
    Measure("r-full", "99 px", text("badges")),
)
MEASURES = (
    Measure("font", "Be Vietnam Pro", text("400 and 600; the device's own until it is there")),
    Measure("lh", "1.55", text("height of a line")),
    Measure("lh-tight", "1.32", text("in headings; never less: Ễ, Ậ and Ữ carry two marks")),
    Measure("touch", "44 px", text("least height of what a thumb presses")),
    Measure("measure", "42 rem", text("width of forms and of what is read")),
    Measure("wide", "84 rem", text("width of a page")),
    Measure("shadow-1", "1–2 px", text("barely above the ground")),
    Measure(
        "shadow-2", "12–32 px", text("the dark card, a toast, a dialog; other cards have a line")
    ),
    Measure("fast", "0.12 s", text("a colour that changes")),
    Measure(
        "slow", "0.24 s", text("a toast that comes; both stand still where motion is unwanted")
    ),
    Measure("ease", "cubic-bezier", text("how they begin and end")),
)
