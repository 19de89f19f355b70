"""What the sample's pictures show: posters, skylines, portraits, charts, in flat shapes. Each scene draws on one image.

Everything random comes from the Random that is passed in, so that the same seed draws the same picture.
"""

from collections.abc import Callable
from itertools import pairwise
from math import cos, pi, sin
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

Colour = tuple[int, int, int]
Scene = Callable[[Image.Image, Random], None]

_PALETTES: tuple[tuple[Colour, ...], ...] = (
    ((38, 70, 83), (42, 157, 143), (233, 196, 106), (244, 162, 97), (231, 111, 81)),
    ((29, 53, 87), (69, 123, 157), (168, 218, 220), (241, 250, 238), (230, 57, 70)),
    ((53, 80, 112), (109, 89, 122), (181, 101, 118), (229, 107, 111), (234, 172, 139)),
    ((10, 36, 99), (62, 146, 204), (255, 250, 255), (216, 49, 91), (30, 27, 24)),
    ((40, 54, 24), (96, 108, 56), (254, 250, 224), (221, 161, 94), (188, 108, 37)),
)
_SKIN: tuple[Colour, ...] = ((255, 219, 172), (241, 194, 125), (224, 172, 105), (198, 134, 66), (141, 85, 36))
_HAIR: tuple[Colour, ...] = ((60, 48, 40), (120, 72, 40), (190, 150, 90), (225, 225, 225), (30, 30, 34), (150, 60, 90))
_WORDS = ("AGEING WELL", "OPEN WORKSHOP", "TABLE TALK", "FOUR GENERATIONS", "REPAIR CAFÉ", "NEXT DOOR")
_GRAIN = 3
_GRAIN_DEPTH = bytes(value // 32 for value in range(256))
_GAPS = 0.15
_LIT = 0.3


def palette(rng: Random) -> list[Colour]:
    """Five colours that go together, in any order."""
    return rng.sample(rng.choice(_PALETTES), 5)


def fill_gradient(image: Image.Image, top: Colour, bottom: Colour, rng: Random) -> None:
    """A vertical gradient with a fine grain, as photographs and generated images have."""
    ramp = Image.linear_gradient("L").resize(image.size)
    coarse = (image.width // _GRAIN, image.height // _GRAIN)
    grain = Image.frombytes("L", coarse, rng.randbytes(coarse[0] * coarse[1]).translate(_GRAIN_DEPTH))
    ramp = ImageChops.add(ramp, grain.resize(image.size))
    image.paste(ImageOps.colorize(ramp, top, bottom))


def poster(image: Image.Image, rng: Random) -> None:
    """A workshop poster: shapes and two lines of text."""
    colours = palette(rng)
    width, height = image.size
    fill_gradient(image, colours[0], colours[1], rng)
    draw = ImageDraw.Draw(image)
    for _ in range(9):
        x, y, size = rng.randrange(width), rng.randrange(height * 2 // 3), rng.randrange(width // 12, width // 3)
        shape = rng.choice((draw.ellipse, draw.rectangle))
        shape((x - size // 2, y - size // 2, x + size // 2, y + size // 2), fill=rng.choice(colours[2:]))
    draw.rectangle((0, height * 3 // 4, width, height), fill=(250, 248, 240))
    _write(draw, (width // 20, height * 31 // 40), rng.choice(_WORDS), width // 13)
    _write(
        draw, (width // 20, height * 35 // 40), f"Table {rng.randrange(1, 13)} / {rng.randrange(9, 19)}:30", width // 20
    )


def skyline(image: Image.Image, rng: Random) -> None:
    """Houses against an evening sky."""
    colours = palette(rng)
    width, height = image.size
    fill_gradient(image, colours[0], colours[3], rng)
    draw = ImageDraw.Draw(image)
    sun = rng.randrange(width // 5, width * 4 // 5)
    draw.ellipse((sun - width // 10, height // 3, sun + width // 10, height // 3 + width // 5), fill=(255, 236, 190))
    for layer, dark in ((0.45, 0.8), (0.6, 0.55), (0.75, 0.3)):
        x = 0
        while x < width:
            house = rng.randrange(width // 24, width // 9)
            roof = int(height * (layer - rng.random() * 0.2))
            draw.rectangle((x, roof, x + house, height), fill=_shade(colours[1], dark))
            _windows(draw, (x, roof, x + house, height), rng)
            x += house + rng.randrange(1, 6)


def portrait(image: Image.Image, rng: Random) -> None:
    """A face in flat shapes."""
    colours = palette(rng)
    width, height = image.size
    skin, hair = rng.choice(_SKIN), rng.choice(_HAIR)
    fill_gradient(image, colours[0], colours[1], rng)
    draw = ImageDraw.Draw(image)
    across, down = width // 2, height * 9 // 20
    face = width // 5 + rng.randrange(width // 40)
    draw.ellipse((across - face * 2, height * 7 // 10, across + face * 2, height * 13 // 10), fill=colours[2])
    draw.rectangle((across - face // 3, down, across + face // 3, height * 3 // 4), fill=_shade(skin, 0.85))
    draw.ellipse((across - face - 9, down - face * 3 // 2, across + face + 9, down + face // 2), fill=hair)
    draw.ellipse((across - face, down - face * 6 // 5, across + face, down + face * 6 // 5), fill=skin)
    draw.pieslice((across - face - 4, down - face * 13 // 10, across + face + 4, down + face // 2), 190, 350, fill=hair)
    for side in (-1, 1):
        eye = across + side * face // 2
        draw.ellipse((eye - face // 8, down - face // 10, eye + face // 8, down + face // 7), fill=(255, 255, 255))
        draw.ellipse((eye - face // 16, down - face // 20, eye + face // 16, down + face // 9), fill=(40, 40, 50))
        if hair == _HAIR[3]:
            draw.ellipse(
                (eye - face // 4, down - face // 4, eye + face // 4, down + face // 4), outline=(50, 50, 60), width=3
            )
    draw.arc(
        (across - face // 2, down + face // 4, across + face // 2, down + face), 20, 160, fill=(170, 60, 60), width=5
    )


def landscape(image: Image.Image, rng: Random) -> None:
    """Hills in front of hills."""
    colours = palette(rng)
    width, height = image.size
    fill_gradient(image, colours[2], colours[3], rng)
    draw = ImageDraw.Draw(image)
    for layer in range(5):
        base, phase = height * (0.4 + layer * 0.12), rng.random() * 2 * pi
        wave = rng.uniform(1.5, 4.0)
        crest = [
            (x, base + height * 0.06 * sin(phase + x / width * wave * pi) + height * 0.02 * cos(x / 17 + phase))
            for x in range(0, width + 8, 8)
        ]
        draw.polygon([*crest, (width, height), (0, height)], fill=_shade(colours[0], 1.1 - layer * 0.18))
    for _ in range(rng.randrange(3, 9)):
        x, y, size = (
            rng.randrange(width),
            rng.randrange(height * 6 // 10, height),
            rng.randrange(height // 12, height // 5),
        )
        draw.polygon([(x, y - size), (x - size // 3, y), (x + size // 3, y)], fill=_shade(colours[1], 0.5))


def bar_chart(image: Image.Image, rng: Random) -> None:
    """A survey's answers by generation."""
    colours = palette(rng)
    width, height = image.size
    image.paste((250, 250, 247), (0, 0, width, height))
    draw = ImageDraw.Draw(image)
    for line in range(1, 6):
        y = height * (9 - line) // 10 + height // 20
        draw.line((width // 12, y, width * 19 // 20, y), fill=(215, 215, 210))
        _write(draw, (width // 60, y - height // 60), f"{line * 20}", width // 34)
    step = width * 10 // 12 // 8
    for bar in range(8):
        top = height * 17 // 20 - rng.randrange(height // 10, height * 6 // 10)
        left = width // 10 + bar * step
        draw.rectangle((left, top, left + step * 3 // 4, height * 17 // 20), fill=colours[bar % 4])
    _write(draw, (width // 12, height // 30), f"{rng.choice(_WORDS)} (n = {rng.randrange(20, 400)})", width // 24)


def line_chart(image: Image.Image, rng: Random) -> None:
    """Three walks over time."""
    colours = palette(rng)
    width, height = image.size
    fill_gradient(image, (252, 252, 250), (232, 236, 240), rng)
    draw = ImageDraw.Draw(image)
    for colour in colours[:3]:
        y, points = height * rng.uniform(0.3, 0.7), list[tuple[float, float]]()
        for x in range(width // 12, width * 19 // 20, max(4, width // 60)):
            y = min(height * 0.9, max(height * 0.12, y + rng.gauss(0, height / 32)))
            points.append((x, y))
        for start, end in pairwise(points):
            draw.line((*start, *end), fill=colour, width=max(2, width // 128))
    _write(draw, (width // 12, height // 30), "Minutes of talk, by table", width // 24)


def mosaic(image: Image.Image, rng: Random) -> None:
    """Tiles with quarter circles."""
    colours = palette(rng)
    draw = ImageDraw.Draw(image)
    tile = image.width // rng.choice((6, 8, 12))
    for left in range(0, image.width, tile):
        for top in range(0, image.height, tile):
            back, front = rng.sample(colours, 2)
            draw.rectangle((left, top, left + tile, top + tile), fill=back)
            turn = rng.choice((0, 90, 180, 270))
            across = left - (tile if turn in {0, 270} else 0)
            down = top - (tile if turn in {0, 90} else 0)
            draw.pieslice((across, down, across + tile * 2, down + tile * 2), turn, turn + 90, fill=front)


def sticky_notes(image: Image.Image, rng: Random) -> None:
    """A board after a workshop."""
    width, height = image.size
    fill_gradient(image, (236, 232, 224), (205, 198, 186), rng)
    draw = ImageDraw.Draw(image)
    size = width // 6
    for column in range(5):
        for row in range(height // (size + size // 4)):
            if rng.random() < _GAPS:
                continue
            x = size // 4 + column * (size + size // 8) + rng.randrange(size // 8)
            y = size // 4 + row * (size + size // 6) + rng.randrange(size // 8)
            draw.rectangle((x + 4, y + 4, x + size + 4, y + size + 4), fill=(170, 164, 152))
            draw.rectangle(
                (x, y, x + size, y + size), fill=rng.choice(((255, 236, 130), (160, 224, 200), (255, 180, 180)))
            )
            for line in range(4):
                at = y + size // 5 + line * size // 5
                draw.line((x + 6, at, x + rng.randrange(size // 2, size - 6), at), fill=(70, 70, 90), width=2)


SCENES: tuple[Scene, ...] = (
    poster, portrait, skyline, landscape, bar_chart, mosaic, sticky_notes, line_chart,
)  # fmt: skip


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, int(part * factor)) for part in colour)
    return red, green, blue


def _windows(draw: ImageDraw.ImageDraw, house: tuple[int, int, int, int], rng: Random) -> None:
    left, top, right, bottom = house
    for x in range(left + 4, right - 6, 10):
        for y in range(top + 6, bottom, 14):
            if rng.random() < _LIT:
                draw.rectangle((x, y, x + 4, y + 6), fill=(255, 225, 150))


def _write(draw: ImageDraw.ImageDraw, position: tuple[int, int], text: str, size: int) -> None:
    draw.text(position, text, fill=(40, 40, 48), font=ImageFont.load_default(max(8, size)))
