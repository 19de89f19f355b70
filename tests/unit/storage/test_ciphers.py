"""Encryption of metadata: keys can be rotated, changes are noticed, keys are never printed."""

import sys

import pytest
from cryptography.fernet import Fernet

from z_interact_assets.core.errors import SettingsError
from z_interact_assets.core.metadata import MAX_METADATA_BYTES, decode_metadata, encode_metadata
from z_interact_assets.core.models import ImageMetadata
from z_interact_assets.storage.ciphers import FernetCipher

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_text_is_read_back_and_cannot_be_read_without_the_key():
    token = FernetCipher([NEW]).encrypt("un café 🎨")

    assert token.isascii()
    assert FernetCipher([NEW]).decrypt(token) == "un café 🎨"
    with pytest.raises(ValueError, match="not made by any of the keys"):
        FernetCipher([OLD]).decrypt(token)


def test_rotation_writes_with_the_new_key_and_reads_both():
    before, rotated = FernetCipher([OLD]), FernetCipher([NEW, OLD])

    assert rotated.decrypt(before.encrypt("text")) == "text"
    assert FernetCipher([NEW]).decrypt(rotated.encrypt("text")) == "text"


@pytest.mark.parametrize("position", [0, 30, -5])
def test_changed_token_is_noticed(position):
    token = list(FernetCipher([NEW]).encrypt("text"))
    token[position] = "A" if token[position] != "A" else "B"

    with pytest.raises(ValueError, match="changed since"):
        FernetCipher([NEW]).decrypt("".join(token))


@pytest.mark.parametrize("token", ["", "plain text", "é", "\ud7ff"])
def test_text_that_is_no_token_is_a_value_error(token):
    with pytest.raises(ValueError, match="not made by any of the keys"):
        FernetCipher([NEW]).decrypt(token)


def test_bad_keys_are_counted_but_not_printed():
    with pytest.raises(SettingsError) as caught:
        FernetCipher([NEW, "hush-hush", NEW[:-4], "é"])

    assert [problem.partition(" is not")[0] for problem in caught.value.problems] == [
        "METADATA_ENCRYPTION_KEYS: key 2",
        "METADATA_ENCRYPTION_KEYS: key 3",
        "METADATA_ENCRYPTION_KEYS: key 4",
    ]
    assert "hush" not in str(caught.value)
    assert NEW[:8] not in str(caught.value)


def test_no_key_is_a_problem():
    with pytest.raises(SettingsError, match="holds no key"):
        FernetCipher([])


def test_absent_library_is_explained_with_the_extra_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)

    with pytest.raises(SettingsError, match=r"METADATA_ENCRYPTION_KEYS.*z-interact-assets\[encryption\]"):
        FernetCipher([NEW])


def test_encrypted_metadata_keeps_the_budget_and_is_read_back():
    cipher = FernetCipher([NEW])
    metadata = ImageMetadata(prompt="ß" * 9000, original_url="https://x.example/" + "a" * 494, persona_id="gen-x")

    headers = encode_metadata(metadata, cipher=cipher)
    decoded = decode_metadata(headers, cipher=cipher)

    # Encrypted values are plain ASCII, so what is sent is what R2 counts.
    assert sum(len(name) + len(value) for name, value in headers.items()) <= MAX_METADATA_BYTES
    assert decoded.original_url == metadata.original_url
    assert decoded.prompt_truncated
    assert decoded.prompt == "ß" * len(decoded.prompt or "")
    assert len(decoded.prompt or "") > 2500
