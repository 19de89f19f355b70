"""Our errors as Dagster's: a permanent one must not be retried, neither may carry a payload or a secret."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from z_interact_assets.core.errors import TransientError, ZInteractError
from z_interact_assets.defs.resources import RunObserver


@contextmanager
def as_failures(observer: RunObserver | None = None) -> Iterator[None]:
    """Raise dg.Failure for our errors; only a transient one may be retried by a policy. The observer hears of it."""
    try:
        yield
    except ZInteractError as error:
        if observer is not None:
            observer.error = error
        raise dg.Failure(
            description=str(error),
            metadata={"error": type(error).__name__, "remedy": error.remedy or "see the description"},
            allow_retries=isinstance(error, TransientError),
        ) from error
