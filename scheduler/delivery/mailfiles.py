"""Mail kept as files where no relay is set: one `.eml` a Message-ID, whole or not there at all."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from uuid import uuid4

from scheduler.delivery.channels import Outcome, Parcel, Receipt

MOST_SHOWN = 200
_UNSAFE = re.compile(r"[^A-Za-z0-9@._-]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]*")


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A mail as it would have arrived; `name` finds it again."""

    name: str
    subject: str
    sender: str
    to: str
    sent: datetime
    text: str
    html: str


class FileTransport:
    """Keeps each message in a folder; sending the same one again changes nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, parcel: Parcel) -> Receipt:
        """Write the file under another name first: a reader never sees half a mail."""
        name = _UNSAFE.sub("_", parcel.message_id.strip("<>"))
        draft = self.folder / f".{uuid4().hex}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_bytes(parcel.content)
            draft.replace(self.folder / f"{name}.eml")
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            return Receipt(Outcome.REFUSED_FOR_NOW, repr(error), relay_away=True)
        return Receipt(Outcome.SENT, name)

    def close(self) -> None:
        """Nothing is held open."""


def stored(folder: Path) -> tuple[StoredMail, ...]:
    """The newest mails, newest first."""
    if not folder.is_dir():
        return ()
    files = sorted(_files(folder), key=lambda found: found[0], reverse=True)
    mails = [_read(Path(path)) for _, path in files[:MOST_SHOWN]]
    return tuple(sorted(mails, key=lambda mail: mail.sent, reverse=True))


def one(folder: Path, name: str) -> StoredMail | None:
    """The mail of that name; names that could leave the folder are nobody's."""
    path = folder / f"{name}.eml"
    return _read(path) if _NAME.fullmatch(name) and path.is_file() else None


def old(folder: Path, before: datetime) -> tuple[Path, ...]:
    """The mails that were kept before that instant."""
    if not folder.is_dir():
        return ()
    limit = before.timestamp() * 1e9
    return tuple(Path(path) for at, path in _files(folder) if at < limit)


def _files(folder: Path) -> Iterable[tuple[int, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".eml"):
                yield entry.stat().st_mtime_ns, entry.path


def _read(path: Path) -> StoredMail:
    message = BytesParser(EmailMessage, policy=default).parsebytes(path.read_bytes())
    return StoredMail(
        name=path.stem,
        subject=str(message["Subject"]),
        sender=str(message["From"]),
        to=str(message["To"]),
        sent=message["Date"].datetime,
        text=_body(message, "plain"),
        html=_body(message, "html"),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    words = str(part.get_content()) if isinstance(part, EmailMessage) else ""
    return words.replace("\r\n", "\n")
