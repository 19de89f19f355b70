"""Participants as pseudonyms: the same participant has the same one in all files of a report.

With a key it is the same in every report, too; without one each report draws its own, and nobody can tell whether two
reports speak of the same person.
"""

import hmac
import secrets

import pandas as pd

_DIGITS = 16  # of 64: enough to tell a billion participants apart


class Pseudonyms:
    """HMAC-SHA256 of what is in the table, its first 16 hex digits."""

    def __init__(self, key: str | None) -> None:
        self._key = key.encode() if key else secrets.token_bytes(32)

    def of(self, participant: str) -> str:
        """Return one participant's pseudonym."""
        data = participant.encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, data, "sha256").hex()[:_DIGITS]

    def replace(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with pseudonyms in `participant_id`; what is absent stays so."""
        participants = frame["participant_id"]
        known = {name: self.of(name) for name in participants.dropna().unique()}
        return frame.assign(participant_id=[known.get(name) for name in participants])
