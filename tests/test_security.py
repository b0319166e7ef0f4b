"""Signed links: what is refused, whatever the library would let through."""

import base64
import hmac
import json
import string
import subprocess
import sys
import timeit
from contextlib import suppress
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


HEADERS = ("kid", "typ", "crit", "jku", "jwk", "x5u", "cty")


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
        place = headers if name in HEADERS else claims
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
        {"exp": 9e99},
        {"exp": NOW.timestamp() + 60.5},
        {"exp": True},
        {"exp": [9999999999]},
        {"iat": True},
        {"iat": NOW.timestamp() + 0.5},
        {"iat": "1"},
        {"aud": ["stop_reminders", "access"]},
        {"sub": 7},
        {"sub": ""},
        {"jti": ""},
        {"nbf": 0},
        {"role": "admin"},
        {"kid": ["x"]},
        {"kid": {"x": 1}},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"x5u": "https://evil.example/cert"},
        {"cty": "JWT"},
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
    return f"{_in_letters(header)}.{body}.{signature}"


def _in_letters(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _with_public_key() -> str:
    """Signed by somebody's own key that the header brings along."""
    header = {"alg": "HS256", "typ": "stop_reminders", "kid": security.key_id(KEY)}
    body = link().split(".")[1]
    mac = hmac.digest(b"", f"{_in_letters(header)}.{body}".encode(), "sha256")
    return f"{_in_letters(header)}.{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


_OURS = {"alg": "HS256", "typ": "stop_reminders", "kid": security.key_id(KEY)}
HOSTILE = {
    "nothing": "",
    "one dot": ".",
    "two dots": "..",
    "three words": "a.b.c",
    "None": "None",
    "NUL": "\x00",
    "no ASCII": "é",
    "20 kB": "x" * 20_000,
    "20 kB of parts": "." * 20_000,
    "20 kB of claims": link(sub="x" * 20_000),
    "alg none": _with_header(alg="none"),
    "alg none, ours else": _with_header(**{**_OURS, "alg": "none"}),
    "alg None": _with_header(**{**_OURS, "alg": None}),
    "alg of odd kind": _with_header(**{**_OURS, "alg": {"a": []}}),
    "RS256": _with_header(**{**_OURS, "alg": "RS256"}),
    "ES256": _with_header(**{**_OURS, "alg": "ES256"}),
    "HS512": _with_header(**{**_OURS, "alg": "HS512"}),
    "no alg": _with_header(typ="stop_reminders", kid=security.key_id(KEY)),
    "crit": link(crit=["exp"]),
    "kid of a path": link(kid="../../etc/passwd"),
    "no expiry": link(exp=None),
    "no audience": link(aud=None),
    "a link inside the header": _with_header(**_OURS, nested=link()),
    "a header inside a header": f"{_in_letters(link().split('.')[0])}.{link().split('.', 1)[1]}",
    "a header that is a list": f"{_in_letters([_OURS])}.{link().split('.', 1)[1]}",
    "a deep header": f"{_in_letters('[' * 1000)}.{link().split('.', 1)[1]}",
    "no signature": link().rsplit(".", 1)[0] + ".",
    "two parts": link().rsplit(".", 1)[0],
    "four parts": f"{link()}.x",
    "five parts": f"{link()}.x.y",
    "another signature": link()[:-2] + "AA",
    "signed by an empty key": _with_public_key(),
    "blanks around it": f" {link()} ",
    "a blank in it": link().replace(".", " ."),
    "padded": f"{link()}=",
}


@pytest.mark.parametrize("token", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused(token):
    with pytest.raises(BadLink):
        read_link([KEY], Purpose.STOP_REMINDERS, token, NOW)


def test_no_other_last_letter_makes_the_same_link():
    """Two bits of it are read by nobody: so four letters would do."""
    token = link()
    assert read_link([KEY], Purpose.STOP_REMINDERS, token, NOW)
    for letter in set(string.ascii_letters + string.digits + "-_=+/ \n") - {token[-1]}:
        with pytest.raises(BadLink):
            read_link([KEY], Purpose.STOP_REMINDERS, token[:-1] + letter, NOW)


def test_each_hostile_text_is_refused_in_no_time():
    for name, token in HOSTILE.items():
        best = min(timeit.repeat(lambda token=token: _refused(token), number=1, repeat=5))
        assert best < 0.005, name


def _refused(token: str) -> None:
    with suppress(BadLink):
        read_link([KEY], Purpose.STOP_REMINDERS, token, NOW)


def test_an_expiry_beyond_all_times_breaks_nothing():
    token = link(exp=10**400)
    assert read_link([KEY], Purpose.STOP_REMINDERS, token, NOW).subject == "7"


@given(st.data())
def test_no_changed_sign_of_a_link_is_overlooked(data):
    token = link()
    place = data.draw(st.integers(0, len(token) - 1))
    sign = data.draw(st.sampled_from(string.printable).filter(lambda sign: sign != token[place]))
    changed = token[:place] + sign + token[place + 1 :]
    with pytest.raises(BadLink):
        read_link([KEY], Purpose.STOP_REMINDERS, changed, NOW)


def test_each_purpose_refuses_the_links_of_all_others():
    for one in Purpose:
        token = sign_link(KEY, one, "7", NOW, DAY)
        for other in set(Purpose) - {one}:
            with pytest.raises(BadLink):
                read_link([KEY], other, token, NOW)


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
