"""What browsers tell of themselves, and what their owners call them."""

import pytest

from scheduler.domain import devices
from scheduler.errors import Invalid
from scheduler.locale import Language, translate

P256DH = "BA" + "a" * 85
AUTH = "a" * 22


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/126.0.0.0 Mobile Safari/537.36", "Chrome · Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
         "like Gecko) Version/17.5 Mobile/15E148 Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/126.0 Safari/537.36 Edg/126.0", "Edge · Windows"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "coc_coc_browser/117.0 Chrome/111.0 Safari/537.36", "Cốc Cốc · Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
         "Firefox · Linux"),
        ("<b>curl</b>", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_device_is_named_by_its_program_and_machine(told: str, name: str) -> None:
    assert devices.name_of(told) == name
    assert len(name) <= devices.LONGEST_NAME


@pytest.mark.parametrize(
    ("name", "vietnamese", "english"),
    [
        ("Chrome · Windows", "Chrome trên Windows", "Chrome on Windows"),
        ("Cốc Cốc · Android", "Cốc Cốc trên Android", "Cốc Cốc on Android"),
        ("Firefox", "Firefox", "Firefox"),
        ("", "Trình duyệt khác", "Another browser"),
    ],
)
def test_a_device_is_said_in_the_readers_words(name: str, vietnamese: str, english: str) -> None:
    said = devices.said(name)
    assert [translate(said, each) for each in Language] == [vietnamese, english]


def test_what_a_browser_sends_is_taken() -> None:
    longest = "https://a.example/" + "x" * (devices.LONGEST_ENDPOINT - 18)
    for endpoint in ("https://a.example/x?y=z", "https://a.example:443/", longest):
        made = devices.subscription(endpoint, P256DH, AUTH)
        assert made == devices.Subscription(endpoint, P256DH, AUTH)
    assert devices.subscription(longest, P256DH + "=", AUTH + "==").auth == AUTH + "=="


@pytest.mark.parametrize(
    "endpoint",
    [
        "", "http://a.example/x", "https://", "https:///x", "javascript:alert(1)", "//a.example",
        "https://me:pw@a.example/", "https://a.example:8443/", "https://a.example:x/",
        "https://a.example/ x", "https://a.example/\n", "https://ấ.example/", "https://[::1/",
        "https://a.example/" + "x" * devices.LONGEST_ENDPOINT,
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_browser_is_refused(endpoint: str) -> None:
    with pytest.raises(Invalid):
        devices.subscription(endpoint, P256DH, AUTH)


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [("", AUTH), (P256DH, ""), (P256DH[:-1], AUTH), (P256DH + "aa", AUTH), (P256DH, AUTH + "aa"),
     (P256DH[:-1] + "+", AUTH), (P256DH + "===", AUTH), ("a" * 101, AUTH)],
)  # fmt: skip
def test_keys_of_another_length_are_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(Invalid):
        devices.subscription("https://a.example/x", p256dh, auth)
