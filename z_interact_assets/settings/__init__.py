"""Settings: what the environment, `.env` and wrangler's configuration say, validated together before anything starts.

The only package that reads the environment. `load` merges the sources, `model` says what is valid, `sources` reads
files, `rules` checks single values. Importing it does no I/O.
"""

from z_interact_assets.settings.load import load_automation_settings, load_settings, setting_names
from z_interact_assets.settings.model import AutomationSettings, R2Access, Settings
from z_interact_assets.settings.rules import redact_url

__all__ = [
    "AutomationSettings",
    "R2Access",
    "Settings",
    "load_automation_settings",
    "load_settings",
    "redact_url",
    "setting_names",
]
