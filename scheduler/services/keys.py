"""The secret keys of an installation: the one in force, and those that it takes over from."""

from dataclasses import dataclass

from scheduler import security
from scheduler.security import BadSeal
from scheduler.services.context import Context
from scheduler.store import audits, seals
from scheduler.store.seals import Sealed

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Keys:
    """What may be told of the keys: their fingerprints, and how many sealed texts need what."""

    current: str
    former: tuple[str, ...]
    sealed: int
    by_former: int  # texts that a former key opens and the current one does not
    lost: int  # texts that no key opens


def look(ctx: Context) -> Keys:
    """Opens every sealed text once: some hundred microseconds each."""
    with ctx.reading() as db:
        found = seals.every(db)
    stale = [each for each in found if not _opens(ctx.keys[:1], each)]
    lost = sum(not _opens(ctx.former_keys, each) for each in stale)
    return Keys(
        current=security.key_id(ctx.key),
        former=tuple(map(security.key_id, ctx.former_keys)),
        sealed=len(found),
        by_former=len(stale) - lost,
        lost=lost,
    )


def reseal(ctx: Context) -> int:
    """Seal anew with the current key what former ones sealed; returns how many texts.

    What no key opens stays as it is.  Of two at once each renews what the other did not; one that
    dies leaves the rest for the next time.
    """
    with ctx.reading() as db:
        found = seals.every(db)
    stale = [each for each in found if not _opens(ctx.keys[:1], each)]
    becomes = [(each, new) for each in stale if (new := _renewed(ctx, each)) is not None]
    done = 0
    for start in range(0, len(becomes), AT_ONCE):
        with ctx.transaction() as db:
            some = becomes[start : start + AT_ONCE]
            renewed = sum(seals.renew(db, was, new) for was, new in some)
            if renewed:
                after = {"key": security.key_id(ctx.key), "texts": renewed}
                audits.record(db, ctx.now(), None, "reseal", "key", after=after)
        done += renewed
    return done


def _opens(keys: tuple[bytes, ...], sealed: Sealed) -> bool:
    return _opened(keys, sealed) is not None


def _renewed(ctx: Context, sealed: Sealed) -> str | None:
    secret = _opened(ctx.former_keys, sealed)
    return None if secret is None else security.seal(ctx.key, secret)


def _opened(keys: tuple[bytes, ...], sealed: Sealed) -> str | None:
    try:
        return security.unseal(keys, sealed.text) if keys else None
    except BadSeal:
        return None
