"""What ends a benchmark early."""

from z_interact_assets.core.errors import PermanentError


class BenchError(PermanentError):
    """It cannot be measured here, or what was measured does not count."""
