"""Draws each event's picture: geometry in a few colours under a gradient, with its name set large.

The same event always gets the same picture. Everything is drawn at twice its size and shrunk, so that edges are smooth.
"""

from __future__ import annotations

import io
import math
import random
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

SIZE = (1200, 630)
_SCALE = 2
_WIDTH, _HEIGHT = SIZE[0] * _SCALE, SIZE[1] * _SCALE
_FONTS = Path(__file__).resolve().parent.parent / "tickets" / "fonts"

Color = tuple[int, int, int]
Palette = tuple[str, str, str, str, str]

# Dark to light; the last is the type's.
PALETTES: dict[str, tuple[Palette, ...]] = {
    "music": (
        ("#12092e", "#4b1d8f", "#e0457b", "#ffb35c", "#fff6e6"),
        ("#041c2c", "#0b5563", "#13a89e", "#f6d365", "#f3fffb"),
        ("#1a0b16", "#6d1a36", "#e4572e", "#ffc15e", "#fff3e4"),
        ("#0b1026", "#1f3b8c", "#4f8ef7", "#b6f0ff", "#f4fbff"),
        ("#0f1c14", "#1f5f4a", "#72b01d", "#f5e663", "#fbffe9"),
    ),
    "theatre": (
        ("#1b0a0f", "#5c1021", "#b3263f", "#e8b45a", "#fff4df"),
        ("#10131f", "#2c3a5e", "#8a6fae", "#f0b7a4", "#fff5ef"),
        ("#0d1b1e", "#1d4e55", "#c44536", "#edddd4", "#fff9f3"),
    ),
    "comedy": (
        ("#2a0f3d", "#8b2fc9", "#ff6b6b", "#ffd93d", "#fffbea"),
        ("#08293b", "#0f7173", "#f05d5e", "#f2c14e", "#fffaec"),
    ),
    "family": (
        ("#123047", "#1f7a8c", "#f4845f", "#f7d08a", "#fffaf0"),
        ("#2b1b4d", "#5e60ce", "#64dfdf", "#ffd166", "#fffdf2"),
        ("#17331f", "#3a7d44", "#f2a541", "#f9e784", "#fffef2"),
    ),
    "sport": (
        ("#0a1a12", "#0f5132", "#31a354", "#e5f245", "#fbffef"),
        ("#0d1321", "#1d3461", "#e63946", "#f1faee", "#ffffff"),
        ("#1c1206", "#7a3b00", "#f77f00", "#fcbf49", "#fff8ea"),
    ),
}


def poster(name: str, subtitle: str, category: str, seed: str) -> bytes:
    """Return a JPEG of 1200 by 630 for an event; `seed` decides colours and shapes."""
    rng = random.Random(zlib.crc32(seed.encode()))  # noqa: S311 - a drawing, not a secret.
    palettes = PALETTES[category]
    palette = palettes[rng.randrange(len(palettes))]
    image = _gradient(_rgb(palette[0]), _rgb(palette[1]), rng)
    motif = rng.choice(_MOTIFS[category])
    motif(image, palette, rng)
    image = image.resize(SIZE, Image.Resampling.LANCZOS)
    _shade(image, _rgb(palette[0]))
    _grain(image, rng)
    _type(image, name, subtitle, palette)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=86, optimize=True, progressive=True)
    return out.getvalue()


def _gradient(start: Color, stop: Color, rng: random.Random) -> Image.Image:
    """Return a ground that goes from one colour to the other at an angle."""
    ramp = Image.linear_gradient("L").rotate(rng.choice((35, 60, 120, 145)), resample=Image.Resampling.BICUBIC)
    ramp = ramp.crop((48, 48, 208, 208)).resize((_WIDTH, _HEIGHT), Image.Resampling.BICUBIC)
    return Image.composite(Image.new("RGB", ramp.size, stop), Image.new("RGB", ramp.size, start), ramp)


