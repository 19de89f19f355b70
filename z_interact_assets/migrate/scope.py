"""What a run is to do. A value only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """All pending images, or those of some batches, or some images; at most `limit`.

    With `rolled_back` also those of them that were rolled back, which else stay as they are.
    """

    batch_keys: tuple[str, ...] | None = None
    image_ids: tuple[str, ...] | None = None
    limit: int | None = None
    rolled_back: bool = False

    @property
    def is_partial(self) -> bool:
        """Tell whether a batch may be left unfinished on purpose."""
        return self.image_ids is not None or self.limit is not None
