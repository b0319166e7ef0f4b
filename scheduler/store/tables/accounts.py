"""Tables of sign-in, second factors, sessions, invitations and calendar feeds."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from scheduler.domain.access import Role
from scheduler.domain.calendars import FeedKind
from scheduler.store.tables.columns import Instant, key, metadata, one_of
from scheduler.store.tables.people import persons
from scheduler.store.tables.terms import donor_schools, programmes, receiving_schools

# Asking writes the same whoever is asked for.  A beat finds out who that is, and then takes away
# what was written down for it: address, where it came from, which request it was.  What is nobody's
# goes when a link would have ended.
sign_ins = Table(
    "sign_ins",
    metadata,
    key(),
    Column("person_id", ForeignKey(persons.c.id), index=True),
    Column("email", String(254), index=True),
    Column("mailbox", String(32), nullable=False, server_default="", index=True),
    Column("address", String(45), nullable=False, server_default=""),
    Column("request_id", String(12), nullable=False, server_default=""),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("browser_hash", String(64), nullable=False),
    Column("code_hash", String(64), nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    CheckConstraint("tries_left >= 0", "tries"),
    CheckConstraint("person_id IS NULL OR email IS NULL", "wish"),
)

sessions = Table(
    "sessions",
    metadata,
    key(),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    # By its first secret, which all later ones begin with, an old copy is known as one.
    Column("series_hash", String(64), nullable=False, unique=True),
    # The secret is renewed each day.  The former one is good until the new one came, and then for
    # a while: `former_until`.
    Column("renewed_at", Instant, nullable=False),
    Column("renew_at", Instant, nullable=False),
    Column("former_hash", String(64)),
    Column("former_until", Instant),
    Column("proved_at", Instant),  # when the second factor was shown
    Column("challenge", String(100)),  # what a passkey is to sign
    Column("challenge_until", Instant),
    Column("device", String(100), nullable=False, server_default=""),
    Column("address", String(45), nullable=False, server_default=""),
    CheckConstraint("former_hash IS NOT NULL OR former_until IS NULL", "former"),
    CheckConstraint("(challenge IS NULL) = (challenge_until IS NULL)", "challenge"),
)

# The second factor by time (RFC 6238); `last_step`: the newest one used, so that none works twice.
authenticators = Table(
    "authenticators",
    metadata,
    Column("person_id", ForeignKey(persons.c.id), primary_key=True),
    Column("sealed_secret", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant, nullable=False),
    Column("last_step", BigInteger, nullable=False),
)

# The second factor by a device (WebAuthn): its public key, and how often it has signed.
passkeys = Table(
    "passkeys",
    metadata,
    key(),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    Column("credential_id", String(1400), nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", String(60), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    key(),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    Column("code_hash", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),
)

# Access tokens are signed texts and kept by nobody; these are their names, to list and end them.
access_tokens = Table(
    "access_tokens",
    metadata,
    key(),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    Column("name", String(60), nullable=False),
    Column("jti", String(40), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("last_used_at", Instant),
    Column("proved", Boolean, nullable=False),
    Column("reads_only", Boolean, nullable=False, server_default=false()),
    Column("scopes", JSON(none_as_null=True)),  # null: of before 0022, as `reads_only` says
)

# `full_at`, in milliseconds since 1970: when the bucket has all its tries again.
buckets = Table(
    "buckets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("full_at", BigInteger, nullable=False, index=True),
)

invitations = Table(
    "invitations",
    metadata,
    key(),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("email", String(254), nullable=False),
    Column("name", String(200), nullable=False),
    Column("language", String(2), nullable=False),
    *one_of("role", Role),
    Column("programme_id", ForeignKey(programmes.c.id), nullable=False, index=True),
    Column("school_id", ForeignKey(receiving_schools.c.id)),
    Column("donor_school_id", ForeignKey(donor_schools.c.id)),
    Column("invited_by", ForeignKey(persons.c.id)),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("accepted_at", Instant),
    Column("accepted_by", ForeignKey(persons.c.id)),
    Column("revoked_at", Instant),
    CheckConstraint("(role = 'school') = (school_id IS NOT NULL)", "school"),
    CheckConstraint(
        "(role IN ('donor_head', 'teacher')) = (donor_school_id IS NOT NULL)", "donor_school"
    ),
    CheckConstraint("(accepted_at IS NULL) = (accepted_by IS NULL)", "accepted"),
)

# A person's new mail address, until its mailbox has answered.
address_changes = Table(
    "address_changes",
    metadata,
    key(),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    Column("email", String(254), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

feeds = Table(
    "feeds",
    metadata,
    key(),
    *one_of("kind", FeedKind),
    Column("owner_id", Integer, nullable=False),
    Column("language", String(2), nullable=False),
    Column("show_cancelled", Boolean, nullable=False),
    Column("zoned", Boolean, nullable=False, server_default=false()),
    Column("alarms", Boolean, nullable=False, server_default=false()),
    Column("etag", String(64)),
    Column("changed_at", Instant),
    Column("dirty", Boolean, nullable=False),
    Column("rendered_week", String(10), index=True),
    UniqueConstraint("kind", "owner_id", "language", "show_cancelled", "zoned", "alarms"),
    CheckConstraint("(etag IS NULL) = (changed_at IS NULL)", "body"),
)
Index("ix_feeds_dirty", feeds.c.dirty)

# Apart from `feeds`, so that an answer of 304 never reads a body.
feed_bodies = Table(
    "feed_bodies",
    metadata,
    Column("feed_id", ForeignKey(feeds.c.id), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

feed_links = Table(
    "feed_links",
    metadata,
    key(),
    Column("feed_id", ForeignKey(feeds.c.id), nullable=False, index=True),
    Column("person_id", ForeignKey(persons.c.id), nullable=False, index=True),
    Column("name", String(100), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("last_read_at", Instant),
    Column("reads", Integer, nullable=False),
    Column("client", String(40), nullable=False),
    Column("farewell", Boolean, nullable=False, server_default=false()),
)

# One row a fact about the running system: the last beat of the loop, whether sending is paused.
switches = Table(
    "switches",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(200), nullable=False),
    Column("at", Instant, nullable=False),
)
