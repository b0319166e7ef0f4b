"""What comes from outside and is meant badly, or was typed badly: row by row of the list in the
design.  What is tried elsewhere is named below, by row, and must be there.
"""

import html
import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from scheduler.config import load
from scheduler.services import access_tokens
from scheduler.store import tables
from tests.planning import A1, draft, publish
from tests.web.browser import SAME_ORIGIN

TESTS = Path(__file__).parents[1]
JSON = {"content-type": "application/json"}
PINS = "/api/v1/pins"

ELSEWHERE = {
    "1 a line break in a subject": [
        "delivery/test_mail.py::test_no_value_adds_a_header_or_breaks_the_rules_of_the_wire",
        "web/test_forms.py::test_text_is_tidied_and_counted",
        "web/api/test_unreadable.py::test_a_line_break_is_refused_where_one_line_is_asked_for",
    ],
    "2 NUL in a name, by JSON": ["web/api/test_routes.py::test_no_bytes_break_a_route"],
    "3 two addresses as one": [
        "services/test_accounts.py::test_what_is_no_address_is_said_to_be_none",
        "delivery/test_mail.py::test_what_is_no_address_is_refused",
    ],
    "4 an address inside a name": [
        "delivery/test_mail.py::test_a_message_reads_as_it_was_meant_whatever_is_in_it",
    ],
    "5 an envelope with more in it": [
        "delivery/test_mail.py::test_what_must_stand_as_it_is_is_refused_where_it_cannot",
    ],
    "6 a body that plays the wire": [
        "delivery/test_smtp.py::test_a_mail_that_begins_with_dots_or_ends_in_midline_arrives_whole",
    ],
    "7 a lone surrogate": [
        "web/api/test_unreadable.py::test_names_that_no_answer_could_hold_do_not_break_it",
    ],
    "9 numbers that no row has": [
        "web/api/test_routes.py::test_no_number_in_a_path_and_no_query_breaks_a_route",
        "web/test_errors.py::test_a_foreign_and_an_absent_thing_are_told_alike",
        "web/test_forms.py::test_a_number_outside_its_bounds_is_a_fault",
    ],
    "10 days that no calendar has": [
        "web/test_forms.py::test_a_day_that_is_not_there_is_explained",
        "web/api/test_unreadable.py::test_a_fault_deep_inside_is_named_by_its_path",
        "exchange/test_times.py::test_what_is_no_day_is_refused",
    ],
    "11 an end before its beginning": [
        "exchange/test_times.py::test_what_is_no_time_is_refused",
        "services/test_requests.py::test_what_cannot_be_taken_is_named_at_its_field",
    ],
    "12 a time without a zone": [
        "web/api/test_unreadable.py::test_faults_of_a_query_are_named_too",
    ],
    "14 around the end of summer time": [
        "exchange/test_busy.py::test_apple_calendar_is_understood_across_the_end_of_summer_time",
        "web/test_hostile_uploads.py::"
        "test_row_14_an_hour_that_summer_time_takes_or_doubles_is_no_whole_day",
    ],
    "29 bodies too large, in pieces, or dripping": [
        "web/test_shell.py::test_a_body_over_a_megabyte_is_refused_stated_or_counted",
        "web/test_shell.py::test_too_many_fields_or_a_file_are_refused",
        "web/test_shell.py::"
        "test_a_body_that_drips_is_ended_and_one_that_comes_slowly_but_surely_is_waited_for",
        "web/test_logs.py::test_a_body_that_drips_is_ended_after_half_a_minute",
        "web/test_hostile_uploads.py::test_row_29_a_body_that_is_no_form_of_ours_is_refused",
        "web/test_hostile_uploads.py::test_row_29_pieces_without_a_stated_length_end_at_the_limit",
        "web/test_hostile_uploads.py::test_row_29_a_list_that_drips_is_ended",
    ],
    "32 addresses of a house": [
        "delivery/test_fetching.py::test_private_place_is_refused_by_default",
        "delivery/test_fetching.py::test_address_that_may_not_be_asked_is_refused_unasked",
        "delivery/test_fetching.py::test_redirect_to_a_private_place_is_refused_before_it_is_asked",
        "delivery/test_fetching.py::"
        "test_name_that_changes_its_address_leads_to_the_one_that_was_checked",
    ],
    "33 a calendar's server without an end": [
        "delivery/test_fetching.py::test_memory_stays_small_when_a_bomb_is_read",
        "delivery/test_fetching.py::test_slow_answer_is_cut_when_the_time_in_all_is_over",
        "delivery/test_fetching.py::test_redirect_in_a_circle_ends",
        "delivery/test_fetching.py::test_what_is_no_whole_calendar_is_refused",
    ],
    "35 markup in mails and in reasons": [
        "delivery/test_mail.py::test_html_mail_escapes_what_people_typed",
        "web/test_coordinator.py::test_what_a_failed_run_left_is_text_not_markup",
    ],
    "37 wildcards in a search": [
        "web/test_mailroom_page.py::test_messages_are_found_by_a_name_without_its_marks",
    ],
    "38 not there and not yours": [
        "web/test_errors.py::test_a_foreign_and_an_absent_thing_are_told_alike",
    ],
    "39 fields that no form has": [
        "web/test_hostile_uploads.py::test_row_39_fields_that_no_form_has_count_for_nothing",
    ],
    "40 an old look": [
        "web/test_coordinator.py::test_an_old_look_is_refused_with_the_new_difference",
        "web/test_hostile_uploads.py::"
        "test_row_40_a_look_that_is_missing_old_or_made_up_is_refused_with_what_is_there",
    ],
    "41 the same thing sent twice": [
        "services/test_requests.py::test_a_double_tap_asks_once",
        "services/test_requests.py::test_another_wish_of_the_same_class_is_a_request_of_its_own",
        "web/test_notes_page.py::test_a_note_is_previewed_and_sent_once_however_often_pressed",
        "web/test_hostile_uploads.py::test_row_41_a_look_at_one_list_takes_over_no_other",
    ],
    "46 forged tokens": [
        "test_security.py::test_hostile_text_is_refused",
        "test_security.py::test_each_hostile_text_is_refused_in_no_time",
        "test_security.py::test_no_other_last_letter_makes_the_same_link",
        "web/api/test_tokens.py::test_every_hostile_token_is_refused_alike",
    ],
    "47 forms of other sites": [
        "web/test_shell.py::test_a_form_of_another_site_is_refused",
        "web/test_shell.py::test_a_form_without_the_token_of_its_session_is_refused",
    ],
    "48 hosts, methods and lengths that lie": [
        "web/test_shell.py::test_only_the_configured_host_is_answered",
        "web/test_shell.py::test_no_header_makes_another_method_of_a_request",
        "web/test_shell.py::test_trace_and_nul_are_refused_at_once",
        "web/test_proxies.py::test_what_a_proxy_says_of_host_and_scheme_counts_for_nothing",
        "web/test_logs.py::test_what_is_framed_in_two_ways_or_too_large_is_refused",
    ],
    "50 tokens of feeds": [
        "web/test_feeds.py::test_what_leads_nowhere_looks_the_same_everywhere",
    ],
    "51 forged lines of a log": [
        "test_logs.py::test_nobody_forges_a_line_or_colours_the_terminal",
        "web/test_logs.py::test_nothing_sent_forges_a_line_or_an_answer_of_a_broken_page",
    ],
}


