"""How hypothesis works here: the same examples in every run, or many more of them at will. And the toll of faults.

pytest tests/unit --hypothesis-profile=long
"""

from hypothesis import settings

from tests.support.toll import pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary", "pytest_testnodedown"]

# A test of CI fails for a change of the code, not for the day's luck; looking for new examples is the long one's task.
settings.register_profile("repeatable", max_examples=40, derandomize=True, deadline=None, database=None)
settings.register_profile("long", max_examples=5_000, deadline=None)
settings.load_profile("repeatable")
