"""Two teachers exchange a lesson each, agreed by both.  Pure: no clock, no database."""

from enum import StrEnum


class SwapEnd(StrEnum):
    """How a proposal to swap ended."""

    AGREED = "agreed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"  # nobody answered in time
    OVERTAKEN = "overtaken"  # one of the lessons changed otherwise
