"""Dagster's beta features we rely on, without their warnings in every log.

`backfill_policy` is the only way to have many batches in one run, an observable source asset the only way to model a
table we do not make. Both are tested against the pinned version; a release that changes them fails those tests.
"""

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any

import dagster as dg


def accepted_beta(decorator: Callable[..., Any]) -> Callable[..., Any]:
    """Return the decorator factory, silent about being in beta."""

    @wraps(decorator)
    def quiet(*args: Any, **options: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)
            return decorator(*args, **options)

    return quiet
