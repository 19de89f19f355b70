"""Every command there is, with the arguments that make it say most: whoever adds a command adds it here."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from z_interact_assets.cli.app import _COMMANDS

# None reads the caller's settings or table: test_demo.py, test_dev.py and test_bench.py plant theirs.
ON_DATA_OF_THEIR_OWN = frozenset({"demo", "dev", "bench"})

# `{id}` stands for an image, `{folder}` for a folder that is not there yet.
_ARGUMENTS: Mapping[str, Sequence[str]] = {
    "doctor": ("", "--json"),
    "plan": ("--quick", "--json", ""),
    "migrate": ("--dry-run", "--dry-run --json", "--limit 2 --json", "--image-id {id}", ""),
    "validate": ("", "--json", "--full", "--public --sample 5"),
    "backup": ("--out {folder}", "--out {folder} --json"),
    "rollback": ("--all --dry-run", "--image-id {id} --json", "--batch b000001"),
    "reclaim": ("--all-due --dry-run", "--all-due --json", "--batch b000001 --vacuum"),
    "verdict": ("", "--json"),
    "restore": ("{folder} --dry-run", "{folder} --image-id {id} --json", "{folder} --overwrite"),
    "status": ("", "--json", "--quarantined", "--quarantined --json", "--image-id {id}", "--image-id {id} --json"),
    "stats": ("", "--json"),
    "report": ("", "--out {folder} --json", "--publish"),
}


def without_arguments() -> set[str]:
    """The commands nobody has entered above: a test fails for each."""
    return set[str](_COMMANDS) - ON_DATA_OF_THEIR_OWN - set(_ARGUMENTS)


def lines(image_id: str, folder: Path, *, only: Sequence[str] = ()) -> Iterator[list[str]]:
    """Yield command lines in the order of a migration's story, or those of some commands `only`."""
    words = {"{id}": image_id, "{folder}": str(folder)}
    for name, every in _ARGUMENTS.items():
        if name in _COMMANDS and (not only or name in only):
            yield from ([name, *(words.get(word, word) for word in options.split())] for options in every)