@pytest.mark.parametrize("row", ELSEWHERE)
def test_what_is_tried_elsewhere_is_there(row):
    for name in ELSEWHERE[row]:
        path, _, test = name.partition("::")
        found = re.search(rf"^def {test}\(", (TESTS / path).read_text(), re.MULTILINE)
        assert found, name


NAMES = {
    "1 a line break": ("Hi\r\nBcc: evil@x.org", None),
    "1 another line break": ("Hi\u2028Bcc: evil@x.org", None),
    "1 a line break at the end": ("Hi there \r\n", "Hi there"),
    "2 NUL": ("Hi\0", None),
    "8 marks apart from their letters": ("Hie\u0302\u0323n", "Hiện"),
    "8 another direction": ("Lan\u202egnp.exe", None),
    "8 no width": ("Lan\u200b", None),
    "8 eight marks": ("Z" + "\u0300" * 8, "Z" + "\u0300" * 8),
    "8 nine marks": ("Z" + "\u0300" * 9, None),
    "8 a thousand marks": ("Z" + "\u0300" * 1000, None),
    "35 markup": ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    "35 an end of an attribute": ('"><img src=x onerror=alert(1)>',) * 2,
    "36 braces": ("{{7*7}} {% raw %} {7}",) * 2,
    "37 bits of SQL": ("' OR 1=1-- %_",) * 2,
    "52 an emoji": ("\U0001f3eb",) * 2,
    "52 one letter": ("Ý",) * 2,
    "52 two hundred letters": ("ễ" * 200,) * 2,
    "52 null": ("null",) * 2,
    "52 undefined": ("undefined",) * 2,
    "52 N/A": ("N/A",) * 2,
}


