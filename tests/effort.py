"""How hard tests by chance look: a little in each run, all they can when asked to.

pytest --hypothesis-profile=thorough
"""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings

USUAL, THOROUGH = "usual", "thorough"
PART = 5


def set_up() -> None:
    """Let tests by chance look a little, unless pytest is told otherwise after this."""
    # Whether a machine is busy says nothing of what is tested: nothing here has a deadline.
    settings.register_profile(USUAL, deadline=None, max_examples=40)
    settings.register_profile(THOROUGH, deadline=None, max_examples=200)
    settings.load_profile(USUAL)


_Each = TypeVar("_Each")


def examples(all_of_them: int) -> int:
    """How many of so many examples this run tries."""
    return all_of_them if _is_thorough() else max(all_of_them // PART, 5)


def some(of_all: Sequence[_Each]) -> Sequence[_Each]:
    """Those that this run looks at, spread over all of them."""
    return of_all if _is_thorough() else of_all[::PART]


def _is_thorough() -> bool:
    return settings.get_current_profile_name() == THOROUGH
