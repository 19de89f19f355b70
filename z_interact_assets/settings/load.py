"""Loading settings: environment over `.env` over wrangler over defaults, and all problems in one error."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from z_interact_assets.core.errors import SettingsError
from z_interact_assets.settings.model import AutomationSettings, Settings
from z_interact_assets.settings.sources import read_dotenv, read_wrangler

_NAMES = {field.upper(): field for field in Settings.model_fields if field != "directory"}
# A default that depends on a field that is itself wrong: that field's own problem says it all.
_FOLLOWS = "default_factory_not_called"


def load_settings(env: Mapping[str, str] | None = None, *, directory: Path | None = None) -> Settings:
    """The settings of this process, or one SettingsError with every problem.

    `env` stands for the environment and `directory` for the working folder, where `.env` and wrangler's configuration
    are looked for. An empty value counts as unset.
    """
    directory = (directory or Path.cwd()).resolve()
    problems: list[str] = []
    values: dict[str, object] = {}
    for read in (read_wrangler, read_dotenv):
        try:
            values |= _known(read(directory))
        except ValueError as error:
            problems.append(str(error))
    values |= _known(os.environ if env is None else env)
    try:
        settings = Settings.model_validate(values | {"directory": directory})
    except ValidationError as error:
        # `from None`: the values may be secrets.
        raise SettingsError([*problems, *_sentences(error)]) from None
    if problems:
        raise SettingsError(problems)
    return settings


def load_automation_settings(env: Mapping[str, str] | None = None) -> AutomationSettings:
    """The settings that definitions depend on, or a SettingsError; from the environment alone, no file is opened.

    Dagster's own tools put a `.env` of the working folder into the environment before they load a code location.
    """
    given = _known(os.environ if env is None else env)
    fields = AutomationSettings.model_fields
    try:
        return AutomationSettings.model_validate({field: text for field, text in given.items() if field in fields})
    except ValidationError as error:
        raise SettingsError(_sentences(error)) from None


def setting_names() -> frozenset[str]:
    """Return the environment variables that are settings of ours."""
    return frozenset(_NAMES)


def _known(source: Mapping[str, str]) -> dict[str, object]:
    return {field: text for name, field in _NAMES.items() if (text := source.get(name, "").strip())}


def _sentences(error: ValidationError) -> list[str]:
    """One sentence for each wrong variable: what is wrong with it, and what it is for."""
    sentences: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_input=False):
        if problem["type"] == _FOLLOWS:
            continue
        field, *element = problem["loc"]
        cause = problem.get("ctx", {}).get("error") or problem["msg"].replace("Input should", "should", 1)
        place = f" element {int(element[0]) + 1}" if element else ""
        sentences.setdefault(
            f"{field}{place}", f"{str(field).upper()}{place}: {cause} ({Settings.model_fields[str(field)].description})"
        )
    return list(sentences.values())
