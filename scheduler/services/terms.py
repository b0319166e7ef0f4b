"""A term, for whoever may do something with it."""

from scheduler.domain import access
from scheduler.domain.access import Action, Actor
from scheduler.domain.terms import Term, TermId
from scheduler.errors import NotFound
from scheduler.store import tables, terms
from scheduler.store.database import Session
from scheduler.store.visibility import sees


def allowed(db: Session, actor: Actor, term_id: TermId, action: Action) -> Term:
    """The term; raises NotFound for strangers, NotAllowed for who may not do this with it."""
    term = terms.get(db, term_id) if sees(db, actor, tables.terms, term_id) else None
    if term is None:
        raise NotFound("There is no such term here.")
    access.require(actor, action, term.programme_id)
    return term
