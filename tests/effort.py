"""How hard tests by chance look: a little in each run, all they can when asked to.

pytest --hypothesis-profile=thorough
"""

from hypothesis import settings

USUAL, THOROUGH = "usual", "thorough"
PART = 5

# Whether a machine is busy says nothing of what is tested: nothing here has a deadline.
settings.register_profile(USUAL, deadline=None, max_examples=40)
settings.register_profile(THOROUGH, deadline=None, max_examples=200)
settings.load_profile(USUAL)


def examples(all_of_them: int) -> int:
    """How many of so many examples this run tries."""
    thorough = settings.get_current_profile_name() == THOROUGH
    return all_of_them if thorough else max(all_of_them // PART, 5)
