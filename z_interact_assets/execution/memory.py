"""What the process does with memory it gave back. glibc only; elsewhere nothing happens."""

import ctypes
from contextlib import suppress

_M_ARENA_MAX = -8  # https://www.gnu.org/software/libc/manual/html_node/Malloc-Tunable-Parameters.html
_ARENAS = 2


def few_arenas() -> None:
    """Let all threads share two of malloc's arenas.

    Each thread would get one of its own (up to eight a core), and keep there what it held of the last image: measured
    with 1.6 MB images on 2 cores, 217 MB at the peak instead of 319, and a sixth of the CPU less, for fewer pages
    are given to the kernel and taken back.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)
