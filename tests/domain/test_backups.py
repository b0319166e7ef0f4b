"""Which backups of a shelf are kept, and what they are called."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain import backups
from scheduler.domain.backups import Copy, Keep

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NIGHT = datetime(2026, 11, 27, 19, 15, tzinfo=UTC)  # 02:15 in Hà Nội, on Saturday the 28th


def nights(count, before=""):
    return [named(NIGHT - timedelta(days=n), before) for n in range(count)]


def named(at, before=""):
    return Copy(backups.name_of(at, before), at, before)


def kept(copies, keep, now=NIGHT):
    gone = set(backups.superfluous(copies, keep, ZONE, now))
    return [f"{each.at.astimezone(ZONE):%d/%m}" for each in copies if each not in gone]


def test_a_name_tells_when_and_before_what():
    assert backups.name_of(NIGHT) == "chungtay-2026-11-27T191500Z.backup"
    assert backups.read("chungtay-2026-11-27T191500Z.backup") == Copy(
        "chungtay-2026-11-27T191500Z.backup", NIGHT
    )
    upgrade = backups.read(backups.name_of(NIGHT, "0023"))
    assert (upgrade.at, upgrade.before) == (NIGHT, "0023")


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "chungtay-2026-02-30T191500Z.backup", "chungtay-2026-11-27T191500Z.backup.part",
     "chungtay-2026-11-27T191500Z.backup.sha256", "x-chungtay-2026-11-27T191500Z.backup"],
)  # fmt: skip
def test_what_somebody_else_put_there_is_none_of_ours(name):
    assert backups.read(name) is None


def test_days_weeks_and_months_keep_their_newest():
    found = kept(nights(400), Keep(daily=3, weekly=3, monthly=4))
    assert found == ["28/11", "27/11", "26/11", "22/11", "15/11", "31/10", "30/09", "31/08"]


def test_the_usual_keeps_a_week_of_days_and_four_weeks():
    found = kept(nights(400), Keep())
    assert found == [
        "28/11", "27/11", "26/11", "25/11", "24/11", "23/11", "22/11", "15/11", "08/11",
    ]  # fmt: skip


def test_of_several_on_a_day_the_newest_stays():
    copies = [named(NIGHT - timedelta(hours=n)) for n in range(3)]
    assert backups.superfluous(copies, Keep(1, 0, 0), ZONE, NIGHT) == (copies[2], copies[1])


def test_the_newest_stays_even_if_nothing_is_to_be_kept_and_however_old_it_is():
    later = NIGHT + timedelta(days=4000)
    assert kept(nights(5), Keep(0, 0, 0), later) == ["28/11"]


def test_days_without_a_backup_count_for_nothing():
    with_holes = nights(20)[::5]
    assert kept(with_holes, Keep(daily=3, weekly=0)) == ["28/11", "23/11", "18/11"]


def test_copies_from_before_an_upgrade_stay_a_month_and_take_nobodys_place():
    upgrades, usual = nights(60, "0023")[20:50:10], nights(3)
    assert kept([*usual, *upgrades], Keep(daily=2, weekly=0)) == [
        "28/11",
        "27/11",
        "08/11",
        "29/10",
    ]


@given(
    st.lists(st.integers(0, 10**8), unique=True, min_size=1),
    st.builds(Keep, *(st.integers(0, 8) for _ in range(3))),
)
def test_clearing_twice_clears_nothing_more(ages, keep):
    copies = [named(NIGHT - timedelta(seconds=age)) for age in ages]
    gone = backups.superfluous(copies, keep, ZONE, NIGHT)
    left = [each for each in copies if each not in gone]
    assert max(copies, key=lambda each: each.at) in left
    assert backups.superfluous(left, keep, ZONE, NIGHT) == ()
    assert len(left) <= 1 + keep.daily + keep.weekly + keep.monthly
