"""From values to a page: the templates' environment, rendering, and redirects with a word."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

import rcssmin
from fastapi import Request
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.filters import do_striptags
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from scheduler import config, security
from scheduler.domain.accounts import SessionSeen
from scheduler.domain.grids import Placed
from scheduler.domain.joint_sessions import JointSession
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.errors import Text, text
from scheduler.locale import Language, spell, translate, translations, wording
from scheduler.services.context import Context
from scheduler.web import frame, guard, keeping
from scheduler.web.folding import FoldingEnvironment
from scheduler.web.terms import in_term

STATIC = Path(__file__).parent / "static"
STYLESHEET = "chungtay.css"
FLASH_SECONDS = 60

_SPOKEN = (
    wording.weekday,
    wording.weekday_long,
    wording.weekday_letters,
    wording.date_short,
    wording.date_long,
    wording.when,
    wording.number,
    wording.percent,
    wording.relative,
    wording.half_day,
    wording.half_day_of,
    wording.half_day_period,
    wording.half_day_letter,
    spell,
    translate,
)
_PLAIN = (wording.clock, wording.span)


# -- templates


def render(
    request: Request, template: str, *, status: int = 200, section: str = "", **values: object
) -> HTMLResponse:
    """The page for the reader of this request, in their language.

    `section` names the current place of the navigation when the address does not tell it.  A Text
    among the values is said in the reader's language wherever it is printed.
    """
    return render_for(request, guard.seen(request), template, status, section, values)


def render_for(
    request: Request,
    session: SessionSeen | None,
    template: str,
    status: int,
    section: str,
    values: Mapping[str, object],
) -> HTMLResponse:
    """`render` for a session that is known already: looks nobody up."""
    flash = _read_flash(request)
    page = frame.page_of(request, session, flash, section)
    language = frame.language_of(request, session)
    body = environment(language).get_template(template).render(page=page, **values)
    response = HTMLResponse(body, status)
    ctx: Context = request.app.state.ctx
    response.headers[keeping.HEADER] = keeping.reader(ctx.key, page.actor)
    # Told before the page itself, whose head is read a moment later: nothing is seen without it.
    response.headers["link"] = f"<{static(STYLESHEET)}>; rel=preload; as=style"
    if flash is not None:
        guard.set_cookie(response, ctx.settings, "flash", "", seconds=0)
    return response


def words(template: str, language: Language, **values: object) -> str:
    """What a template says, line by line and without its markup: to be sent, or written on."""
    lines = environment(language).get_template(template).render(**values).splitlines()
    return "\n".join(map(do_striptags, lines))


@cache
def environment(language: Language) -> FoldingEnvironment:
    """The templates in one language; what they print is escaped, what they miss is an error."""
    made = FoldingEnvironment(
        loader=FileSystemLoader(config.data_dir("templates")),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        auto_reload=False,  # asking whether a file has changed costs each page thirty looks
        undefined=StrictUndefined,
    )
    made.printed = _printing(language)
    made.policies["ext.i18n.trimmed"] = True
    made.say, made.fixed = translations(language).gettext, frozenset({"static", "icon"})
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    words: dict[str, Callable[..., object]] = {
        **{word.__name__: partial(word, language=language) for word in _SPOKEN},
        **{word.__name__: word for word in _PLAIN},
        "local": local,
        "title_of": title_of,
        "shown_state": shown_state,
    }
    made.filters.update(words)
    made.globals.update(words)
    made.globals.update(
        static=static,
        icon=icon,
        in_term=in_term,
        language=language.value,
        other_language=next(each.value for each in Language if each is not language),
        switch_url="/language",
    )
    return made


def _printing(language: Language) -> Callable[[object], str]:
    def printed(value: object) -> str:
        if type(value) is Markup:
            return value
        return escape(translate(value, language) if isinstance(value, Text) else value)

    return printed


def local(instant: datetime, zone: str) -> datetime:
    """The instant as the wall clock of that zone shows it."""
    return instant.astimezone(ZoneInfo(zone))


@cache
def static(name: str) -> str:
    """The address of a served file; it changes with the file's content."""
    content = stylesheet() if name == STYLESHEET else (STATIC / name).read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


@cache
def icon(name: str) -> Markup:
    """One drawing of static/icons.svg, which says nothing that the words beside it do not."""
    drawing = Markup('<svg class="i" aria-hidden="true"><use href="{}#i-{}"/></svg>')
    return drawing.format(static("icons.svg"), name)


@cache
def stylesheet() -> bytes:
    """The stylesheet as browsers get it: without the words that explain it."""
    made: bytes = rcssmin.cssmin((STATIC / STYLESHEET).read_bytes())
    return made


# -- what a lesson is called


def title_of(lesson: Lesson) -> Text:
    """Tiếng Anh 7B · Chiều tiết 2; without the period where the school has none at that time."""
    subject = text("English {class_name}", class_name=lesson.class_name)
    if lesson.half_day is None or lesson.period is None:
        return subject
    period = PERIODS[lesson.half_day.value]
    return text(
        "{subject} · {period}", subject=subject, period=Text(period, {"number": lesson.period})
    )


PERIODS = {
    "morning": "Morning period {number}",
    "afternoon": "Afternoon period {number}",
    "evening": "Evening period {number}",
}


def shown_state(lesson: Lesson | Placed | JointSession, now: datetime) -> str:
    """The state as readers see it: a scheduled lesson may be going on, or over and not reported."""
    if lesson.state is not LessonState.SCHEDULED or now < lesson.starts_at:
        return lesson.state.value
    return "live" if now < lesson.ends_at else "unknown"


# -- redirects


def see_other(path: str, flash: Text | str | None = None) -> Response:
    """Go on to another page of ours, which says the word once."""
    return SeeOther(path, flash)


class SeeOther(RedirectResponse):
    """303; the word travels in a signed cookie and is said in the language of whoever reads it."""

    def __init__(self, path: str, flash: Text | str | None) -> None:
        super().__init__(path, 303)
        self.flash = Text(flash) if isinstance(flash, str) else flash

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.flash is not None:
            ctx: Context = scope["app"].state.ctx
            written = _write_flash(ctx, self.flash)
            guard.set_cookie(self, ctx.settings, "flash", written, seconds=FLASH_SECONDS)
        await super().__call__(scope, receive, send)


def _write_flash(ctx: Context, said: Text) -> str:
    packed = json.dumps(_packed(said)).encode().hex()
    return f"{security.stamp(ctx.key, 'flash', packed)}.{packed}"


def _read_flash(request: Request) -> Text | None:
    ctx: Context = request.app.state.ctx
    written = request.cookies.get(guard.cookie_name(ctx.settings, "flash"), "")
    stamp, _, packed = written.partition(".")
    if not packed or not security.same(stamp, security.stamp(ctx.key, "flash", packed)):
        return None
    found = _unpacked(json.loads(bytes.fromhex(packed)))
    return found if isinstance(found, Text) else None


def _packed(value: object) -> object:
    match value:
        case Text():
            return {"say": value.msgid, "with": {k: _packed(v) for k, v in value.values.items()}}
        case date() | datetime() | time():
            return spell(value, Language.VI)  # days and times are written alike in all languages
        case _:
            return value


def _unpacked(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return Text(value["say"], {k: _unpacked(v) for k, v in value["with"].items()})
