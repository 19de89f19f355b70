"""Prompts for the sample table: many scripts, emoji, line breaks, one of 9,000 characters. The texts are in JSON."""

import json
from dataclasses import dataclass
from importlib.resources import files
from random import Random

LONG_PROMPT_CHARACTERS = 9_000

_PEOPLE = ("a retired teacher", "a nurse from Kraków", "the youngest of five", "a drummer, 58", "someone's great-aunt")


@dataclass(frozen=True, slots=True)
class Prompts:
    """The texts. `odd` ones hold what a header or a metadata value cannot carry as it is."""

    ordinary: tuple[str, ...]
    odd: tuple[str, ...]
    long_passage: str

    def pick(self, rng: Random) -> str:
        """One of the ordinary texts."""
        return rng.choice(self.ordinary)

    def long(self, rng: Random) -> str:
        """A text of LONG_PROMPT_CHARACTERS characters."""
        text = ""
        while len(text) < LONG_PROMPT_CHARACTERS:
            text += self.long_passage.format(who=rng.choice(_PEOPLE))
        return text[:LONG_PROMPT_CHARACTERS]


def load_prompts() -> Prompts:
    """Read the texts that come with the package."""
    found = json.loads(files("z_interact_assets.demo").joinpath("prompts.json").read_text(encoding="utf-8"))
    return Prompts(ordinary=tuple(found["ordinary"]), odd=tuple(found["odd"]), long_passage=found["long_passage"])