@pytest.mark.parametrize("case", NAMES)
def test_words_are_refused_or_stay_what_they_are(ctx, cast, site, case):
    """Words of a school that its people read again: why there is no such lesson."""
    publish(ctx, cast, draft(ctx, cast, A1))
    typed, kept = NAMES[case]
    with ctx.reading() as db:
        lesson = db.scalar(sa.select(tables.lessons.c.id))
    school = site.of(cast.actors["schoolA"])
    sent = school.submit(f"/school/lessons/{lesson}/call-off", {"reason": typed})
    with ctx.reading() as db:
        said = db.scalar(sa.select(tables.lessons.c.cancel_reason))
    if kept is None:
        assert (sent.status_code, said) == (422, "")
        return
    assert (sent.status_code, said) == (303, kept)
    page = school.get("/school").text
    assert html.escape(kept).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize(
    "address",
    ["a@x.org, evil@x.org", "a@x.org\r\nBcc: evil@x.org", "<a@x.org>", "a b@x.org", "a@x..org",
     "a@x.org\u202e", "x" * 255 + "@x.org", "Hồng <evil@x.org>"],
)  # fmt: skip
def test_rows_3_and_5_what_is_no_single_address_is_told_so(visitor, address):
    page = visitor.post("/sign-in", data={"email": address}, headers=SAME_ORIGIN)
    assert page.status_code == 422


@pytest.mark.parametrize(
    "zone",
    ["GMT+7", "", "asia/ho_chi_minh", "../../etc/passwd", "Asia/\0", "x" * 300, "/etc/localtime"],
)
def test_rows_12_and_13_a_zone_is_one_of_the_list(zone):
    with pytest.raises(ValueError, match="is not a known time zone"):
        load(_env_file=None, timezone=zone)


BODIES = {
    "a hundred thousand lists": (b"[" * 100_000 + b"]" * 100_000, JSON, {400, 422}),
    "as many objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, JSON, {400, 422}),
    "a name twice": (b'{"lessons":[1],"lessons":[2],"note":"x"}', JSON, {422}),
    "a name twice, deep inside": (b'{"lessons":[{"a":1,"a":1}],"note":"x"}', JSON, {422}),
    "a name twice, written in two ways": (b'{"note":"a","n\\u006fte":"b"}', JSON, {422}),
    "10 MB": (b" " * 10_485_760, JSON, {413}),
    "a form": (b"lessons=1", {"content-type": "application/x-www-form-urlencoded"}, {415}),
    "text": (b'{"lessons":[1],"note":"x"}', {"content-type": "text/plain"}, {415}),
    "another kind of JSON": (b"{}", {"content-type": "application/ld+json"}, {415}),
    "nothing said": (b'{"lessons":[1],"note":"x"}', {}, {415}),
    "an unknown field": (b'{"lessons":[1],"note":"x","role":"admin"}', JSON, {422}),
    "no number": (b'{"lessons":[NaN],"note":"x"}', JSON, {422}),
}


def test_row_34_a_body_of_a_program_reads_in_one_way_or_not_at_all(ctx, cast, visitor):
    token = access_tokens.issue(ctx, cast.actors["coordinator"].email, timedelta(hours=1))
    program = visitor
    program.headers["authorization"] = f"Bearer {token}"
    for case, (body, headers, statuses) in BODIES.items():
        answer = program.post(PINS, content=body, headers=headers)
        assert answer.status_code in statuses, case
        assert answer.headers["content-type"] == "application/problem+json", case
    charset = {"content-type": "Application/JSON; charset=utf-8"}
    assert program.post(PINS, content=b'{"lessons":[1]}', headers=charset).status_code == 422
    repeated = program.post(PINS, content=BODIES["a name twice"][0], headers=JSON)
    assert repeated.json()["detail"].startswith("Một tên xuất hiện hai lần")


def test_row_37_a_search_finds_words_and_runs_none(cast, site):
    coordinator = site.of(cast.actors["coordinator"])
    for typed in ("' OR 1=1--", "%", "_", "%25", "\\", "a' UNION SELECT 1", "x" * 5000):
        for name in ("q", "who", "person", "name", "sort", "order"):
            page = coordinator.get("/coordinator/messages", params={name: typed})
            assert page.status_code in (200, 422), (name, typed)
    assert coordinator.get("/coordinator/messages?sort=password").status_code in (200, 422)


def test_row_39_a_form_changes_what_it_shows_and_nothing_else(ctx, cast, site):
    before = everything(ctx)
    browser = site.of(cast.actors["teacher1"])
    more = {"role": "coordinator", "school_id": "2", "version": "999", "active": "0"}
    sent = browser.submit("/language", {"language": "en", "email": "e@x.org", **more})
    assert sent.status_code == 303
    (changed,) = {one for one in everything(ctx) ^ before if one[2] == "en"}
    assert changed[0] == cast["person_teacher1"]
    assert {one[:2] for one in everything(ctx)} == {one[:2] for one in before}


def everything(ctx) -> set[tuple]:
    """Who is who, what they may do, and which language they read."""
    people, grants = tables.persons.c, tables.grants.c
    with ctx.reading() as db:
        rows = db.execute(sa.select(people.id, people.email, people.language)).all()
        rows += db.execute(sa.select(grants.person_id, grants.role, grants.school_id)).all()
    return {tuple(row) for row in rows}
