"""A CalDAV server takes every event of every feed and gives it back as the database has it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from .caldav import Server, resources, running
from .conftest import FEEDS, MANNERS
from .expected import facts, shown
from .readers import Seen, by_icalendar, by_uid


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("radicale")) as found:
        yield found


@pytest.mark.parametrize("manner", [MANNERS[0], MANNERS[-1]], ids=["plain", "every option"])
def test_a_server_takes_each_event_and_gives_it_back(story, database, feed_of, server, manner):
    for kind, owner in FEEDS:
        body, calendar = feed_of(kind, owner, **manner), uuid4().hex
        events = by_uid(by_icalendar(body))
        assert server.make(calendar) == 201
        alone = resources(body)
        assert len(alone) == len(events)
        for uid, resource in alone.items():
            assert server.put_event(calendar, uid, resource) == 201, resource
        assert all(_one(server.get_event(calendar, event.uid)) == event for event in events)
        reported = by_uid(map(_one, server.report(calendar)))
        assert reported == events
        expected = shown(database, kind, story.ids[owner], **manner)
        assert {event.uid: facts(event, expected[event.uid]) for event in reported} == expected


@pytest.mark.parametrize("manner", [MANNERS[0], MANNERS[-1]], ids=["plain", "every option"])
def test_a_server_takes_a_whole_calendar_and_gives_it_back(story, feed_of, server, manner):
    for kind, owner in FEEDS:
        for language in ("vi", "en"):
            body, calendar = feed_of(kind, owner, language, **manner), uuid4().hex
            assert server.put_calendar(calendar, body) == 201
            events = by_uid(by_icalendar(body))
            assert by_uid(map(_one, server.report(calendar))) == events
            assert by_uid(by_icalendar(server.get_calendar(calendar))) == events


def test_a_server_takes_an_empty_calendar(world, feed_of, server):
    calendar = uuid4().hex
    assert server.put_calendar(calendar, feed_of("class", "7A")) == 201
    assert server.report(calendar) == []


def _one(resource: bytes) -> Seen:
    (event,) = by_icalendar(resource)
    return event
