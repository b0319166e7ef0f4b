"""The same use cases for programs: JSON in, JSON out, under /api/v1, with an access token.

What is said here of a room holds for each of its routes: which scope a token needs to read or to
change there.  A route of a room that stands nowhere here is not there at all.
"""

from fastapi import APIRouter, Depends

from scheduler.domain.scopes import Noun
from scheduler.web.api import (
    answers,
    availability,
    baskets,
    briefs,
    catalogue,
    certificates,
    checkins,
    cover,
    disruptions,
    fairness,
    imports,
    joint_sessions,
    lessons,
    openapi,
    partnerships,
    people,
    pins,
    plans,
    publications,
    records,
    reports,
    requests,
    runs,
    suggestions,
    swaps,
    terms,
    webhooks,
)
from scheduler.web.api.beliefs import once
from scheduler.web.api.strictness import json_only
from scheduler.web.guard import Needs

ROOMS = {
    Noun.LISTS: (terms, catalogue, requests, people, imports, partnerships),
    Noun.LESSONS: (lessons, briefs, suggestions, cover, disruptions, swaps, joint_sessions),
    Noun.PLANS: (runs, plans, publications, pins, baskets),
    Noun.RECORDS: (reports, checkins, records, fairness, certificates),
    Noun.HOURS: (availability, answers),
    Noun.WEBHOOKS: (webhooks,),
}

rooms = APIRouter(prefix="/api/v1", responses=openapi.REFUSALS)
for noun, those in ROOMS.items():
    # The scope first: whoever is asked who it is asks the token for it.
    held = [Depends(Needs(noun)), Depends(json_only), Depends(once)]
    for room in those:
        rooms.include_router(room.router, dependencies=held)
router = APIRouter()
router.include_router(rooms)
router.include_router(openapi.routed(rooms))
