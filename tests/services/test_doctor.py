"""What the doctor says of the line on which people come."""

from dataclasses import replace

import pytest

from scheduler.origin import Origin, coming_from
from scheduler.services import accounts, system
from scheduler.services.system import Verdict

PEOPLE = ("teacher1", "teacher2", "schoolA", "coordinator")


def came(ctx, address, who):
    link = accounts.operator_link(ctx, f"{who.lower()}@x.example").rsplit("/", 1)[1]
    with coming_from(Origin("r", address)):
        accounts.sign_in(ctx, link, "any")


def told(ctx):
    return [x for x in system.doctor(ctx) if x.subject == "proxy"]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "::1", "fd00::7"])
def test_a_proxy_that_nobody_named_is_told_of(ctx, cast, address):
    for who in PEOPLE:
        came(ctx, address, who)
    [found] = told(ctx)
    assert found.verdict is Verdict.NOTE
    assert f"(4 people) came from {address}: that is a proxy" in str(found.sentence)


@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.7", "10.0.0.7"], ["10.0.0.7"] * 3 + ["10.0.0.8"], ["8.8.8.8"] * 4, [""] * 4, []],
)
def test_few_people_several_addresses_and_one_of_the_world_are_no_sign_of_it(ctx, cast, addresses):
    for who, address in zip(PEOPLE, addresses, strict=False):
        came(ctx, address, who)
    assert told(ctx) == []


def test_what_was_before_yesterday_or_comes_without_https_is_no_sign_of_it(ctx, cast, clock):
    for who in PEOPLE:
        came(ctx, "127.0.0.1", who)
    here = ctx.settings.model_copy(update={"base_url": "http://127.0.0.1:8000"})
    assert told(replace(ctx, settings=here)) == []
    clock.forward(hours=25)
    assert told(ctx) == []
