"""What the record calls a deed and its subject, in words for people.  Pure."""

from scheduler.errors import Text, text

DEEDS: dict[str, Text] = {
    # coming in
    "signed_in": text("Signed in"),
    "sign_in_link": text("An operator made a sign-in link"),
    "access_token": text("An access token was made"),
    "grant": text("Was given a role"),
    "denied": text("Was refused"),
    # lessons
    "confirm_lesson": text("Confirmed a lesson"),
    "take_answer_back": text("Took an answer back"),
    "ask_for_cover": text("Asked for cover"),
    "offer_lesson": text("Asked a colleague to take a lesson over"),
    "take_lesson_over": text("Took a lesson over"),
    "decline_lesson": text("Declined to take a lesson over"),
    "assign_lesson": text("Gave a lesson to another teacher"),
    "end_cover": text("Ended the search for cover"),
    "set_cover": text("Switched asking for cover on or off"),
    "ask_swap": text("Proposed a swap"),
    "accept_swap": text("Accepted a swap"),
    "decline_swap": text("Declined a swap"),
    "withdraw_swap": text("Withdrew a swap"),
    "move_lesson": text("Moved a lesson"),
    "merge_lesson": text("Joined a lesson with another"),
    "call_off": text("Called a lesson off"),
    "check_in": text("Noted that a side had arrived"),
    "report_lesson": text("Reported how a lesson went"),
    "settle_lesson": text("Decided how a lesson went"),
    "write_brief": text("Wrote a brief of a lesson"),
    "pin": text("Pinned a lesson"),
    "unpin": text("Unpinned a lesson"),
    # days
    "absence": text("Noted that a teacher is away"),
    "withdraw_absence": text("Took an absence back"),
    "closure": text("Noted that schools are closed"),
    "withdraw_closure": text("Took closed days back"),
    "set_busy": text("Connected an own calendar"),
    "remove_busy": text("Took an own calendar away"),
    # the timetable
    "request": text("Asked for lessons"),
    "withdraw": text("Withdrew a request"),
    "run_matching": text("Started the matching"),
    "stop_run": text("Stopped the matching and kept its plan"),
    "cancel_run": text("Cancelled the matching"),
    "draft_by_hand": text("Made a plan by hand"),
    "accept_lines": text("Took over a part of a plan"),
    "choose_weights": text("Changed the weights of the matching"),
    "publish": text("Published a plan"),
    "undo": text("Undid a publication"),
    "import": text("Imported workbooks"),
    "export": text("Exported data"),
    "pledge": text("Changed what a school pledged"),
    "issue_certificate": text("Issued a certificate"),
    "withdraw_certificate": text("Withdrew a certificate"),
    # messages
    "write_note": text("Wrote a message"),
    "send_now": text("Sent a message at once"),
    "hold_message": text("Held a message back"),
    "release_message": text("Let a message go"),
    "stop_message": text("Stopped a message"),
    "send_again": text("Sent a message again"),
    "send_news_now": text("Sent the news at once"),
    "hold_news": text("Held the news back"),
    "release_news": text("Let the news go"),
    "pause_sending": text("Paused sending"),
    "resume_sending": text("Let sending go on"),
    "correct_address": text("Corrected an address"),
    "try_address": text("Tried an address again"),
    "choose_reminders": text("Chose reminders"),
    "start_reminders": text("Switched reminders on"),
    "stop_reminders": text("Switched reminders off"),
    "add_device": text("Added a device for messages"),
    "remove_device": text("Removed a device for messages"),
    "make_link": text("Made a calendar link"),
    "end_link": text("Ended a calendar link"),
    # one's own data
    "copy_data": text("Took a copy of a person's data"),
    "ask_erasure": text("Asked to erase a person's data"),
    "erase": text("Erased a person's data"),
    "list_concerned": text("Listed whom a breach concerns"),
}

SUBJECTS: dict[str, Text] = {
    "lesson": text("Lesson"),
    "person": text("Person"),
    "teacher": text("Teacher"),
    "school": text("Receiving school"),
    "donor_school": text("Donor school"),
    "request": text("Request"),
    "plan": text("Plan"),
    "run": text("Matching run"),
    "publication": text("Publication"),
    "programme": text("Programme"),
    "term": text("Term"),
    "swap": text("Swap"),
    "message": text("Message"),
    "outbox": text("All messages"),
    "feed_link": text("Calendar link"),
    "certificate": text("Certificate"),
}


def deed(action: str) -> Text:
    """The deed in words; one from another version of this program by its own name."""
    return DEEDS.get(action) or Text("{name}", {"name": action})


def subject(name: str) -> Text:
    return SUBJECTS.get(name) or Text("{name}", {"name": name})
