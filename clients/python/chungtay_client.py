"""Chung Tay for programs: its API under /api/v1, and events that it sends, verified.

One file that needs httpx2 alone: copy it beside your program.

    with Client("https://chungtay.example", token) as chungtay:
        for lesson in chungtay.lessons("2023-10-02T00:00+07:00", "2023-10-09T00:00+07:00"):
            print(lesson["starts_at"], lesson["class_name"])
"""

import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypedDict, cast

import httpx2

JSON = Any
TRIES = 4
LONGEST_WAIT = 60.0  # seconds: who is told to wait longer is told so
_AGAIN = frozenset({429, 503})  # nothing was done: wait, then ask again


class Lesson(TypedDict):
    """A lesson as the API tells it; instants are ISO 8601 with a zone."""

    id: int
    uid: str
    state: str
    life: str
    cause: str | None
    starts_at: str
    ends_at: str
    sequence: int
    school: str
    class_name: str
    teacher: str
    donor_school: str
    cancel_reason: str
    moved_from: str | None


class Problem(Exception):
    """The API refused (RFC 9457): `detail` is a sentence for people, `errors` are by field."""

    def __init__(self, status: int, title: str, detail: str, errors: Mapping[str, str]) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status, self.title, self.detail, self.errors = status, title, detail, errors


class BadSignature(Exception):
    """The event is not Chung Tay's, was changed on the way, or is too old."""


class Client:
    """One account's access, by its token; `language` is that of sentences in errors."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        language: str = "vi",
        timeout: float = 30.0,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"authorization": f"Bearer {token}", "accept-language": language}
        self._http = httpx2.Client(
            base_url=f"{base_url.rstrip('/')}/api/v1/", headers=headers, timeout=timeout,
            transport=transport,
        )  # fmt: skip
        self._sleep = sleep

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **query: object) -> JSON:
        return _read(self._ask("GET", path, query=query))

    def every(self, path: str, **query: object) -> Iterator[JSON]:
        """All rows of a list, page after page."""
        answer = self._ask("GET", path, query=query)
        yield from _read(answer)
        while onward := answer.links.get("next"):
            answer = self._ask("GET", path, query=httpx2.URL(onward["url"]).params)
            yield from _read(answer)

    def post(self, path: str, body: JSON = None, etag: str = "") -> JSON:
        """Done once, however often it must be sent: all tries carry one Idempotency-Key."""
        key = {"idempotency-key": str(uuid.uuid4())}
        return _read(self._ask("POST", path, body, key | ({"if-match": etag} if etag else {})))

    def read(self, path: str) -> tuple[JSON, str]:
        """What is there, and its ETag: what `put` needs."""
        answer = self._ask("GET", path)
        return _read(answer), answer.headers.get("etag", "")

    def put(self, path: str, body: JSON, etag: str = "") -> JSON:
        """Raises Problem with status 412 when it is not as it was `read` any more."""
        return _read(self._ask("PUT", path, body, {"if-match": etag} if etag else {}))

    def delete(self, path: str, etag: str = "") -> None:
        self._ask("DELETE", path, headers={"if-match": etag} if etag else {})

    def _ask(
        self,
        method: str,
        path: str,
        body: JSON = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
    ) -> httpx2.Response:
        given = {name: str(value) for name, value in (query or {}).items() if value is not None}
        for left in reversed(range(TRIES)):
            try:
                answer = self._http.request(
                    method, path, json=body, headers=dict(headers or {}), params=given or None
                )
            except httpx2.TransportError:
                if not left:
                    raise
                self._sleep(float(TRIES - left))
                continue
            wait = _wait(answer)
            if answer.status_code not in _AGAIN or not left or wait > LONGEST_WAIT:
                break
            self._sleep(wait)
        if answer.is_success:
            return answer
        raise _problem(answer)

    # -- what is asked most

    def lessons(self, since: str, until: str) -> Iterator[Lesson]:
        """The lessons that touch the span, in order of time; instants with their zone."""
        return cast(Iterator[Lesson], self.every("lessons", since=since, until=until, limit=200))

    def lesson(self, lesson_id: int) -> Lesson:
        return cast(Lesson, self.get(f"lessons/{lesson_id}"))

    def call_off(self, lesson_id: int, reason: str) -> Lesson:
        return cast(Lesson, self.post(f"lessons/{lesson_id}/call-off", {"reason": reason}))

    def publish(self, plan_id: int) -> JSON:
        """Publish a plan exactly as it is previewed now; returns the counts of its changes."""
        _, etag = self.read(f"plans/{plan_id}")
        return self.post(f"plans/{plan_id}/publish", {}, etag)

    def send_in(self, files: Mapping[str, bytes]) -> JSON:
        """What lists, by name and bytes, would do; then post to imports/{id}/take-over."""
        told = [{"name": x, "content": base64.b64encode(y).decode()} for x, y in files.items()]
        return self.post("imports", {"files": told})


def verify_signature(
    secret: str, header: str, body: bytes, *, now: float | None = None, tolerance: float = 300.0
) -> None:
    """Raise BadSignature unless the event was signed with this secret within `tolerance` seconds.

    `header` is `Chungtay-Signature`; `body` the bytes as they came, before they are read as JSON.
    """
    parts = [part.partition("=")[::2] for part in header.split(",")]
    sent = next((value for name, value in parts if name == "t"), "")
    if not (sent.isascii() and sent.isdigit()):
        raise BadSignature("no instant")
    wanted = hmac.new(secret.encode(), sent.encode() + b"." + body, hashlib.sha256).hexdigest()
    given = [value for name, value in parts if name == "v1"]
    if not any(hmac.compare_digest(each.encode(), wanted.encode()) for each in given):
        raise BadSignature("signed with another secret, or changed")
    if abs((time.time() if now is None else now) - int(sent)) > tolerance:
        raise BadSignature("too old")


def _read(answer: httpx2.Response) -> JSON:
    return answer.json() if answer.content else None


def _wait(answer: httpx2.Response) -> float:
    said = answer.headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdigit() else 1.0


def _problem(answer: httpx2.Response) -> Problem:
    try:
        told = answer.json()
        errors = {each["field"]: each["detail"] for each in told.get("errors", [])}
        return Problem(answer.status_code, told["title"], told["detail"], errors)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Problem(answer.status_code, answer.reason_phrase, answer.text[:200], {})
