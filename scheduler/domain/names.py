"""How names are compared with what people type in a hurry.  Pure."""

import unicodedata


def fold(name: str) -> str:
    """Without marks and capitals, one space between words.  Đặng Thị Hồng: dang thi hong."""
    if name.isascii():
        return " ".join(name.casefold().split())
    plain = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return " ".join("".join(x for x in plain if not unicodedata.combining(x)).split())
