"""The first run: six questions, and then everything is there."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from typing import Generic

import click

from scheduler import console, env_file
from scheduler.clock import SystemClock
from scheduler.commands import opening
from scheduler.commands.asking import Answer, Talk, first_language
from scheduler.config import Settings
from scheduler.errors import Conflict, Text, text
from scheduler.locale import Language
from scheduler.services import accounts, founding, installing, system
from scheduler.services.context import Context
from scheduler.services.founding import Standing
from scheduler.services.installing import Relay

LINK_LIFE = timedelta(hours=1)
_SECRET = ("database_url", "smtp_url")
_QUESTIONS = 6


@dataclass
class Answers:
    """What was answered: settings by name; who coordinates what, where nobody does yet."""

    settings: dict[str, str] = field(default_factory=dict)
    revision: str = ""
    coordinator: str = ""
    programme: str = ""
    standing: Standing = field(default_factory=partial(Standing, (), ()))


@dataclass(frozen=True)
class Given:
    """What stands on the command line."""

    language: str | None
    base_url: str | None
    database: str | None
    mail_from: str | None
    relay: str | None
    coordinator: str | None
    programme: str | None


@dataclass(frozen=True, slots=True)
class Question(Generic[Answer]):
    """One of the six, about a setting; `given` on the command line, `default` if nobody answers."""

    number: int
    name: str
    words: Text
    check: Callable[[str], Answer]
    given: str | None
    default: str


@click.command()
@click.option("--language", metavar="vi|en", help="Language of readers who chose none.")
@click.option("--base-url", metavar="URL", help="Where people reach us: https://…")
@click.option("--database", metavar="URL", help='postgresql://…; "" for SQLite in var/.')
@click.option("--mail-from", metavar="SENDER", help="Sender of mails.")
@click.option("--relay", metavar="RELAY", help='Mail relay, as HOST:PORT or smtp://…; "" for none.')
@click.option("--coordinator", metavar="MAIL", help="First coordinator: MAIL, or NAME <MAIL>.")
@click.option("--programme", metavar="NAME", help="Name of the programme.")
@click.option(
    "--env-file", "path", default=".env", show_default=True,
    type=click.Path(dir_okay=False, path_type=Path), help="Where the settings are written.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Ask nothing: what is not given stays as it is.")
@click.option("--no-checks", is_flag=True, help="Keep answers that do not work from here yet.")
def setup(path: Path, yes: bool, no_checks: bool, **given: str | None) -> None:
    """Set an installation up: six questions, each answer checked at once.

    Writes the settings, makes key, database, programme and first coordinator, and prints her
    sign-in link.  Run again, it shows what is set, and changes what is answered otherwise.  Nothing
    is written before you have seen all of it.
    """
    with console.sentences():
        present = opening.settings(_env_file=path)
        told = present.locale if _is_told("locale", path) else ""
        language = first_language(told, os.environ.get("LC_ALL") or os.environ.get("LANG", ""))
        wizard = Wizard(Talk(language, not yes, no_checks), present, path, Given(**given))
        try:
            wizard.run()
        except (click.Abort, KeyboardInterrupt):
            wizard.leave()
            sys.exit(1)


def _is_told(name: str, path: Path) -> bool:
    return bool(_from_outside(name)) or name in env_file.named(_content(path))


def _content(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _from_outside(name: str) -> str:
    """The variable of the environment that sets it, which counts more than any file."""
    variables = {each.upper(): each for each in os.environ}
    wanted = (f"{env_file.PREFIX}{name.upper()}{end}" for end in ("", "_FILE"))
    return next((variables[each] for each in wanted if each in variables), "")


class Wizard:
    """One run of it.  Until `write` begins nothing is made, not even a folder."""

    def __init__(self, talk: Talk, present: Settings, path: Path, given: Given) -> None:
        self.talk = talk
        self.present = present
        self.path = path
        self.given = given
        self.content = _content(path)
        self.named = env_file.named(self.content)
        self.answers = Answers()
        self.writes = False

    def run(self) -> None:
        self.ask()
        changes = self.changes()
        self.show(changes)
        if not self.talk.agrees(text("Do this?"), usually=True):
            raise click.Abort
        self.writes = True
        self.write(changes)

    def leave(self) -> None:
        """Somebody went away in the middle."""
        click.echo()
        if self.writes:
            self.talk.say(
                text("Stopped. What is done is whole; run chungtay setup again to go on.")
            )
        else:
            self.talk.say(text("Nothing was written."))

    # -- the six questions

    def ask(self) -> None:
        talk, given, present = self.talk, self.given, self.present
        language = Question(
            1, "locale", text("Ngôn ngữ / Language: vi, en"), installing.language,
            given.language, talk.language.value,
        )  # fmt: skip
        talk.language = Language(self.answer_to(language))
        address = Question(
            2, "base_url", _ADDRESS, installing.address, given.base_url, present.base_url
        )
        base_url = self.answer_to(address)
        self.about_data()
        sender = Question(
            4, "mail_from", _SENDER, installing.sender, given.mail_from,
            self.usual_sender(base_url),
        )  # fmt: skip
        self.about_relay(self.answer_to(sender))
        self.about_people()
        host = base_url.removeprefix("https://").partition(":")[0]
        if not self.answers.revision and base_url.startswith("https://") and self.may("uid_domain"):
            self.answers.settings["uid_domain"] = host  # calendars know our events by it, for ever

    def usual_sender(self, base_url: str) -> str:
        """One of the public address, for whoever reads it: nothing is changed unseen."""
        if self.content and not self.talk.asks:
            return self.present.mail_from
        return installing.usual_sender(self.present, base_url)

    def may(self, name: str) -> bool:
        return not _from_outside(name) and not {name, f"{name}_file"} & self.named

    def answer_to(self, question: Question[Answer]) -> str:
        found = self.settled(question)
        return found.value if found else question.default

    def settled(self, question: Question[Answer]) -> Answer | None:
        """The answer; None where the environment, or a file of its own, has fixed it."""
        name, default, given = question.name, question.default, question.given
        fixed = _from_outside(name) or (
            f"CHUNGTAY_{name.upper()}_FILE" if f"{name}_file" in self.named else ""
        )
        if not fixed:
            self.talk.breathe()
            found = self.talk.ask(
                self.numbered(question.number, question.words), question.check, given=given,
                default=default, shown=env_file.masked(default),
            )  # fmt: skip
            self.answers.settings[name] = found.value
            return found
        if given is not None and given != default:
            raise Conflict(
                text("{name} is set already, outside of {file}. Change it there.", name=fixed,
                     file=str(self.path))
            )  # fmt: skip
        self.talk.say(
            text("{number}. {name} is set, and stays.", number=question.number, name=fixed)
        )
        return None

    def numbered(self, number: int, question: Text) -> Text:
        return text(
            "{number} of {all}. {question}", number=number, all=_QUESTIONS, question=question
        )

    def about_data(self) -> None:
        check = partial(installing.data, self.present)
        default = self.present.database_url
        found = self.settled(
            Question(3, "database_url", _DATA, check, self.given.database, default)
        )
        self.answers.revision = (found or check(default)).revision

    def about_relay(self, sender: str) -> None:
        def check(answer: str) -> Relay:
            found = installing.relay(answer, sender)
            return self.with_password(found, sender) if found.asks and self.talk.asks else found

        default = self.present.smtp_url.get_secret_value()
        self.settled(Question(5, "smtp_url", _RELAY, check, self.given.relay, default))

    def with_password(self, found: Relay, sender: str) -> Relay:
        name = self.talk.line(text("   It asks who we are. Name there (Enter: none needed)"))
        if not name:
            return found
        password = self.talk.secret(text("   Password there (it is not shown)"))
        return installing.relay(installing.with_password(found.value, name, password), sender)

    def about_people(self) -> None:
        answers, talk = self.answers, self.talk
        if system.is_behind(answers.revision):
            talk.say(text("6 of 6. Who coordinates is seen when the database is at this version."))
            return
        answers.standing = self.standing()
        if answers.standing.coordinators:
            talk.say(
                text(
                    "6 of 6. {programme} is coordinated by {people}.",
                    programme=answers.standing.programmes[0],
                    people=answers.standing.coordinators,
                )
            )
            return
        if not talk.asks and self.given.coordinator is None:
            talk.say(text("No coordinator was named. Later: chungtay setup --coordinator MAIL"))
            return
        talk.breathe()
        answers.coordinator = talk.ask(
            self.numbered(6, _COORDINATOR), installing.coordinator, given=self.given.coordinator
        ).value
        if not answers.standing.programmes:
            answers.programme = talk.ask(
                _PROGRAMME, installing.programme, given=self.given.programme,
                default=talk.words(text("Lessons together")),
            ).value  # fmt: skip

    def standing(self) -> Standing:
        if not self.answers.revision:
            return Standing((), ())
        url = self.answers.settings.get("database_url", self.present.database_url)
        return founding.look(self.present.model_copy(update={"database_url": url}))

    # -- what will be done

    def changes(self) -> dict[str, str]:
        """What must be written: all on the first run, afterwards what is otherwise."""
        is_new = not self.content
        return {
            name: value
            for name, value in self.answers.settings.items()
            if value != self.value_of(name) or (is_new and value)
        }

    def value_of(self, name: str) -> str:
        found = getattr(self.present, name)
        return str(found.get_secret_value() if hasattr(found, "get_secret_value") else found)

    def show(self, changes: Mapping[str, str]) -> None:
        click.echo()
        talk, path = self.talk, str(self.path.absolute())
        if changes:
            talk.say(text("This will be written to {file}:", file=path), bold=True)
            click.echo(_indented(env_file.hidden(env_file.merged("", changes), _SECRET)))
        else:
            talk.say(text("{file} stays as it is.", file=path), bold=True)
        if self.content and changes:
            talk.say(text("The file as it is now is kept beside it."))
        if system.is_behind(self.answers.revision):
            talk.say(text("The database is brought to the version of this program."))
        if self.answers.coordinator:
            talk.say(
                text("{who} will coordinate {programme}.", who=self.answers.coordinator,
                     programme=self.answers.programme or self.answers.standing.programmes[0])
            )  # fmt: skip

    # -- doing it

    def write(self, changes: Mapping[str, str]) -> None:
        """Each step is whole or not at all, and does nothing where it is done already."""
        if changes:
            self.write_settings(changes)
        settings = opening.settings(_env_file=self.path)
        settings.var_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        ctx = opening.opened(settings)
        try:
            system.migrate(ctx)
            self.found(ctx)
        finally:
            ctx.database.close()

    def write_settings(self, changes: Mapping[str, str]) -> None:
        merged = env_file.merged(self.content, changes)
        spoilt = env_file.misread(merged, changes)
        if spoilt:
            raise Conflict(
                text("{name} holds signs that no such file can hold. Write it otherwise.",
                     name=f"CHUNGTAY_{spoilt.upper()}")
            )  # fmt: skip
        kept = env_file.write(self.path, merged, SystemClock().now())
        if kept:
            self.talk.say(text("Kept as it was: {file}.", file=str(kept)))

    def found(self, ctx: Context) -> None:
        if not self.answers.coordinator:
            self.next_steps(self.answers.standing.coordinators[:1])
            return
        name, email = parseaddr(self.answers.coordinator)
        founding.found(ctx, self.answers.programme, name, email)
        self.talk.say(text("Everything is there."), fg="green")
        self.next_steps((email,), accounts.operator_link(ctx, email, LINK_LIFE))

    def next_steps(self, who: tuple[str, ...], link: str = "") -> None:
        talk = self.talk
        click.echo()
        talk.say(text("What comes next:"), bold=True)
        talk.say(text("1. chungtay doctor   looks at everything once more"))
        talk.say(
            text("2. chungtay serve    starts it; for good, by systemd: deploy/chungtay.service")
        )
        if link:
            talk.say(text("3. Within an hour {email} opens this link to sign in:", email=who[0]))
            click.echo(f"   {link}")
            talk.say(text("   Later: chungtay sign-in-link {email}", email=who[0]))
        elif who:
            talk.say(text("3. chungtay sign-in-link {email}   lets her in", email=who[0]))
        else:
            talk.say(text("3. chungtay setup --coordinator MAIL   names who coordinates"))


def _indented(lines: str) -> str:
    return "\n".join(f"  {line}" for line in lines.splitlines())


_ADDRESS = text(
    "At which address will people reach it? https://chungtay.truong.vn, or Enter for this machine "
    "only"
)
_DATA = text("Where are data kept? Enter: in a file on this machine; or postgresql://…")
_SENDER = text("Who do mails come from?")
_RELAY = text("Which relay sends the mails? smtp.truong.vn:587; Enter: none yet")
_COORDINATOR = text("Who coordinates first? Name <mail address>")
_PROGRAMME = text("   And what is the programme called?")
