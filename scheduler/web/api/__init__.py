"""The same use cases for programs: JSON in, JSON out, under /api/v1, with an access token."""

from fastapi import APIRouter, Depends

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
    joint_sessions,
    lessons,
    openapi,
    pins,
    plans,
    publications,
    records,
    reports,
    runs,
    suggestions,
    swaps,
    terms,
)
from scheduler.web.api.beliefs import once
from scheduler.web.api.strictness import json_only

rooms = APIRouter(
    prefix="/api/v1", responses=openapi.REFUSALS, dependencies=[Depends(json_only), Depends(once)]
)
for room in (
    lessons,
    reports,
    checkins,
    briefs,
    answers,
    availability,
    suggestions,
    cover,
    disruptions,
    terms,
    runs,
    plans,
    publications,
    pins,
    baskets,
    swaps,
    records,
    fairness,
    certificates,
    joint_sessions,
    catalogue,
):
    rooms.include_router(room.router)
router = APIRouter()
router.include_router(rooms)
router.include_router(openapi.routed(rooms))
