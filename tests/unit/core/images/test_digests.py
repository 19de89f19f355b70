"""The two hashes are the well-known ones."""

from z_interact_assets.core.images import digest


def test_digests_are_lower_case_hex_of_md5_and_sha256():
    digests = digest(b"abc")
    assert digests.md5 == "900150983cd24fb0d6963f7d28e17f72"
    assert digests.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
