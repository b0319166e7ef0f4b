"""Cover for one lesson: who is asked, when, and how a call ends.  Pure: no clock, no database."""

from enum import StrEnum


class CallEnd(StrEnum):
    """How a call for cover ended."""

    TAKEN = "taken"
    WITHDRAWN = "withdrawn"  # the teacher comes after all
    CHANGED = "changed"  # a publication, a swap or a hand changed the lesson
    MOVED = "moved"
    MERGED = "merged"
    CALLED_OFF = "called_off"
    MISSED = "missed"  # it began with nobody in its place


class OfferEnd(StrEnum):
    """How an offer to one teacher ended."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"  # the deadline passed
    TAKEN = "taken"  # somebody else was first
    WITHDRAWN = "withdrawn"  # the lesson needs no cover any more
