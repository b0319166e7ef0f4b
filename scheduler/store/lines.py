"""Lines to PostgreSQL: how many, how long each waits for what, and what the server calls us.

A pooler in transaction mode gives each transaction another session: nothing may be left in one.
What must have a session of its own (LISTEN, migrations, pg_dump) goes by a direct line.
"""

import os
import socket
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Engine, Row, create_engine, event, make_url
from sqlalchemy import text as sql
from sqlalchemy.pool import NullPool

from scheduler.errors import Conflict, text

# A line that is cut says nothing: without these its death is noticed after a quarter of an hour.
CONNECT = 5  # seconds until a server that does not answer is one that is away
SILENCE = 5  # seconds without a word, until we ask whether the other end is still there …
ASKED_EVERY, ASKED = 2, 3  # … every two seconds, three times
UNHEARD = 10_000  # milliseconds that what we sent may stay without a receipt

# Milliseconds, in each session.
LOCK = 5_000  # as long as on SQLite; whoever waits longer is told to come again
STATEMENT = 30_000  # the slowest takes a second with ten programmes; this one has gone astray
IDLE = 30_000  # nobody waits for people or mail in a transaction: this process is frozen or gone
MIGRATION = 2_000  # shorter than LOCK: who queues behind a change of the schema is still answered

WAIT = 5.0  # seconds for a line of the pool to come free
KEPT = 5  # lines that stay open
_LONGEST_NAME = 63  # PostgreSQL cuts the rest off

_TCP = MappingProxyType(
    {
        "connect_timeout": CONNECT,
        "keepalives_idle": SILENCE,
        "keepalives_interval": ASKED_EVERY,
        "keepalives_count": ASKED,
        "tcp_user_timeout": UNHEARD,
    }
)
# The same of the server: it gives back the locks of a machine that went dark.
_HEARD_BY_SERVER = MappingProxyType(
    {
        "tcp_keepalives_idle": SILENCE,
        "tcp_keepalives_interval": ASKED_EVERY,
        "tcp_keepalives_count": ASKED,
        "tcp_user_timeout": UNHEARD,
    }
)
_USUAL = MappingProxyType(
    {
        "lock_timeout": LOCK,
        "statement_timeout": STATEMENT,
        "idle_in_transaction_session_timeout": IDLE,
    }
)
_ROOM = sql("""
SELECT least(
    current_setting('max_connections')::int
      - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0),
    nullif(rolconnlimit, -1), nullif(datconnlimit, -1)
  ) AS room,
  (SELECT count(DISTINCT application_name) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name ~ '^chungtay (web|worker) ')
    AS processes
FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()
""")


@dataclass(frozen=True, slots=True)
class Lines:
    """`most`: of this process, the one that listens among them.  `role`: web, worker, …"""

    most: int = 10
    pooler: bool = False
    direct_url: str = ""
    role: str = "command"

    @property
    def direct(self) -> bool:
        """Whether a session of our own can be had."""
        return bool(self.direct_url) or not self.pooler

    def engine(self, url: str) -> Engine:
        """The pool of this process; one line less than it may have, which is for listening."""
        most = self.most - 1
        kept = min(KEPT, most)
        return self._engine(
            url, self.pooler, _USUAL, self.role,
            pool_pre_ping=True, pool_size=kept, max_overflow=most - kept, pool_timeout=WAIT,
        )  # fmt: skip

    def apart(self, url: str, role: str = "") -> Engine:
        """Direct lines, each closed when it is given back, that may work as long as they need.

        Raises Conflict where there is only a pooler.
        """
        self.require_direct()
        own = {"lock_timeout": MIGRATION, "statement_timeout": 0}
        address = self.direct_url or url
        return self._engine(address, False, own, role or self.role, poolclass=NullPool)

    def require_direct(self) -> None:
        """Raises Conflict where there is only a pooler."""
        if not self.direct:
            raise Conflict(
                text(
                    "Behind a pooler this needs a line of its own to the database. "
                    "Set CHUNGTAY_DATABASE_DIRECT_URL."
                )
            )

    def _engine(self, url: str, pooled: bool, limits: Any, role: str, **pool: Any) -> Engine:
        given = make_url(url).query
        wanted: dict[str, Any] = {**_TCP, "application_name": _name(role)}
        if pooled:
            wanted["prepare_threshold"] = None  # a statement prepared in a session that was lent
        else:  # poolers refuse these at the start of a session
            own = " ".join(f"-c {k}={v}" for k, v in {**_HEARD_BY_SERVER, **limits}.items())
            wanted["options"] = f"{own} {given.get('options', '')}".strip()
        # What the operator wrote into the address counts.
        ours = {k: v for k, v in wanted.items() if k == "options" or k not in given}
        made = create_engine(url, connect_args=ours, hide_parameters=True, **pool)
        if pooled:
            event.listen(made, "begin", _limit(limits))
        return made


def _limit(limits: Any) -> Any:
    """Behind a pooler each transaction says for itself how long it waits."""
    told = "; ".join(f"SET LOCAL {name} = {value}" for name, value in limits.items())

    def on_begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql(told)

    return on_begin


def _name(role: str) -> str:
    """Who and where: each process of ours has a name of its own."""
    return f"chungtay {role} {socket.gethostname()[:30]}:{os.getpid()}"[:_LONGEST_NAME]


def room(connection: Connection) -> Row[Any]:
    """How many connections the server gives us, and how many processes of ours have some."""
    return connection.execute(_ROOM).one()
