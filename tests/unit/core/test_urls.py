"""Which URLs are ours decides what is trusted, and what is never fetched again: the hostile ones matter most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z_interact_assets.core.errors import InvalidKeyError, SettingsError
from z_interact_assets.core.keys import is_valid_key
from z_interact_assets.core.urls import KnownBases, UrlKind, classify_url, is_loopback_or_https, without_access

KEY = "images/session123/baby-boomer/1703123456789-abc123def.jpg"
ACCOUNT = "0123456789abcdef0123456789abcdef"
BASES = KnownBases(
    "https://cdn.example.com/media",
    former_public_urls=("https://old.example.com/", "https://cdn.example.com", "http://127.0.0.1:9000/public"),
    account_id=ACCOUNT,
    bucket="z-interact-images",
)
S3 = "r2.cloudflarestorage.com/z-interact-images"


@pytest.mark.parametrize(
    "url",
    [
        f"https://cdn.example.com/media/{KEY}",
        f"HTTPS://CDN.Example.COM/media/{KEY}",
        f"https://cdn.example.com:443/media/{KEY}",
        f"https://cdn.example.com/media/{KEY}?v=2",
        f"https://cdn.example.com/media/{KEY}#top",
        f" https://cdn.example.com/media/{KEY}\n",
        f"https://cdn.example.com/{KEY}",
        f"https://old.example.com/{KEY}",
        f"http://127.0.0.1:9000/public/{KEY}",
        f"https://pub-0a1b2c3d4e5f.r2.dev/{KEY}",
        f"https://{ACCOUNT}.{S3}/{KEY}",
        f"https://{ACCOUNT.upper()}.eu.{S3}/{KEY}",
        f"https://{ACCOUNT}.fedramp.{S3}/{KEY}?X-Amz-Signature=0",
        f"https://{ACCOUNT}.us.{S3}/{KEY}",
    ],
)
def test_url_on_a_known_base_gives_its_key(url):
    assert BASES.key_of(url) == KEY
    assert classify_url(url, BASES) is UrlKind.R2


@pytest.mark.parametrize(
    "url",
    [
        f"https://cdn.example.com@evil.example/media/{KEY}",
        f"https://user:pass@cdn.example.com/media/{KEY}",
        f"https://cdn.example.com.evil.example/media/{KEY}",
        f"https://cdn.example.com./media/{KEY}",
        f"https://evil.example/https://cdn.example.com/media/{KEY}",
        f"https://evil.example/?r2.dev/{KEY}",
        f"https://evilcdn.example.com/media/{KEY}",
        f"https://cdn.example.com:8443/media/{KEY}",
        f"https://cdn.example.com:x/media/{KEY}",
        f"http://cdn.example.com/media/{KEY}",
        f"https://old.example.com\\@evil.example/{KEY}",
        f"https://old.example.com/..\\{KEY}",
        "https://old.example.com/images/../../etc/passwd",
        "https://old.example.com/images/./a.png",
        "https://old.example.com//evil.example/a.png",
        "https://old.example.com/images/a%2e%2e/b.png",
        "https://old.example.com/images/a b.png",
        "https://old.example.com/images/a\n.png",
        "https://old.example.com/images/é.png",
        "https://old.example.com/",
        "https://old.example.com",
        "https://old.example.com?images/a.png",
        f"//cdn.example.com/media/{KEY}",
        f"ftp://cdn.example.com/media/{KEY}",
        f"javascript://cdn.example.com/media/{KEY}",
        f"http://127.0.0.1:9000/publicity/{KEY}",
        f"http://127.0.0.1/public/{KEY}",
        f"https://pub-xyz.r2.dev/{KEY}",
        f"https://pub-0a1b.r2.dev.evil.example/{KEY}",
        f"https://a.pub-0a1b.r2.dev/{KEY}",
        f"http://pub-0a1b.r2.dev/{KEY}",
        f"https://pub-0a1b.r2.dev:444/{KEY}",
        f"https://{ACCOUNT}.r2.cloudflarestorage.com/another-bucket/{KEY}",
        f"https://{ACCOUNT}.r2.cloudflarestorage.com/z-interact-images",
        f"https://ffffffffffffffffffffffffffffffff.{S3}/{KEY}",
        f"https://{ACCOUNT}.moon.{S3}/{KEY}",
        f"https://{ACCOUNT}.r2.cloudflarestorage.com.evil.example/z-interact-images/{KEY}",
        "https://[::1",
        "https://",
        "\u212a",
        "",
    ],
)
def test_url_that_only_looks_like_ours_gives_no_key(url):
    assert BASES.key_of(url) is None
    assert classify_url(url, BASES) is not UrlKind.R2


def test_unicode_letter_that_folds_to_ascii_is_another_host():
    bases = KnownBases("https://kiosk.example")

    assert bases.key_of("https://\u212aiosk.example/a.png") is None


def test_any_account_and_bucket_are_ours_where_none_is_known():
    assert KnownBases(None).key_of(f"https://{ACCOUNT}.r2.cloudflarestorage.com/some-bucket/{KEY}") == KEY


def test_public_url_is_read_back_as_its_key():
    url = BASES.public_url(KEY)

    assert url == f"https://cdn.example.com/media/{KEY}"
    assert BASES.key_of(url) == KEY


def test_slash_at_the_end_of_the_base_is_not_doubled():
    assert KnownBases("https://cdn.example.com/").public_url("a.png") == "https://cdn.example.com/a.png"


def test_public_url_without_a_base_says_what_to_set():
    with pytest.raises(SettingsError, match=r"Public URL not configured.*R2_PUBLIC_URL"):
        KnownBases(None).public_url(KEY)


def test_public_url_of_a_key_that_needs_escaping_is_refused():
    with pytest.raises(InvalidKeyError):
        BASES.public_url("images/a b.png")


@pytest.mark.parametrize("base", ["cdn.example.com", "ftp://cdn.example.com", "https://cdn.example.com/?token=hush"])
def test_base_that_is_no_plain_url_is_refused_without_its_query(base):
    with pytest.raises(SettingsError) as caught:
        KnownBases(base)

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (None, UrlKind.EMPTY),
        ("", UrlKind.EMPTY),
        (" \n", UrlKind.EMPTY),
        ("data:", UrlKind.DATA),
        ("data:image/png;base64,iVBORw0K", UrlKind.DATA),
        ("\nDATA:image/png;base64,iVBORw0K\n", UrlKind.DATA),
        ("/images/gen-x.jpg", UrlKind.LOCAL),
        ("/images/sub/gen x.jpg", UrlKind.LOCAL),
        ("/images/", UrlKind.UNRECOGNISED),
        ("/images", UrlKind.UNRECOGNISED),
        ("/images/../secret.jpg", UrlKind.UNRECOGNISED),
        ("/images/..\\secret.jpg", UrlKind.UNRECOGNISED),
        ("/images/a\x00.jpg", UrlKind.UNRECOGNISED),
        ("/etc/passwd", UrlKind.UNRECOGNISED),
        ("//images/a.jpg", UrlKind.UNRECOGNISED),
        ("https://oaidalleapi.blob.core.windows.net/a.png?sig=r2.dev", UrlKind.HTTP),
        ("http://picsum.photos/200", UrlKind.HTTP),
        ("https://picsum.photos/é", UrlKind.HTTP),
        ("https://", UrlKind.UNRECOGNISED),
        ("https://[", UrlKind.UNRECOGNISED),
        ("image_url", UrlKind.UNRECOGNISED),
        ("blob:https://app.example/1", UrlKind.UNRECOGNISED),
        ("iVBORw0KGgo=", UrlKind.UNRECOGNISED),
    ],
)
def test_content_of_image_url_is_classified(text, kind):
    assert classify_url(text, BASES) is kind


@given(
    st.sampled_from(["https://cdn.example.com/media/", "https://cdn.example.com/", "http://127.0.0.1:9000/public/"]),
    st.text("ab1./-_%?#@: \\é", max_size=12) | st.just("media/" + KEY) | st.integers(1020, 1028).map("a".__mul__),
)
def test_a_url_names_the_same_key_however_its_scheme_is_spelled(base, rest):
    assert BASES.key_of(base + rest) == BASES.key_of(base.replace("http", "HTTP") + rest)


@given(st.text() | st.text().map("https://old.example.com/".__add__) | st.text().map("https://".__add__))
def test_any_text_is_classified_and_only_valid_keys_come_out(text):
    key = BASES.key_of(text)

    assert key is None or is_valid_key(key)
    assert (classify_url(text, BASES) is UrlKind.R2) == (key is not None)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://cdn.example.com", True),
        ("http://localhost:8787", True),
        ("http://app.localhost", True),
        ("http://127.0.0.1:9000/x", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:9000", True),
        ("http://cdn.example.com", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1@evil.example", False),
        ("http://evil.example\\.localhost", False),
        ("http://192.168.0.1", False),
        ("http://0.0.0.0", False),
        ("ftp://localhost", False),
        ("https://", False),
        ("localhost:9000", False),
        ("", False),
    ],
)
def test_plain_http_is_for_this_machine_only(url, allowed):
    assert is_loopback_or_https(url) is allowed


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://example.net/a.png", "https://example.net/a.png"),
        ("https://example.net/a@b.png?v=2#c", "https://example.net/a@b.png?v=2#c"),
        ("https://user:pass@example.net:8443/a@b", "https://example.net:8443/a@b"),
        (
            "https://b.s3.amazonaws.com/a?X-Amz-Date=1&X-Amz-Credential=C&X-Amz-Signature=S",
            "https://b.s3.amazonaws.com/a?X-Amz-Date=1&X-Amz-Credential=***&X-Amz-Signature=***",
        ),
        ("https://x.blob.core.windows.net/a?se=1&sig=S%3D#x", "https://x.blob.core.windows.net/a?se=1&sig=***#x"),
        (
            "https://d.cloudfront.net/a?Policy=P&Signature=S&Key-Pair-Id=K",
            "https://d.cloudfront.net/a?Policy=***&Signature=***&Key-Pair-Id=***",
        ),
        ("https://x.googleapis.com/a?E=1&X-Goog-Signature=S", "https://x.googleapis.com/a?E=1&X-Goog-Signature=***"),
        ("https://example.net/a?API_KEY=K&access_token=T", "https://example.net/a?API_KEY=***&access_token=***"),
    ],
)  # fmt: skip
def test_a_url_is_told_to_others_without_what_gives_access(url, told):
    assert without_access(url) == told
