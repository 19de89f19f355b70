"""Alerts: what people are told (failed runs, a weekly summary) and how it reaches them. Dagster is unknown here.

`messages` has the words, `channels` the ways: an incoming webhook and a mail account. Nothing here holds or shows a
secret longer than sending takes: a failure to send names the channel and the kind of trouble, never an address.
"""

from z_interact_assets.alerts.channels import Channel, Mail, Undelivered, Webhook, deliver
from z_interact_assets.alerts.messages import (
    FailedRun,
    FalseClaim,
    Message,
    WeekInNumbers,
    about_failure,
    about_false_claims,
    about_week,
)

__all__ = [
    "Channel",
    "FailedRun",
    "FalseClaim",
    "Mail",
    "Message",
    "Undelivered",
    "Webhook",
    "WeekInNumbers",
    "about_failure",
    "about_false_claims",
    "about_week",
    "deliver",
]
