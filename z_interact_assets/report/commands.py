"""Command lines that a report tells its readers to run."""

from shlex import quote

from z_interact_assets.core.showing import plain

LONGEST_ID = 200  # characters of an id that somebody may still want to paste


def command_for(command: str, image_id: str) -> str | None:
    """Return a command line about one image, quoted for a shell; None for an id that cannot be pasted as it is."""
    if not image_id or plain(image_id) != image_id or len(image_id) > LONGEST_ID:
        return None
    between = "=" if image_id.startswith("-") else " "  # `--image-id -x` would be two options
    return f"z-interact-assets {command} --image-id{between}{quote(image_id)}"
