"""What a stranger may have put into an id or a column, and how to tell whether it came through where it may not."""

from collections.abc import Mapping

NEEDLE = "needle"  # in every text: where it shows up, the text did

TEXTS: Mapping[str, str] = {
    "NUL": "needle\0after",
    "ANSI colour": "\x1b[31mneedle\x1b[0m",
    "ANSI erases the screen": "needle\x1b[2J\x1b[H",
    "terminal title": "\x1b]0;needle\x07",
    "terminal hyperlink": "\x1b]8;;https://evil.example\x07needle\x1b]8;;\x07",
    "C1 control": "needle\x9b31m\x85",
    "backspaces": "needle\b\b\b\b\b\bharmless",
    "line breaks": "needle\r\nError: forged\n",
    "Unicode line breaks": "needle\u2028forged\u2029forged",
    "bidi override": "needle\u202egnp.exe\u202c",
    "bidi isolates": "\u2066needle\u2069\u200f\u061c",
    "zero width": "nee\u200bdle needle\u200d\ufeff",
    "tags": "needle\U000e0041\U000e007f",
    "private use": "needle\ue000\ue0000\U000f0000",
    "not assigned": "needle\u0378\uffff",
    "astral": "needle 👩\u200d🚀 \U0001d518",
    "decomposed": "needle e\u0301 ﬁ İ ß",
    "traversal": "../../../../etc/needle",
    "Windows path": "C:\\needle\\..\\con",
    "URL": "https://evil.example/needle?a=b#c",
    "percent": "needle%00%2e%2e%2f",
    "SQL": "needle'; DROP TABLE images; --\"",
    "shell": "$(touch needle) `id` ; && | > needle",
    "CSV formula": '=HYPERLINK("https://evil.example","needle")',
    "CSV plus": "+needle|' /C calc'!A0",
    "HTML": "<script>alert('needle')</script><img src=x onerror=alert(1)>",
    "Markdown link": "[needle](https://evil.example) ![needle](https://evil.example/x.png)",
    "Markdown breaks out": "needle](https://evil.example) | x | `y`",
    "template": "{{7*7}} ${needle} {0.__class__} %s %n",
    "JSON": 'needle", "state": "published',
    "YAML": "needle: &a [*a, *a]",
    "white space": " needle\t ",
    "10 KB": "needle" + "i" * 10_240,
}  # fmt: skip


def obeyed_by_a_terminal(output: str) -> list[str]:
    """The characters of an output that a terminal acts on, or that change what a reader sees; lines may end."""
    return sorted({ascii(character) for character in output if not (character == "\n" or character.isprintable())})
