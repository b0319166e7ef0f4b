"""Signed links: what is refused, whatever the library would let through."""

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jose import jwt

from scheduler import security
from scheduler.security import BadLink, Purpose, read_link, sign_link

KEY = b"0123456789abcdef0123456789abcdef"
NOW = datetime(2023, 10, 2, 6, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def link(**changed: object) -> str:
    """A token with our own key, from which claims or headers are changed or taken away (None)."""
    claims = {
        "iss": "chungtay",
        "aud": "stop_reminders",
        "sub": "7",
        "jti": "x",
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + DAY).timestamp()),
    }
    headers = {"kid": security.key_id(KEY), "typ": "stop_reminders"}
    for name, value in changed.items():
        place = headers if name in ("kid", "typ", "crit", "jku") else claims
        place[name] = value
    claims = {name: value for name, value in claims.items() if value is not None}
    headers = {name: value for name, value in headers.items() if value is not None}
    return jwt.encode(claims, security._signing_key(KEY), algorithm="HS256", headers=headers)


def test_a_signed_link_comes_back_whole():
    token = sign_link(KEY, Purpose.STOP_REMINDERS, "person 7", NOW, DAY)
    assert read_link([KEY], Purpose.STOP_REMINDERS, token, NOW).subject == "person 7"


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": None},
        {"iat": None},
        {"aud": None},
        {"iss": None},
        {"sub": None},
        {"jti": None},
        {"aud": "something_else"},
        {"iss": "somebody"},
        {"exp": int(NOW.timestamp())},
        {"exp": "9999999999"},
        {"kid": None},
        {"kid": "../../etc/passwd"},
        {"typ": "JWT"},
        {"crit": ["exp"]},
        {"jku": "https://evil.example/keys"},
    ],
)
def test_a_link_with_a_wrong_part_is_refused(changed):
    with pytest.raises(BadLink):
        read_link([KEY], Purpose.STOP_REMINDERS, link(**changed), NOW)


def _with_header(**header: object) -> str:
    _, body, signature = link().split(".")
    text = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{text}.{body}.{signature}"


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "\x00",
        "é",
        "x" * 20_000,
        _with_header(alg="none"),
        _with_header(alg="RS256", typ="stop_reminders"),
        _with_header(alg="HS512", typ="stop_reminders"),
        link().rsplit(".", 1)[0] + ".",
        link()[:-2] + "AA",
    ],
)
def test_hostile_text_is_refused(token):
    with pytest.raises(BadLink):
        read_link([KEY], Purpose.STOP_REMINDERS, token, NOW)


@given(st.text(max_size=300))
def test_no_text_at_all_raises_anything_but_a_refusal(token):
    with pytest.raises(BadLink):
        read_link([KEY], Purpose.STOP_REMINDERS, token, NOW)


def test_another_key_refuses_the_link():
    token = sign_link(KEY, Purpose.STOP_REMINDERS, "7", NOW, DAY)
    with pytest.raises(BadLink):
        read_link([b"another key of thirty-two bytes!"], Purpose.STOP_REMINDERS, token, NOW)


def test_a_link_ends_on_the_programmes_clock():
    token = sign_link(KEY, Purpose.STOP_REMINDERS, "7", NOW, DAY)
    read_link([KEY], Purpose.STOP_REMINDERS, token, NOW + DAY - timedelta(seconds=1))
    with pytest.raises(BadLink):
        read_link([KEY], Purpose.STOP_REMINDERS, token, NOW + DAY)


def test_a_sealed_secret_opens_with_its_own_key_only():
    sealed = security.seal(KEY, "https://x.example/secret")
    assert "secret" not in sealed
    assert security.unseal([KEY], sealed) == "https://x.example/secret"
    assert security.seal(KEY, "https://x.example/secret") != sealed
    for key, text in ((KEY + b"x", sealed), (KEY, sealed[:-2] + "AA"), (KEY, ""), (KEY, "ấ")):
        with pytest.raises(security.BadSeal):
            security.unseal([key], text)


def test_what_python_jose_brings_along_is_never_loaded():
    """ecdsa (CVE-2024-23342, not to be mended) and rsa (archived): SECURITY.md says so."""
    told = (
        "import sys, scheduler.app, scheduler.security as s; from datetime import *; "
        "now = datetime.now(UTC); key = b'k' * 32; to = s.Purpose.ACCESS; "
        "s.read_link([key], to, s.sign_link(key, to, '1', now, timedelta(1)), now); "
        "print(sorted({'ecdsa', 'rsa', 'jose'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["['jose']"]
