"""The first run by command: six questions, each answer checked, and nothing before the end."""

import os
import pty
import re
import select
import signal
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from scheduler import cli, config
from tests.delivery.sink import Manner, listening

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.xlsx"))
HA = "Phạm Thu Hà <ha@x.example>"


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """A new machine: an empty folder, and nothing set."""
    for name in [each for each in os.environ if each.upper().startswith("CHUNGTAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def setup(*options, answers=(), lang="en_GB.UTF-8"):
    """Run the wizard on a terminal of that language; `answers` are typed, a line each."""
    typed = "".join(f"{line}\n" for line in answers)
    return CliRunner(env={"LANG": lang, "LC_ALL": ""}).invoke(
        cli.main, ["setup", *map(str, options)], input=typed or None
    )


def unattended(*options):
    return setup("--yes", "--coordinator", HA, "--programme", "Hà Nội – Yên Bái", *options)


def written():
    """The settings of the file, by name."""
    lines = Path(".env").read_text().splitlines()
    return dict(line.removeprefix("CHUNGTAY_").split("=", 1) for line in lines)


USUAL = ("en", "", "", "", "", HA, "Hà Nội – Yên Bái", "y")  # Enter takes what is proposed


# -- a first run


def test_six_answers_and_everything_is_there(machine):
    done = setup(answers=USUAL)
    assert done.exit_code == 0, done.output
    assert written() == {
        "LOCALE": "en", "BASE_URL": "http://127.0.0.1:8000",
        "MAIL_FROM": "Chung Tay <no-reply@chungtay.example>",
    }  # fmt: skip
    assert (machine / ".env").stat().st_mode & 0o777 == 0o600
    assert (machine / "var").stat().st_mode & 0o777 == 0o700
    assert (machine / "var" / "secret.key").stat().st_mode & 0o777 == 0o600
    assert re.search(r"http://127\.0\.0\.1:8000/sign-in/[\w-]{43}", done.output)
    assert [f"{n} of 6." in done.output for n in range(1, 7)] == [True] * 6
    for said in ("SQLite", "nothing is there yet", "Only this machine", "kept as files",
                 "chungtay doctor", "chungtay serve", "Within an hour ha@x.example"):  # fmt: skip
        assert said in done.output


def test_vietnamese_is_spoken_from_the_second_question_on(machine):
    done = setup(answers=("vi", "", "", "", "", HA, "Hà Nội – Yên Bái", "y"))
    assert done.exit_code == 0, done.output
    first, _, rest = done.output.partition("\n2 / 6")
    assert "Ngôn ngữ / Language" in first
    assert "Ai là người điều phối" in rest
    for english in ("Where", "Which", "answers", "Next", "Everything", "written", "Within"):
        assert english not in rest
    assert written()["LOCALE"] == "vi"


@pytest.mark.parametrize(
    ("lang", "shown"), [("en_GB.UTF-8", "[en]"), ("vi_VN.UTF-8", "[vi]"), ("C.UTF-8", "[vi]")]
)
def test_the_terminal_proposes_the_language(machine, lang, shown):
    assert shown in setup(answers=("xx",), lang=lang).output.splitlines()[1]


def test_lists_come_in_and_others_are_made_on_what_it_left(machine):
    assert unattended().exit_code == 0
    call = CliRunner().invoke
    imported = call(cli.main, ["import", *map(str, EXAMPLES), "--json"])
    assert '"programme": "ha-noi-yen-bai"' in imported.output, imported.output
    assert call(cli.main, ["sign-in-link", "ha@x.example"]).exit_code == 0
    assert call(cli.main, ["doctor"]).exit_code == 0


def test_before_the_lists_further_coordinators_can_be_named(machine):
    assert unattended().exit_code == 0
    more = CliRunner().invoke(cli.main, ["user", "add", "minh@x.example", "--role", "coordinator"])
    assert more.exit_code == 0, more.output


# -- wrong answers


WRONG = (
    (0, "fr", "Write vi for Vietnamese or en"),
    (1, "http://chungtay.school.vn", "whoever listens on the way"),
    (1, "https://x.vn/path", "without a path"),
    (1, "ftp://x.vn", "without a path"),
    (1, "two words", "without a path"),
    (2, "mysql://x/y", "Write postgresql://"),
    (2, "postgresql://u:p@no-such-host.invalid/x", "No machine is known by the name in no-such"),
    (2, "postgresql://u:p@127.0.0.1:9/x", "Nothing answers at 127.0.0.1:9"),
    (2, "postgresql://u:p@127.0.0.1:x/x", "cannot be read"),
    (2, "sqlite:////dev/null/x.db", "Nothing may be written to /dev/null"),
    (3, "nobody", "Write it as Chung Tay <"),
    (3, "A <a@>", "Write it as Chung Tay <"),
    (4, "smtp://", "Write the relay as"),
    (4, "http://relay", "Write the relay as"),
    (5, "ha", "Write a mail address"),
    (5, "", "Write a mail address"),
    (6, "x" * 201, "Write a name of at most 200 letters"),
)


def test_each_wrong_answer_is_explained_and_asked_again(machine):
    answers = []
    for number, usual in enumerate(USUAL):
        answers += [*(wrong for at, wrong, _ in WRONG if at == number), usual]
    done = setup(answers=answers)
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    for _, _, told in WRONG:
        assert told in said
        said = said.partition(told)[2]  # one after the other
    assert written()["BASE_URL"] == "http://127.0.0.1:8000"


def test_what_does_not_work_yet_may_be_kept(machine):
    later = "chungtay.no-such-school.invalid"
    done = setup(answers=("en", later, "n", later, "y", *USUAL[2:]))
    assert done.exit_code == 0, done.output
    assert done.output.count("No machine is known by the name") == 2
    assert written()["BASE_URL"] == f"https://{later}"
    assert written()["MAIL_FROM"] == f"Chung Tay <no-reply@{later}>"
    assert written()["UID_DOMAIN"] == later


# -- the relay


def relay_answers(*about):
    return (*USUAL[:4], *about, *USUAL[5:])


def test_a_relay_is_greeted_and_takes_name_and_password(machine):
    with listening(Manner(features=("AUTH PLAIN",))) as sink:
        place = f"127.0.0.1:{sink.port}"
        done = setup(answers=relay_answers(place, "chung tay", "p@ss:w/rd#"))
        assert done.exit_code == 0, done.output
        assert any(line.startswith("AUTH PLAIN") for line in sink.heard)
        assert sink.arrived == []
    url = written()["SMTP_URL"]
    assert url == f"smtp://chung%20tay:p%40ss%3Aw%2Frd%23@{place}"
    assert config.load().smtp_url.get_secret_value() == url
    assert "p@ss" not in done.output
    assert "p%40ss" not in done.output
    assert "chung%20tay:…@" in done.output


def test_a_password_that_the_relay_refuses_is_asked_again(machine):
    with listening(Manner(features=("AUTH PLAIN",)), AUTH="535 5.7.8 wrong") as sink:
        place = f"127.0.0.1:{sink.port}"
        done = setup(answers=relay_answers(place, "chungtay", "wrong", "n", "", ""))
    assert done.exit_code == 0, done.output
    assert "does not take this name and password" in done.output
    assert "SMTP_URL" not in written()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ({"banner": "421 not now"}, "answers otherwise than a relay does: 421 not now"),
        ({"banner": "SSH-2.0-OpenSSH_9"}, "answers otherwise than a relay does"),
        ({"banner": "reset"}, "Nothing answers"),
    ],
)
def test_what_is_no_relay_is_told_in_its_own_words(machine, script, told):
    with listening(**script) as sink:
        done = setup(answers=(*USUAL[:4], f"127.0.0.1:{sink.port}"))
    assert told in " ".join(done.output.split())


