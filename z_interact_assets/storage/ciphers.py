"""Encryption of metadata values with Fernet (AES-128-CBC and HMAC-SHA256), the first key writing and all keys reading.

`cryptography` is an extra and imported only when a cipher is made. No key or text ever reaches a message.
"""

from collections.abc import Sequence

from z_interact_assets.core.errors import SettingsError

_VARIABLE = "METADATA_ENCRYPTION_KEYS"
_HOW_TO_MAKE_A_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


class FernetCipher:
    """A `core.metadata.Cipher` over Fernet keys, newest first. SettingsError if a key cannot be used."""

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 - an optional extra
        except ImportError as error:
            raise SettingsError(
                [f"{_VARIABLE} is set, but cryptography is not installed: pip install 'z-interact-assets[encryption]'"]
            ) from error
        fernets: list[Fernet] = []
        problems: list[str] = []
        for number, key in enumerate(keys, start=1):
            try:
                fernets.append(Fernet(key))
            except ValueError:
                problems.append(f"{_VARIABLE}: key {number} is not a Fernet key; make one with {_HOW_TO_MAKE_A_KEY}")
        if not keys:
            problems.append(f"{_VARIABLE} holds no key; make one with {_HOW_TO_MAKE_A_KEY}")
        if problems:
            # `from None`: the library's error quotes what it was given.
            raise SettingsError(problems) from None
        self._fernet = MultiFernet(fernets)

    def encrypt(self, text: str) -> str:
        """The text under the first key. Two encryptions of one text differ."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def decrypt(self, token: str) -> str:
        """The text again; ValueError if none of the keys made this token, or it was changed."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - an optional extra

        try:
            return self._fernet.decrypt(token.encode()).decode()
        except InvalidToken:
            raise ValueError("not made by any of the keys, or changed since") from None
