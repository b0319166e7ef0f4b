"""How texts of workbooks are compared: without case, marks and spaces."""

import re
import unicodedata


def folded(value: object) -> str:
    """A text without marks and capitals, one space between words: “Thứ Hai ” is “thu hai”."""
    apart = unicodedata.normalize("NFD", str(value).casefold().replace("đ", "d"))
    return " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())


def letters(value: object) -> str:
    """The letters and digits of a text alone: “Số tiết / tuần” is “sotiettuan”."""
    return re.sub(r"[^0-9a-z]", "", folded(value))