def test_a_port_at_which_nobody_listens_is_told_with_the_usual_ones(machine):
    done = setup(answers=(*USUAL[:4], "127.0.0.1:9"))
    assert "Most relays listen on 587" in " ".join(done.output.split())


def test_tls_at_a_port_that_speaks_none_is_told(machine):
    with listening() as sink:
        done = setup(answers=(*USUAL[:4], f"smtps://127.0.0.1:{sink.port}"))
    assert "port 587 smtp://" in " ".join(done.output.split())


# -- going away


@pytest.mark.parametrize("answered", range(8))
def test_whoever_goes_away_leaves_nothing_behind(machine, answered):
    done = setup(answers=USUAL[:answered])
    assert done.exit_code == 1
    assert "Nothing was written." in done.output
    assert list(machine.iterdir()) == []


def test_no_to_the_last_question_leaves_nothing_behind(machine):
    done = setup(answers=(*USUAL[:-1], "n"))
    assert (done.exit_code, list(machine.iterdir())) == (1, [])


class Terminal:
    """A real one, on which the command runs."""

    def __init__(self) -> None:
        self.pid, self.line = pty.fork()
        if not self.pid:  # the child
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # it is ignored in the background
            os.environ |= {"PYTHONPATH": str(ROOT), "LANG": "en_GB.UTF-8", "LC_ALL": ""}
            os.execv(sys.executable, [sys.executable, "-m", "scheduler", "setup"])
        self.seen = ""

    def until(self, words: str) -> None:
        deadline = time.monotonic() + 60
        while words not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select([self.line], [], [], 1)[0]:
                try:
                    self.seen += os.read(self.line, 4096).decode("utf-8", "replace")
                except OSError:  # it has ended
                    assert words in self.seen, self.seen

    def type(self, words: str) -> None:
        self.seen = ""
        os.write(self.line, f"{words}\n".encode())

    def end(self, pressing: bytes = b"") -> int:
        """`pressing` a key again until it does: one may fall between a question and its reading."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                os.close(self.line)
                return os.waitstatus_to_exitcode(status)
            if select.select([self.line], [], [], 5.0 if pressing else 0.1)[0]:
                try:
                    self.seen += os.read(self.line, 4096).decode("utf-8", "replace")
                except OSError:
                    continue
            elif pressing:
                os.write(self.line, pressing)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError(self.seen)


def test_on_a_terminal_it_is_gone_through_and_broken_off(machine):
    broken = Terminal()
    broken.until("[en]")
    broken.type("")
    broken.until("2 of 6.")
    os.write(broken.line, b"\x03")  # Ctrl+C
    assert broken.end(pressing=b"\x03") == 1
    assert "Nothing was written." in broken.seen
    assert list(machine.iterdir()) == []

    with listening(Manner(features=("AUTH PLAIN",))) as sink:
        talk = Terminal()
        for words, answer in (
            ("[en]", ""), ("2 of 6.", ""), ("3 of 6.", ""), ("4 of 6.", ""),
            ("5 of 6.", f"127.0.0.1:{sink.port}"), ("Name there", "chungtay"),
            ("Password there", "s3cret-of-relay"), ("6 of 6.", HA), ("called?", "Hà Nội – Yên Bái"),
        ):  # fmt: skip
            talk.until(words)
            talk.type(answer)
        talk.until("Do this?")
        assert "s3cret-of-relay" not in talk.seen
        talk.type("y")
        talk.until("/sign-in/")
        assert talk.end() == 0
    assert "s3cret-of-relay" in written()["SMTP_URL"]


# -- without anybody


def test_a_script_needs_no_answers(machine):
    done = unattended("--language", "vi", "--base-url", "https://localhost")
    assert done.exit_code == 0, done.output
    assert written() == {
        "LOCALE": "vi", "BASE_URL": "https://localhost", "UID_DOMAIN": "localhost",
        "MAIL_FROM": "Chung Tay <no-reply@localhost>",
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [("--base-url", "http://x.vn"), ("--database", "postgresql://u:p@127.0.0.1:9/x"),
     ("--relay", "127.0.0.1:9"), ("--mail-from", "x"), ("--language", "fr"),
     ("--base-url", "https://nowhere.invalid")],
)  # fmt: skip
def test_a_wrong_option_ends_a_script_with_a_sentence(machine, wrong):
    done = unattended(*wrong)
    assert done.exit_code == 1
    assert "Traceback" not in done.output
    assert list(machine.iterdir()) == []


def test_a_script_may_ask_for_no_checks(machine):
    done = unattended("--relay", "127.0.0.1:9", "--no-checks")
    assert done.exit_code == 0, done.output
    assert written()["SMTP_URL"] == "smtp://127.0.0.1:9"


def test_a_script_without_a_coordinator_makes_none_and_says_so(machine):
    done = setup("--yes")
    assert done.exit_code == 0, done.output
    assert "chungtay setup --coordinator MAIL" in done.output
    later = setup("--yes", "--coordinator", HA)
    assert "/sign-in/" in later.output


def test_what_the_environment_sets_is_not_asked_and_not_written(machine, monkeypatch):
    monkeypatch.setenv("CHUNGTAY_BASE_URL", "https://set.example")
    key = machine / "relay"
    key.write_text("smtp://127.0.0.1:9")
    key.chmod(0o600)
    monkeypatch.setenv("CHUNGTAY_SMTP_URL_FILE", str(key))
    done = setup(answers=("en", "", "", HA, "Hà Nội – Yên Bái", "y"))
    assert done.exit_code == 0, done.output
    assert "CHUNGTAY_BASE_URL is set, and stays" in done.output
    assert {"BASE_URL", "SMTP_URL"} & written().keys() == set()
    refused = unattended("--base-url", "https://localhost")
    assert refused.exit_code == 1
    assert "Change it there" in refused.output


# -- once more


def test_run_again_it_shows_what_is_set_and_changes_nothing(machine):
    unattended("--base-url", "https://localhost")
    Path(".env").write_text(Path(".env").read_text() + "# ours\nOTHER=1\nCHUNGTAY_COUNTRY=VN\n")
    before = Path(".env").read_text()
    done = setup(answers=("", "", "", "", "", "y"))
    assert done.exit_code == 0, done.output
    assert "[https://localhost]" in done.output
    assert "Hà Nội – Yên Bái is coordinated by ha@x.example" in done.output
    assert "stays as it is" in done.output
    assert "/sign-in/" not in done.output.partition("What comes next:")[2].partition("3.")[0]
    assert setup("--yes").exit_code == 0
    assert Path(".env").read_text() == before
    assert list(machine.glob(".env.*")) == []


def test_one_thing_is_changed_and_the_old_file_kept(machine):
    unattended("--base-url", "https://localhost")
    Path(".env").write_text("# ours\n" + Path(".env").read_text() + "CHUNGTAY_COUNTRY=VN\n")
    before = Path(".env").read_text()
    done = setup(answers=("", "", "", "Ban tổ chức <tin@localhost.example>", "", "y"))
    assert done.exit_code == 0, done.output
    [kept] = machine.glob(".env.before-*")
    assert kept.read_text() == before
    assert kept.stat().st_mode & 0o777 == 0o600
    changed = before.replace(
        "Chung Tay <no-reply@localhost>", "Ban tổ chức <tin@localhost.example>"
    )
    assert Path(".env").read_text() == changed
    assert config.load().mail_from == "Ban tổ chức <tin@localhost.example>"


def test_a_name_with_odd_signs_is_read_back_as_it_was_meant(machine):
    odd = '"Chung Tay, #1" <a@x.example>'
    done = unattended("--mail-from", odd)
    assert done.exit_code == 0, done.output
    assert config.load().mail_from == odd


def test_a_file_elsewhere_is_written_there(machine):
    done = unattended("--env-file", machine / "etc" / "env")
    assert done.exit_code == 0, done.output
    assert (machine / "etc" / "env").exists()
    assert not (machine / ".env").exists()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_is_looked_at_and_used(machine, database_url):
    plain = database_url.replace("postgresql+psycopg://", "postgresql://")
    done = setup(answers=(*USUAL[:2], plain, *USUAL[3:]))
    assert done.exit_code == 0, done.output
    assert re.search(r"PostgreSQL \d+ answers", done.output)
    assert written()["DATABASE_URL"] == plain
    assert not (machine / "var" / "chungtay.db").exists()
    missing = re.sub(r"/[^/?]+\?", "/no_such_database?", plain)
    refused = setup("--yes", "--database", missing)
    assert refused.exit_code == 1
    assert "createdb no_such_database" in refused.output
