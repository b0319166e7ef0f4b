"""What a programme is called at the foot of every page."""

import sqlalchemy as sa

from scheduler.services import programmes
from scheduler.store import tables


def test_a_programme_named_after_its_term_is_named_once(ctx, cast):
    with ctx.transaction() as db:
        term = db.scalars(sa.select(tables.terms.c.name)).one()
    assert programmes.label(ctx, cast["programme"]).endswith(f" · {term}")
    with ctx.transaction() as db:
        table = tables.programmes
        db.execute(sa.update(table).where(table.c.id == cast["programme"]).values(name=term))
    assert programmes.label(ctx, cast["programme"]) == term
