"""The engine that learns which inputs reach new code: atheris, where it is installed. Its corpus grows by each run."""

import sys
from importlib import import_module
from pathlib import Path


def run(target: str, folder: Path, *, seconds: float) -> None:
    """Run atheris on the target; it ends the process, with an exit code that is not 0 after a finding."""
    atheris = import_module("atheris")  # in no lock: it has wheels for few Pythons
    with atheris.instrument_imports(include=["z_interact_assets.core", "email"]):
        from tests.fuzz.mutations import with_right_checksums
        from tests.fuzz.targets import LONGEST_INPUT, MEMORY, SECONDS_EACH, TARGETS, seeds

    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(target)):
        (corpus / f"seed-{number:03}").write_bytes(data)

    def change(data: bytes, longest: int, number: int) -> bytes:
        changed = atheris.Mutate(data, longest)
        return with_right_checksums(changed) if number % 2 else changed

    options = {
        "max_total_time": int(seconds), "timeout": SECONDS_EACH, "rss_limit_mb": MEMORY >> 20,
        "max_len": LONGEST_INPUT, "artifact_prefix": f"{folder}/finding-", "print_final_stats": 1,
    }  # fmt: skip
    arguments = [sys.argv[0], str(corpus), *(f"-{name}={value}" for name, value in options.items())]
    atheris.Setup(arguments, TARGETS[target], custom_mutator=change)
    atheris.Fuzz()
