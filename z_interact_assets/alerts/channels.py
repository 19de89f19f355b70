"""The ways to people: an incoming webhook (Slack, or compatible with it) and a mail account. One message, one send.

An address is a secret: errors and logs say which channel and what kind of trouble, and no more. Waiting is bounded to
some ten seconds a message, since a Dagster tick that sends five has sixty.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from z_interact_assets.alerts.messages import Message
from z_interact_assets.core.errors import TransientError

TIMEOUT_S = 4


class AlertUnsentError(TransientError):
    """A channel did not take a message, retries included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """A channel that did not take the message, and why."""

    channel: str
    why: str

    def __str__(self) -> str:
        return f"{self.channel}: {self.why}"


class Channel(Protocol):
    """A way to people."""

    @property
    def name(self) -> str:
        """What the channel is called: the setting that configures it."""
        ...

    def send(self, message: Message) -> None:
        """Send it; AlertUnsentError says what went wrong, without any address."""
        ...


@dataclass(frozen=True, slots=True)
class Webhook:
    """An incoming webhook that takes Slack's JSON."""

    url: str = field(repr=False)
    timeout_s: int = TIMEOUT_S
    name: str = "ALERT_WEBHOOK_URL"

    def send(self, message: Message) -> None:
        """Post it; a second try where the server is busy or does not answer."""
        from z_interact_assets.alerts.slack import open_webhook  # noqa: PLC0415 - imports slack_sdk

        try:
            response = open_webhook(self.url, self.timeout_s).send(text=_slack_text(message))
        except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold the URL
            raise AlertUnsentError(f"it cannot be reached ({type(error).__name__}).") from None
        if not 200 <= response.status_code < 300:  # noqa: PLR2004 - HTTP's own
            raise AlertUnsentError(f"it answered HTTP {response.status_code}.")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail account, as Apprise writes it."""

    url: str = field(repr=False)
    name: str = "ALERT_EMAIL_URL"

    def send(self, message: Message) -> None:
        """Send it as plain text."""
        import apprise  # noqa: PLC0415 - a tenth of a second that no run needs

        _silence("apprise")  # its warnings name the server and the account
        account = apprise.Apprise()
        try:
            understood = account.add(f"{self.url}{'&' if '?' in self.url else '?'}format=text")
            body_format = apprise.NotifyFormat.TEXT
            sent = understood and account.notify(title=message.title, body=_mail_text(message), body_format=body_format)
        except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold the password
            raise AlertUnsentError(f"the mail could not be sent ({type(error).__name__}).") from None
        if not understood:
            raise AlertUnsentError("it is no mail account that Apprise understands.")
        if not sent:
            raise AlertUnsentError("the mail server did not take the mail.")


def deliver(message: Message, channels: Sequence[Channel]) -> list[Undelivered]:
    """Send the message by every channel, at once; return those that did not take it."""

    def send(channel: Channel) -> Undelivered | None:
        try:
            channel.send(message)
        except AlertUnsentError as error:
            return Undelivered(channel=channel.name, why=str(error))
        return None

    if not channels:
        return []
    with ThreadPoolExecutor(len(channels)) as pool:
        return [trouble for trouble in pool.map(send, channels) if trouble is not None]


def _slack_text(message: Message) -> str:
    lines = [f"*{_escaped(message.title)}*", *(_escaped(sentence) for sentence in message.sentences)]
    return "\n".join([*lines, *([f"<{_escaped(message.link)}|Open in Dagster>"] if message.link else [])])


def _escaped(text: str) -> str:
    """Return a text that Slack takes for text; https://docs.slack.dev/messaging/formatting-message-text/"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _mail_text(message: Message) -> str:
    return "\n\n".join([*message.sentences, *([message.link] if message.link else [])])


def _silence(name: str) -> None:
    logger = logging.getLogger(name)
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
