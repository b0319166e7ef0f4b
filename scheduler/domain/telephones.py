"""Telephone numbers, and texts as short as one SMS.  Pure."""

import re
import unicodedata

VIETNAM = "+84"
MOST_GSM = 160  # letters of one SMS that keeps to the old alphabet
MOST_UCS2 = 70  # UTF-16 units of one that does not
LEAST_WORDS = 30  # letters beside an address, where words are cut for it

_SEVERAL = re.compile(r"[;,/|]| - |\bor\b|\bhoặc\b")
_DRESS = re.compile(r"[\s.\-–()]")
_MOBILE = re.compile(r"\+84[35789]\d{8}", re.ASCII)
_ABROAD = re.compile(r"\+(?!84)[1-9]\d{7,14}", re.ASCII)
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_DOUBLE = frozenset("^{}\\[~]|€\f")
# What the old alphabet lacks, and what people read as the same.
_PLAIN = str.maketrans(
    {"đ": "d", "Đ": "D", "–": "-", "—": "-", "·": "-", "…": "...", "“": '"', "”": '"', "’": "'"}
)


def e164(written: str) -> str | None:
    """The first number in it that takes short messages, as +84912345678; None when none does.

    A Vietnamese number is written with 0 or 84 in front; a landline takes no messages, and of a
    foreign number only the one who gave it knows.
    """
    return next(filter(None, map(_one, _SEVERAL.split(written))), None)


def _one(written: str) -> str | None:
    bare = _DRESS.sub("", unicodedata.normalize("NFKC", written))
    if bare.startswith("00"):
        bare = f"+{bare[2:]}"
    elif bare.startswith("0"):
        bare = VIETNAM + bare[1:]
    elif bare.startswith("84"):
        bare = f"+{bare}"
    if bare.startswith(f"{VIETNAM}0"):  # written +84 (0) 912…
        bare = VIETNAM + bare[len(VIETNAM) + 1 :]
    return bare if _MOBILE.fullmatch(bare) or _ABROAD.fullmatch(bare) else None


def plain(words: str) -> str:
    """The words without the marks that Vietnamese letters carry: one SMS then holds 160 of them."""
    bare = unicodedata.normalize("NFD", words.translate(_PLAIN))
    return "".join(letter for letter in bare if not unicodedata.combining(letter))


def fits(words: str) -> bool:
    """Whether one SMS holds it."""
    if all(letter in _GSM or letter in _GSM_DOUBLE for letter in words):
        return len(words) + sum(letter in _GSM_DOUBLE for letter in words) <= MOST_GSM
    return len(words.encode("utf-16-le")) // 2 <= MOST_UCS2


def one_sms(title: str, body: str, url: str) -> str:
    """As much of it as one SMS holds; what goes first is the body, then the end of the title.

    An address that would leave no room for words is left out: half of one leads nowhere.
    """
    words = f"{title}. {body}" if body else title
    for whole in (f"{words} {url}", f"{title} {url}"):
        if fits(whole):
            return whole
    shorter = _cut(title, f" {url}")
    if len(shorter) >= len(url) + LEAST_WORDS:
        return shorter
    return words if fits(words) else _cut(title, "")


def _cut(words: str, tail: str) -> str:
    if fits(words + tail):
        return words + tail
    ends = range(min(len(words), MOST_GSM), -1, -1)
    shorter = (f"{words[:end].rstrip()}...{tail}" for end in ends)
    return next(filter(fits, shorter), "")
