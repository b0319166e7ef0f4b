"""What the documents promise in figures, each once, and which line of the bench answers it.

A new figure in a document gets a line here; a part that gives no row of the name has broken it.
"""

from dataclasses import dataclass

SPEED, ENGINE, FEEDS = "PERFORMANCE.md", "ENGINE.md", "FEEDS.md"
RELIABILITY, README = "RELIABILITY.md", "README.md"


@dataclass(frozen=True, slots=True)
class Promise:
    """`answer`: a part and the key of its rows, of which all must keep it.  `words`: as the source
    has it.  `readme`: the line of the README's table that quotes it, if one does."""

    answer: str
    source: str
    words: str
    readme: str = ""

    @property
    def part(self) -> str:
        return self.answer.partition("/")[0]

    @property
    def key(self) -> str:
        return self.answer.partition("/")[2]


P = Promise
PROMISES: tuple[Promise, ...] = (
    # calendar feeds
    P("feeds/304-sqlite", SPEED, "304 at least 0.50 × bare on SQLite, all real middleware on",
      "calendar read, 304: SQLite, PostgreSQL"),
    P("feeds/304-postgresql", SPEED, "304 at least 0.80 × bare, in-process cache, PostgreSQL",
      "calendar read, 304: SQLite, PostgreSQL"),
    P("feeds/200-sqlite", SPEED, "200 at least 0.65 × bare, SQLite",
      "calendar read, 200: SQLite, PostgreSQL"),
    P("feeds/200-postgresql", SPEED, "200 at least 0.65 × bare, PostgreSQL",
      "calendar read, 200: SQLite, PostgreSQL"),
    P("feeds/304-fastapi", SPEED, "peer: 304 by a FastAPI route and a session",
      "the same by a FastAPI route with a session"),
    P("feeds/200-fastapi", SPEED, "peer: 200 by a FastAPI route and a session"),
    P("feeds/200-rendering", SPEED, "peer: 40 events by icalendar on each request"),
    P("feeds/304-radicale", SPEED, "peer: Radicale, which never answers 304",
      "the same by Radicale, which never answers 304"),
    P("feeds/200-radicale", SPEED, "peer: Radicale, 200"),
    P("feeds/304-nginx", SPEED, "peer: nginx, static file, 304"),
    P("feeds/200-nginx", SPEED, "peer: nginx, static file, 200"),
    P("feeds/beside-sqlite", SPEED, "p99 under 20 ms while a matching run uses the other core",
      "304 beside a matching run, slowest of 100"),
    P("feeds/beside-postgresql", SPEED, "the same on PostgreSQL",
      "304 beside a matching run, slowest of 100"),
    P("feeds/one-change", SPEED, "one changed lesson in a feed of 2,100 costs about 8 ms"),
    P("feeds/ended", SPEED, "revocation is seen at once",
      "a link ended here, refused by another process after"),
    P("feeds/cold", FEEDS, "1,000 events in under 300 ms cold",
      "1,000 events, rendered cold, plain size"),
    P("feeds/plain", FEEDS, "1,000 events under 900 kB",
      "1,000 events, rendered cold, plain size"),
    P("feeds/delay-sqlite", FEEDS, "a 304 in under 20 ms"),
    P("feeds/delay-postgresql", FEEDS, "the same on PostgreSQL"),
    # pages
    P("pages/grid", SPEED, "coordinator grid, 17 schools × 60 cells: at most 5 ms of CPU"),
    P("pages/grid-queries", SPEED, "coordinator grid: at most 3 queries"),
    P("pages/grid-weight", SPEED, "coordinator grid: at most 25 kB compressed"),
    P("pages/week", SPEED, "week page: at most 1 ms to render"),
    P("pages/week-queries", SPEED, "week page: at most 3 queries"),
    P("pages/first", SPEED, "first view, cold, fonts included: at most 60 kB"),
    P("pages/requests", SPEED, "first view: at most 8 requests"),
    P("pages/script", SPEED, "first view: at most 20 kB of JavaScript"),
    P("pages/repeat", SPEED, "repeat view: at most 12 kB"),
    P("pages/fragment", SPEED, "fragment: at most 5 kB"),
    P("pages/painted", SPEED, "at 400 kbit/s and 400 ms: first paint in 1.5 s"),
    P("pages/usable", SPEED, "at 400 kbit/s and 400 ms: usable in 3 s"),
    P("pages/axe", SPEED, "axe-core violations: 0"),
    P("pages/sideways", SPEED, "sideways scroll at 320 px: none"),
    P("figures/css", SPEED, "one stylesheet of at most 8 kB, gzipped", "stylesheet, gzipped"),
    P("figures/htmx", SPEED, "htmx: 13 kB, gzipped"),
    P("figures/fonts", SPEED, "fonts: 23 kB for both", "fonts"),
    P("desk/one", README, "pages of coordinators: at most 300 ms",
      "pages of coordinators, 203 teachers: slowest"),
    P("desk/ten", README, "the same of ten times as many: at most 300 ms",
      "the same of ten times as many: slowest, over 300 ms, heaviest"),
    P("desk/ten-over", README, "the same: none over 300 ms",
      "the same of ten times as many: slowest, over 300 ms, heaviest"),
    P("desk/ten-weight", README, "the same: at most 25 kB",
      "the same of ten times as many: slowest, over 300 ms, heaviest"),
    # database and mail
    P("writing/sqlite", SPEED, "a term's lessons, 100,000 rows: at least 0.6 × executemany"),
    P("writing/postgresql", SPEED, "a term's lessons, 100,000 rows: at least 0.4 × COPY"),
    P("outbox.ratio/sqlite-ratio", SPEED,
      "reminders claimed and marked one by one, 4 workers: at least 0.5 × the driver, SQLite",
      "claims and marks beside the plain driver's: SQLite, PostgreSQL"),
    P("outbox.ratio/postgresql-ratio", SPEED, "the same on PostgreSQL",
      "claims and marks beside the plain driver's: SQLite, PostgreSQL"),
    P("mail/build-hand-over", SPEED, "a mail built and handed to a local relay: at most 0.6 ms",
      "a mail built and handed over"),
    P("mail/hand-over-what-is-built", SPEED, "floor: a prebuilt mail handed over, 0.3 ms"),
    P("mail/morning", RELIABILITY, "200,000 mails on one core, in minutes"),
    P("imports/three", SPEED, "the three workbooks of the real programme in 3 s and 150 MB",
      "import of the three workbooks"),
    P("imports/long", README, "a list of 20,000 teachers in 20 s and 300 MB",
      "import of 19,994 teachers"),
    P("starting/answer", SPEED, "start of chungtay serve to first answer: at most 2 s"),
    # sending
    P("outbox.storm/sqlite-lost", RELIABILITY, "workers killed at random: 0 lost, SQLite",
      "20,000 messages, 4 workers, 64 killed: lost, doubled"),
    P("outbox.storm/postgresql-lost", RELIABILITY, "the same on PostgreSQL",
      "20,000 messages, 4 workers, 64 killed: lost, doubled"),
    P("outbox.storm/sqlite-doubled", RELIABILITY, "doubled at most as often as killed, SQLite",
      "20,000 messages, 4 workers, 64 killed: lost, doubled"),
    P("outbox.storm/postgresql-doubled", RELIABILITY, "the same on PostgreSQL",
      "20,000 messages, 4 workers, 64 killed: lost, doubled"),
    P("outbox.storm/sqlite-copies", RELIABILITY, "at most 2 copies, SQLite"),
    P("outbox.storm/postgresql-copies", RELIABILITY, "the same on PostgreSQL"),
    P("outbox.flood/sqlite-order", RELIABILITY, "100,000 in one minute: order of deadlines, SQLite",
      "100,000 due in one minute, 2 workers: out of order by"),
    P("outbox.flood/postgresql-order", RELIABILITY, "the same on PostgreSQL",
      "100,000 due in one minute, 2 workers: out of order by"),
    P("outbox.flood/sqlite-memory", RELIABILITY, "100,000 in one minute: flat memory, SQLite"),
    P("outbox.flood/postgresql-memory", RELIABILITY, "the same on PostgreSQL"),
    # desk work
    P("figures/substitutes", ENGINE, "substitutes through the service: at most 20 ms",
      "who could stand in for a lesson, through the service"),
    P("figures/storm-look", README, "a storm day of all schools: looked at in 1 s",
      "a storm day of all schools: looked at, carried out"),
    P("figures/storm-done", README, "a storm day of all schools: carried out in 2 s",
      "a storm day of all schools: looked at, carried out"),
    P("figures/hints", README, "suggestions for a lesson: 1 s",
      "suggestions for a lesson; check of a basket"),
    P("figures/basket", README, "check of a basket: 1 s",
      "suggestions for a lesson; check of a basket"),
    P("figures/demo", README, "chungtay demo --check: 60 s, 0 violations", "chungtay demo --check"),
    P("records/pdf", README, "a certificate as PDF: 1 s, 100 kB", "a certificate as PDF"),
    # matching
    P("matching.programme/programme-10-cost", ENGINE, "the programme: at most 21,900 in 10 s",
      "matching the programme, 10 s, 2 searches, median of 5"),
    P("matching.programme/programme-10-taught", ENGINE, "the programme: all taught",
      "matching the programme, 10 s, 2 searches, median of 5"),
    P("matching.programme/programme-first", ENGINE, "first valid plan in 0.1 s"),
    P("matching.programme/programme-early", ENGINE, "within 4 % of the final in 2 s"),
    P("matching.programme/programme-gap", ENGINE, "proved gap, programme: at most 7 % in 60 s",
      "proved gap of it, after 60 s"),
    P("matching.scale1/scale1-seed1-5-cost", ENGINE, "scale 1, seed 1: at most 66,500 in 5 s",
      "an instance of its size, 2 searches, median of 5: 5 s, 60 s"),
    P("matching.scale1/scale1-seed1-60-cost", ENGINE, "scale 1, seed 1: at most 64,900 in 60 s",
      "an instance of its size, 2 searches, median of 5: 5 s, 60 s"),
    P("matching.scale1/scale1-seed1-gap", ENGINE, "proved gap, scale 1: at most 7 % in 60 s"),
    P("matching.tight/tight-15-cost", ENGINE, "tight: at most 1,252,000 in 15 s"),
    P("matching.scale10/scale10-30-cost", ENGINE, "scale 10: at most 357,000 in 30 s",
      "ten times the programme, 30 s, 2 searches, median of 5"),
    P("matching.scale10/scale10-30-taught", ENGINE, "scale 10: all taught",
      "ten times the programme, 30 s, 2 searches, median of 5"),
    P("matching.scale10/scale10-gap", ENGINE, "proved gap, scale 10: at most 15 %"),
    P("matching.scale100/scale100-240-cost", ENGINE, "scale 100: at most 4.0 M in 240 s",
      "a hundred times the programme, 240 s, 2 searches, median of 5"),
    P("matching.scale100/scale100-240-memory", ENGINE, "scale 100: under 1 GB in all",
      "a hundred times the programme, 240 s, 2 searches, median of 5"),
    P("matching.workers/scale10-workers", ENGINE, "two cores are better than one, scale 10"),
    P("matching.workers/scale100-workers", ENGINE, "two cores are better than one, scale 100"),
    P("matching.replan/programme-away", ENGINE, "replan, preparation included: at most 150 ms",
      "replanning when three teachers are away, or one leaves in mid-term"),
    P("matching.replan/programme-leaves", ENGINE, "the same, a teacher leaves in mid-term",
      "replanning when three teachers are away, or one leaves in mid-term"),
    P("matching.replan/scale1-seed1-away", ENGINE, "the same at scale 1, three away"),
    P("matching.replan/scale1-seed1-leaves", ENGINE, "the same at scale 1, one leaves"),
    P("matching.replan/programme-kept", ENGINE, "pins, mid-week freeze, budget of changes kept"),
    P("matching.replan/scale1-seed1-kept", ENGINE, "the same at scale 1"),
    P("matching.substitutes/substitutes", ENGINE, "substitutes in the engine: at most 50 µs"),
    P("matching.reasons/reasons", ENGINE, "reasons for all unfilled: at most 50 ms, scale 1",
      "reasons and tried fixes of 35 missing lessons"),
    P("matching.reasons/fixes", ENGINE, "tried fixes for all unfilled: at most 2 s, scale 1",
      "reasons and tried fixes of 35 missing lessons"),
    P("matching.same/programme-same", ENGINE, "same seed and --iterations: same plan"),
    P("matching.same/scale1-seed1-same", ENGINE, "the same at scale 1"),
    P("matching.same/scale10-same", ENGINE, "the same at scale 10"),
    # many programmes
    P("programmes/pages", README, "pages of one of 100 programmes: at most 300 ms"),
    P("programmes/scans", README, "pages read no more for 100 programmes than for one"),
    P("programmes/urgent", README, "an urgent message passes 20,000 due of another programme"),
    P("programmes/runs", README, "100 matching runs: each programme in its turn, one at a time"),
)  # fmt: skip
