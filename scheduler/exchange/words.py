"""How texts of workbooks are compared: without case, marks and spaces."""

import re

from scheduler.domain import names


def letters(value: object) -> str:
    """The letters and digits of a text alone: “Số tiết / tuần” is “sotiettuan”."""
    return re.sub(r"[^0-9a-z]", "", names.fold(str(value)))
