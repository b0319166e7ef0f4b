"""Tasks that teachers and schools have in common."""

import re

from playwright.sync_api import expect

from scheduler.locale import Language
from scheduler.store import people
from tests.journeys.stage import Visit

_NAMES = {Language.VI: "Tiếng Việt", Language.EN: "English"}


def switches_the_language(v: Visit, home: str) -> None:
    other = next(each for each in Language if each is not v.way.language)
    v.open(home)
    v.hands.send(v.page.get_by_role("banner").get_by_role("button", name=_NAMES[other]))
    expect(v.page.locator("html")).to_have_attribute("lang", other)
    assert v.page.url.endswith(home)
    v.fits()
    with v.ctx.reading() as db:
        person = people.person(db, v.actor.person_id)
    assert person is not None
    assert person.language == other


def takes_a_copy_of_the_data(v: Visit) -> None:
    v.open("/account")
    v.hands.send(v.link("What is kept about me"))
    v.fits()
    kept = v.file(v.button("Take the copy"))
    assert v.actor.email in str(kept)


def signs_out(v: Visit, home: str) -> None:
    v.open(home)
    footer = v.page.get_by_role("contentinfo")
    v.hands.send(footer.get_by_role("button", name=v.say("Sign out")))
    expect(v.page).to_have_url(re.compile("/sign-in"))
    v.fits()
    v.page.goto(home)
    expect(v.page).to_have_url(re.compile("/sign-in"))