def _sun(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """A low sun over layered waves."""
    cx, cy, r = rng.uniform(0.55, 0.8) * _WIDTH, rng.uniform(0.36, 0.5) * _HEIGHT, rng.uniform(0.27, 0.36) * _HEIGHT
    _glow(image, cx, cy, r * 2.1, _rgb(palette[2]))
    disc = _gradient_strip(_rgb(palette[3]), _rgb(palette[2]), int(2 * r))
    mask = Image.new("L", disc.size, 0)
    pen = ImageDraw.Draw(mask)
    pen.ellipse((0, 0, disc.width, disc.height), fill=255)
    for i in range(6):  # Slits that widen towards the horizon.
        top = disc.height * (0.52 + i * 0.085)
        pen.rectangle((0, top, disc.width, top + disc.height * (0.008 + i * 0.007)), fill=0)
    image.paste(disc, (int(cx - r), int(cy - r)), mask)
    pen = ImageDraw.Draw(image)
    for layer in range(4):
        base = _HEIGHT * (0.66 + layer * 0.09)
        phase, length, lift = rng.uniform(0, 6), rng.uniform(0.9, 1.7), _HEIGHT * rng.uniform(0.02, 0.05)
        color = _mix(_rgb(palette[1]), _rgb(palette[0]), 0.25 + layer * 0.24)
        crest = [
            (x, base + lift * math.sin(phase + x / _WIDTH * 6.283 * length) + lift * 0.5 * math.sin(x / 300 + phase))
            for x in range(0, _WIDTH + 24, 24)
        ]
        pen.polygon([*crest, (_WIDTH, _HEIGHT), (0, _HEIGHT)], fill=color)


def _rings(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """Sound: arcs around one point, broken at different angles."""
    cx, cy = rng.uniform(0.62, 0.82) * _WIDTH, rng.uniform(0.35, 0.6) * _HEIGHT
    _glow(image, cx, cy, _HEIGHT * 0.7, _rgb(palette[2]))
    pen = ImageDraw.Draw(image)
    colors = [_rgb(palette[k]) for k in (2, 3, 2, 1, 3)]
    for i in range(13):
        r = _HEIGHT * (0.07 + i * 0.062)
        turn, width = rng.uniform(0, 360), int(_HEIGHT * rng.choice((0.012, 0.022, 0.036)))
        box = (cx - r, cy - r, cx + r, cy + r)
        pen.arc(box, turn, turn + rng.uniform(150, 320), fill=colors[i % 5], width=width)
    r = _HEIGHT * 0.035
    pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=_rgb(palette[4]))


def _bars(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """Slanted beams of light that cross the picture."""
    for i in range(9):
        layer = Image.new("L", image.size, 0)
        x, wide = rng.uniform(0.3, 1.15) * _WIDTH, _WIDTH * rng.uniform(0.015, 0.075)
        lean = _WIDTH * rng.uniform(0.12, 0.3)
        ImageDraw.Draw(layer).polygon(
            [(x, 0), (x + wide, 0), (x + wide - lean, _HEIGHT), (x - lean, _HEIGHT)], fill=rng.randint(90, 215)
        )
        image.paste(Image.new("RGB", image.size, _rgb(palette[2 + i % 2])), (0, 0), layer)
    r = _HEIGHT * rng.uniform(0.13, 0.2)
    cx, cy = _WIDTH * rng.uniform(0.62, 0.85), _HEIGHT * rng.uniform(0.28, 0.5)
    ImageDraw.Draw(image).ellipse((cx - r, cy - r, cx + r, cy + r), fill=_rgb(palette[4]))


def _tiles(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """Quarter circles on a grid, thinning out towards the words."""
    side = _HEIGHT // 5
    pen = ImageDraw.Draw(image)
    for column in range(-(-_WIDTH // side)):
        for row in range(5):
            if rng.random() > (column * side / _WIDTH) ** 1.4 + 0.08:
                continue
            x, y = column * side, row * side
            color = _rgb(palette[rng.choice((1, 2, 2, 3, 4))])
            if rng.random() < 0.25:
                pen.rectangle((x, y, x + side, y + side), fill=_mix(_rgb(palette[0]), color, 0.55))
                color = _rgb(palette[3])
            dx, dy = rng.choice((0, 1)), rng.choice((0, 1))
            box = (x - dx * side, y - dy * side, x + (2 - dx) * side, y + (2 - dy) * side)
            start = {(0, 0): 180, (1, 0): 270, (1, 1): 0, (0, 1): 90}[dx, dy]
            if rng.random() < 0.2:
                pen.ellipse((x + side * 0.2, y + side * 0.2, x + side * 0.8, y + side * 0.8), fill=color)
            else:
                pen.pieslice(box, start, start + 90, fill=color)


def _curtain(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """A curtain drawn aside, and the light it lets out."""
    cx = _WIDTH * rng.uniform(0.62, 0.74)
    _glow(image, cx, _HEIGHT * 0.95, _HEIGHT * 1.0, _rgb(palette[3]))
    pen = ImageDraw.Draw(image)
    folds = 15
    for side in (-1, 1):
        for i in range(folds):
            share, after = i / folds, (i + 1) / folds
            edge = cx if side < 0 else _WIDTH - cx
            dark = 0.18 + 0.62 * (0.5 + 0.5 * math.sin(i * 1.9 + rng.uniform(-0.3, 0.3)))
            color = _mix(_rgb(palette[2]), _rgb(palette[0]), dark)
            top = [cx + side * edge * s for s in (share, after)]
            low = [cx + side * (edge * (0.24 + 0.76 * s)) for s in (share, after)]
            drop = [_HEIGHT * (0.98 + 0.03 * math.sin(i + k)) for k in (0, 1)]
            pen.polygon([(top[0], 0), (top[1], 0), (low[1], drop[1]), (low[0], drop[0])], fill=color)
    r = _HEIGHT * 0.11
    pen.ellipse((cx - r, _HEIGHT * 0.78 - r, cx + r, _HEIGHT * 0.78 + r), fill=_rgb(palette[4]))


def _peaks(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """Mountains of folded paper, lit from one side."""
    cx, cy, r = _WIDTH * rng.uniform(0.6, 0.85), _HEIGHT * 0.3, _HEIGHT * rng.uniform(0.1, 0.16)
    _glow(image, cx, cy, r * 3, _rgb(palette[3]))
    pen = ImageDraw.Draw(image)
    pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=_rgb(palette[3]))
    for layer in range(3):
        for _ in range(4):
            x, tall = rng.uniform(0.15, 1.05) * _WIDTH, _HEIGHT * rng.uniform(0.32, 0.62) * (1 - layer * 0.2)
            wide, base = tall * rng.uniform(0.6, 0.95), _HEIGHT * (0.86 + layer * 0.1)
            lit = _mix(_rgb(palette[2]), _rgb(palette[1]), 0.15 + layer * 0.3)
            pen.polygon([(x, base - tall), (x + wide, base), (x + wide * 0.12, base)], fill=lit)
            pen.polygon(
                [(x, base - tall), (x + wide * 0.12, base), (x - wide, base)], fill=_mix(lit, _rgb(palette[0]), 0.5)
            )
    pen.rectangle((0, _HEIGHT * 0.93, _WIDTH, _HEIGHT), fill=_rgb(palette[0]))


def _confetti(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """Coloured discs, triangles and ribbons thrown from the corner."""
    pen = ImageDraw.Draw(image)
    for i in range(120):
        away = rng.random() ** 0.7
        angle = rng.uniform(1.6, 3.3)
        x, y = _WIDTH * (1.0 + 0.85 * away * math.cos(angle)), _HEIGHT * (0.02 + 1.1 * away * abs(math.sin(angle)))
        r, turn = _HEIGHT * rng.uniform(0.012, 0.055) * (1.25 - away * 0.6), rng.uniform(0, 6.28)
        color = _rgb(palette[(2, 3, 3, 4, 2)[i % 5]])
        if i % 3 == 0:
            pen.ellipse((x - r, y - r, x + r, y + r), fill=color)
        elif i % 3 == 1:
            pen.polygon([(x + r * math.cos(turn + k), y + r * math.sin(turn + k)) for k in (0, 2.1, 4.2)], fill=color)
        else:
            pen.arc(
                (x - 2 * r, y - 2 * r, x + 2 * r, y + 2 * r), turn * 57, turn * 57 + 140, fill=color, width=int(r * 0.5)
            )


def _track(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """Lanes that come out of the distance and turn."""
    pen = ImageDraw.Draw(image)
    cx, cy = _WIDTH * rng.uniform(0.92, 1.1), _HEIGHT * rng.uniform(1.05, 1.3)
    lanes, step = 9, _HEIGHT * 0.115
    for i in range(lanes, 0, -1):
        r = _HEIGHT * 0.32 + i * step
        color = _mix(_rgb(palette[2]), _rgb(palette[1]), i / lanes)
        pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=color)
        pen.ellipse((cx - r, cy - r, cx + r, cy + r), outline=_rgb(palette[4]), width=int(step * 0.05))
    for i in rng.sample(range(1, lanes), 3):
        r, turn = _HEIGHT * 0.32 + (i + 0.5) * step, rng.uniform(195, 235)
        box = (cx - r, cy - r, cx + r, cy + r)
        pen.arc(box, turn - rng.uniform(12, 26), turn, fill=_rgb(palette[3]), width=int(step * 0.42))


Motif = Callable[[Image.Image, Palette, random.Random], None]

_MOTIFS: dict[str, tuple[Motif, ...]] = {
    "music": (_sun, _rings, _bars, _tiles, _peaks),
    "theatre": (_curtain, _curtain, _tiles, _peaks),
    "comedy": (_confetti, _tiles, _bars),
    "family": (_peaks, _sun, _confetti),
    "sport": (_track,),
}


def _glow(image: Image.Image, cx: float, cy: float, radius: float, color: Color) -> None:
    """Lay a soft light of `color` on the picture."""
    soft = ImageChops.invert(Image.radial_gradient("L")).resize((int(2 * radius), int(2 * radius)))
    soft = soft.point(lambda v: int(max(0, v - 75) * 0.85))
    image.paste(Image.new("RGB", soft.size, color), (int(cx - radius), int(cy - radius)), soft)


def _gradient_strip(top: Color, bottom: Color, side: int) -> Image.Image:
    ramp = Image.linear_gradient("L").resize((side, side))
    return Image.composite(Image.new("RGB", ramp.size, bottom), Image.new("RGB", ramp.size, top), ramp)


def _shade(image: Image.Image, color: Color) -> None:
    """Darken the lower left, where the words are, so that they can be read on anything."""
    ramp = Image.linear_gradient("L").rotate(45, resample=Image.Resampling.BICUBIC).crop((38, 38, 218, 218))
    ramp = (
        ramp.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize(image.size).point(lambda v: int(max(0, v - 88) * 1.35))
    )
    image.paste(Image.new("RGB", image.size, color), (0, 0), ramp.point(lambda v: min(v, 225)))


def _grain(image: Image.Image, rng: random.Random) -> None:
    """Add the grain of a printed sheet, so that gradients do not show bands."""
    width, height = image.size
    noise = Image.frombytes("L", image.size, rng.randbytes(width * height)).filter(ImageFilter.GaussianBlur(0.7))
    noise = noise.point(lambda v: v // 26)
    image.paste(ImageChops.add(image, Image.merge("RGB", (noise, noise, noise))), (0, 0))


def _type(image: Image.Image, name: str, subtitle: str, palette: Palette) -> None:
    """Set the name as large as it fits in two lines, and the subtitle under it."""
    pen = ImageDraw.Draw(image)
    size, lines = 112, [name]
    while size > 44:
        lines = _broken(pen, name, _font("newsreader-latin-regular.ttf", size), 830)
        if len(lines) <= 2:
            break
        size -= 6
    font, small = _font("newsreader-latin-regular.ttf", size), _font("hanken-grotesk-latin-semibold.ttf", 30)
    y = SIZE[1] - 64
    if subtitle:
        pen.text((64, y), subtitle, font=small, fill=palette[3], anchor="ls")
        y -= 56
    for line in reversed(lines):
        pen.text((60, y), line, font=font, fill=palette[4], anchor="ls")
        y -= int(size * 0.98)


def _broken(pen: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and pen.textlength(longer, font=font) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


@lru_cache(maxsize=32)
def _font(file: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FONTS / file, size)


def _rgb(color: str) -> Color:
    return (int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16))


def _mix(a: Color, b: Color, share: float) -> Color:
    """Return the colour `share` of the way from a to b."""
    r, g, b_ = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return (r, g, b_)
