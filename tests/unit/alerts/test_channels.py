"""Sending alerts to servers that work, refuse, redirect or keep silent; no address ever shows."""

import json
import logging
from time import monotonic

import pytest

from tests.support.hooks import HookServer, MailServer, text_of
from z_interact_assets.alerts import Mail, Message, Webhook, deliver
from z_interact_assets.alerts.channels import AlertUnsentError

MESSAGE = Message(
    title="migrate_images failed",
    sentences=("An <!channel> & a <https://evil.example|link>.", "Nothing is lost."),
    link="https://dagster.example.com/runs/1",
)


def why(channel: Webhook | Mail) -> str:
    with pytest.raises(AlertUnsentError) as caught:
        channel.send(MESSAGE)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_a_webhook_gets_slacks_json_with_markup_only_of_ours():
    with HookServer() as server:
        Webhook(server.url).send(MESSAGE)

    ((method, path, body),) = server.requests
    assert (method, path) == ("POST", "/services/T0/B0/hush-hush")
    assert json.loads(body) == {
        "text": (
            "*migrate_images failed*\n"
            "An &lt;!channel&gt; &amp; a &lt;https://evil.example|link&gt;.\n"
            "Nothing is lost.\n"
            "<https://dagster.example.com/runs/1|Open in Dagster>"
        )
    }


@pytest.mark.slow
def test_a_server_that_stumbles_is_asked_once_more():
    with HookServer((503, {}), (200, {})) as server:
        Webhook(server.url).send(MESSAGE)

    assert len(server.texts) == 2


@pytest.mark.slow
def test_a_server_that_keeps_failing_is_given_up():
    with HookServer((500, {})) as server:
        assert why(Webhook(server.url)) == "it answered HTTP 500."

    assert len(server.texts) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_nobody_else_is_asked(status: int):
    with HookServer() as elsewhere, HookServer((status, {"Location": elsewhere.url})) as server:
        assert why(Webhook(server.url)) == f"it answered HTTP {status}."

    assert (len(server.requests), elsewhere.requests) == (1, [])


def test_a_server_that_wants_a_long_rest_is_given_up_at_once():
    with HookServer((429, {"Retry-After": "3600"})) as server:
        assert why(Webhook(server.url)) == "it answered HTTP 429."


@pytest.mark.slow
def test_a_server_that_wants_a_short_rest_gets_it():
    with HookServer((429, {"Retry-After": "0"}), (200, {})) as server:
        Webhook(server.url).send(MESSAGE)

    assert len(server.texts) == 2


@pytest.mark.slow
def test_a_silent_server_is_not_waited_for_long():
    with HookServer((0, {}), silence_s=3) as server:
        started = monotonic()
        assert why(Webhook(server.url, timeout_s=1)) == "it cannot be reached (TimeoutError)."
        assert monotonic() - started < 3


@pytest.mark.slow
def test_a_server_that_is_gone_is_an_error_without_its_address(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with HookServer() as server:
        pass

    assert why(Webhook(server.url)) == "it cannot be reached (URLError)."
    assert "hush" not in caplog.text
    assert "hush" not in repr(Webhook(server.url))


@pytest.mark.slow
def test_a_mail_is_plain_text():
    with MailServer() as server:
        Mail(server.url).send(MESSAGE)

    (mail,) = server.mails
    assert (mail["Subject"], mail["To"]) == ("migrate_images failed", "ops@example.com")
    assert "dagster@example.com" in mail["From"]
    assert text_of(mail).replace("\r\n", "\n").rstrip() == (
        "An <!channel> & a <https://evil.example|link>.\n\nNothing is lost.\n\nhttps://dagster.example.com/runs/1"
    )


@pytest.mark.slow
def test_a_mail_server_that_refuses_is_an_error_without_the_account(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    caplog.set_level(logging.DEBUG)
    with MailServer(refuse="550 no") as server:
        url = server.url.replace("mailto://", "mailto://user:hush@")
        assert why(Mail(url)) == "the mail server did not take the mail."

    assert "hush" not in repr(Mail(url))
    assert "hush" not in caplog.text + "".join(capfd.readouterr())


def test_an_account_apprise_does_not_know_is_an_error_without_it(capfd: pytest.CaptureFixture[str]):
    assert why(Mail("mailtos://user:hush@")) == "it is no mail account that Apprise understands."
    assert "hush" not in "".join(capfd.readouterr())


@pytest.mark.slow
def test_a_webhook_that_fails_does_not_keep_the_mail():
    with MailServer() as mail, HookServer((404, {})) as hook:
        undelivered = deliver(MESSAGE, [Webhook(hook.url), Mail(mail.url)])

    assert [str(one) for one in undelivered] == ["ALERT_WEBHOOK_URL: it answered HTTP 404."]
    assert len(mail.mails) == 1


def test_without_channels_nothing_is_undelivered():
    assert deliver(MESSAGE, []) == []
