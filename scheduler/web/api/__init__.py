"""The same use cases for programs: JSON in, JSON out, under /api/v1, with an access token."""

from fastapi import APIRouter

from scheduler.web.api import lessons

router = APIRouter(prefix="/api/v1")
for room in (lessons,):
    router.include_router(room.router)
