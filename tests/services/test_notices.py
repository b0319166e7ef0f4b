"""Messages in a few words: what leaves for browsers, and what a gateway is given."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler.delivery.channels import Parcel
from scheduler.delivery.notices import Notice
from scheduler.domain.messages import Channel
from scheduler.domain.news import Entry, Gathering
from scheduler.domain.reminders import Side
from scheduler.domain.telephones import fits
from scheduler.services import notices, parcels
from scheduler.services.parcels import Dropped, Ready
from scheduler.store import people, tables
from tests.faults.kit import book, write
from tests.services.ways_kit import claimed, have_device, have_phone, plan

TOLD = Notice(
    title="Thứ Tư 04/10 · 07:30–08:15: Tiếng Anh 7A · THCS A · Sáng tiết 1",
    body="Phòng mở\nlúc 07:20.",
    url="https://chungtay.example/j/abcdefghijklmnopqrstuv",
    tag="1:0",
    template="hour_before",
    parameters={"class": "7A"},
)


def made(ctx, cast, channel):
    """The words are another's work: here they are those above."""
    one = plan(ctx, cast["person_teacher1"], channel)
    with ctx.reading() as db:
        reader = people.person(db, cast["person_teacher1"])
    return notices.parcel(ctx, claimed(ctx, one), reader, TOLD)


def test_browsers_are_given_the_words_and_where_they_lead(ctx, cast):
    have_device(ctx, cast.actors["teacher1"], "https://push.test/1")
    have_device(ctx, cast.actors["teacher1"], "https://push.test/2")
    parcel = made(ctx, cast, Channel.PUSH)
    assert [json.loads(each)["endpoint"] for each in parcel.addresses] == [
        "https://push.test/1", "https://push.test/2",
    ]  # fmt: skip
    content = json.loads(parcel.content)
    assert content.pop("tag")
    assert content == {"title": TOLD.title, "body": TOLD.body, "url": TOLD.url, "lang": "vi"}
    assert parcel.life_seconds == 3600


def test_a_gateway_is_given_what_its_provider_asks_for(ctx, cast):
    have_phone(ctx, cast["person_teacher1"])
    parcel = made(ctx, cast, Channel.SMS)
    content = json.loads(parcel.content)
    assert parcel.addresses == ("+84912345678",)
    assert parcel.message_id == content["id"]
    assert content | {"id": ""} == {
        "id": "",
        "to": "+84912345678",
        "template": "hour_before",
        "parameters": {"class": "7A"},
        "language": "vi",
        "text": "Thu Tu 04/10 - 07:30-08:15: Tieng Anh 7A - THCS A - Sang tiet 1. "
        "Phong mo luc 07:20. https://chungtay.example/j/abcdefghijklmnopqrstuv",
        "useless_after": "2023-10-02T00:30:00+00:00",
    }
    assert fits(content["text"])


def test_marks_stay_where_the_operator_wants_them(ctx, cast):
    have_phone(ctx, cast["person_teacher1"])
    marked = replace(ctx, settings=ctx.settings.model_copy(update={"sms_plain": False}))
    text = json.loads(made(marked, cast, Channel.SMS).content)["text"]
    assert text == TOLD.title
    assert fits(text)


def test_zalo_has_room_for_all_words(ctx, cast):
    have_phone(ctx, cast["person_teacher1"])
    content = json.loads(made(ctx, cast, Channel.ZALO).content)
    assert content["text"] == f"{TOLD.title}\n{TOLD.body}\n{TOLD.url}"


def test_a_message_has_one_name_at_each_try_and_none_that_can_be_guessed(ctx, cast):
    one = plan(ctx, cast["person_teacher1"], Channel.SMS)
    first, again = notices.name(claimed(ctx, one)), notices.name(claimed(ctx, one))
    assert first == again
    number, _, stamp = first.partition("-")
    assert (number, len(stamp)) == (str(one), 32)


@pytest.mark.parametrize("channel", [Channel.PUSH, Channel.SMS, Channel.ZALO])
def test_other_ways_are_prepared_beside_mail(ctx, cast, channel):
    row = tables.persons
    lesson = book(ctx, cast, ctx.now() + timedelta(days=30))
    told = Gathering((Entry(lesson, Side.TEACHER),), ()).payload()
    one = claimed(ctx, plan(ctx, cast["person_teacher1"], channel, payload=told))
    [ready] = parcels.prepare(ctx, [one])
    assert isinstance(ready, Ready)
    assert isinstance(ready.parcel, Parcel)
    assert json.loads(ready.parcel.content)["url" if channel is Channel.PUSH else "text"]
    write(ctx, row, row.c.id == cast["person_teacher1"], active=False)
    [dropped] = parcels.prepare(ctx, [one])
    assert isinstance(dropped, Dropped)
