"""Which term a page of plans is about: `?term=` in its address, and in what leads on from it."""

from typing import Annotated

from fastapi import Query

from scheduler.domain.terms import Choice, TermId
from scheduler.web.guard import LARGEST_ID

# Forms have it in the address as well: a POST stays with the term that its page showed.
TermOf = Annotated[TermId | None, Query(alias="term", ge=1, le=LARGEST_ID)]


def in_term(href: str, choice: Choice) -> str:
    """The same address for the same term; as it is where there is no other term."""
    return with_term(href, choice.term.id) if len(choice.among) > 1 else href


def with_term(href: str, term: TermId | None) -> str:
    """The address for a term by its number; None: whichever is the newest."""
    return href if term is None else f"{href}{'&' if '?' in href else '?'}term={term}"
