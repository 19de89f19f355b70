"""Text of strangers made safe to show: on a terminal, in a log, in Dagster's UI."""

LONGEST_NAME = 80  # characters of an id or a key in a table; an id may have 10,000


def plain(text: object) -> str:
    """Return a text without what a terminal obeys: control characters, line breaks, writing direction."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(text))


def shortened(name: str, length: int = LONGEST_NAME) -> str:
    """Return the start of an id or a key, safe to show."""
    return plain(name[:length])
