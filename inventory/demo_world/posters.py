"""Draws each event's picture: bold geometry in a few colours, without words, for the page sets the name beside it.

The same event always gets the same picture. The main thing is near the middle, because pages crop to a square or to
a wide strip. Everything is drawn at twice its size and shrunk, so that edges are smooth.
"""

from __future__ import annotations

import io
import math
import random
import zlib
from collections.abc import Callable

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SIZE = (960, 1200)
_SCALE = 2
_WIDTH, _HEIGHT = SIZE[0] * _SCALE, SIZE[1] * _SCALE

Color = tuple[int, int, int]
Palette = tuple[str, str, str, str, str]

# Dark to light.
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


def poster(category: str, seed: str) -> bytes:
    """Return a JPEG of 960 by 1200, some 45 KB, for an event of this category; `seed` decides colours and shapes."""
    rng = random.Random(zlib.crc32(seed.encode()))  # noqa: S311 - a drawing, not a secret.
    palettes = PALETTES[category]
    palette = palettes[rng.randrange(len(palettes))]
    image = _gradient(_rgb(palette[0]), _rgb(palette[1]), rng)
    rng.choice(_MOTIFS[category])(image, palette, rng)
    image = image.reduce(_SCALE)
    _grain(image, rng)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=70, optimize=True, progressive=True)
    return out.getvalue()


def _gradient(start: Color, stop: Color, rng: random.Random) -> Image.Image:
    """Return a ground that goes from one colour to the other at an angle."""
    ramp = Image.linear_gradient("L").rotate(rng.choice((35, 60, 120, 145)), resample=Image.Resampling.BICUBIC)
    ramp = ramp.crop((48, 48, 208, 208)).resize((_WIDTH, _HEIGHT), Image.Resampling.BILINEAR)
    return Image.composite(Image.new("RGB", ramp.size, stop), Image.new("RGB", ramp.size, start), ramp)


def _sun(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """A low sun over layered waves."""
    cx, cy, r = rng.uniform(0.44, 0.56) * _WIDTH, rng.uniform(0.4, 0.48) * _HEIGHT, rng.uniform(0.26, 0.34) * _WIDTH
    _glow(image, cx, cy, r * 2.0, _rgb(palette[2]))
    disc = _gradient_strip(_rgb(palette[3]), _rgb(palette[2]), int(2 * r))
    mask = Image.new("L", disc.size, 0)
    pen = ImageDraw.Draw(mask)
    pen.ellipse((0, 0, disc.width, disc.height), fill=255)
    for i in range(6):  # Slits that widen towards the horizon.
        top = disc.height * (0.52 + i * 0.085)
        pen.rectangle((0, top, disc.width, top + disc.height * (0.008 + i * 0.007)), fill=0)
    image.paste(disc, (int(cx - r), int(cy - r)), mask)
    pen = ImageDraw.Draw(image)
    for layer in range(5):
        base = _HEIGHT * (0.6 + layer * 0.085)
        phase, length, lift = rng.uniform(0, 6), rng.uniform(0.7, 1.4), _HEIGHT * rng.uniform(0.015, 0.035)
        color = _mix(_rgb(palette[1]), _rgb(palette[0]), 0.1 + layer * 0.22)
        crest = [
            (x, base + lift * math.sin(phase + x / _WIDTH * 6.283 * length) + lift * 0.5 * math.sin(x / 300 + phase))
            for x in range(0, _WIDTH + 24, 24)
        ]
        pen.polygon([*crest, (_WIDTH, _HEIGHT), (0, _HEIGHT)], fill=color)


def _rings(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """Sound: arcs around one point, broken at different angles."""
    cx, cy = rng.uniform(0.42, 0.58) * _WIDTH, rng.uniform(0.42, 0.56) * _HEIGHT
    _glow(image, cx, cy, _WIDTH * 0.72, _rgb(palette[2]))
    pen = ImageDraw.Draw(image)
    colors = [_rgb(palette[k]) for k in (2, 3, 2, 1, 3)]
    for i in range(14):
        r = _WIDTH * (0.07 + i * 0.052)
        turn, width = rng.uniform(0, 360), int(_WIDTH * rng.choice((0.01, 0.018, 0.03)))
        box = (cx - r, cy - r, cx + r, cy + r)
        pen.arc(box, turn, turn + rng.uniform(150, 320), fill=colors[i % 5], width=width)
    r = _WIDTH * 0.035
    pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=_rgb(palette[4]))


def _bars(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """Slanted beams of light that cross the picture."""
    for i in range(9):
        layer = Image.new("L", image.size, 0)
        x, wide = rng.uniform(0.1, 1.4) * _WIDTH, _WIDTH * rng.uniform(0.02, 0.09)
        lean = _WIDTH * rng.uniform(0.3, 0.6)
        ImageDraw.Draw(layer).polygon(
            [(x, 0), (x + wide, 0), (x + wide - lean, _HEIGHT), (x - lean, _HEIGHT)], fill=rng.randint(90, 215)
        )
        image.paste(Image.new("RGB", image.size, _rgb(palette[2 + i % 2])), (0, 0), layer)
    r = _WIDTH * rng.uniform(0.16, 0.24)
    cx, cy = _WIDTH * rng.uniform(0.4, 0.6), _HEIGHT * rng.uniform(0.38, 0.52)
    ImageDraw.Draw(image).ellipse((cx - r, cy - r, cx + r, cy + r), fill=_rgb(palette[4]))


def _tiles(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """Quarter circles on a grid, thickest in the middle."""
    side = _WIDTH // 6
    pen = ImageDraw.Draw(image)
    for column in range(6):
        for row in range(-(-_HEIGHT // side)):
            x, y = column * side, row * side
            away = math.dist((x + side / 2, y + side / 2), (_WIDTH / 2, _HEIGHT / 2)) / _WIDTH
            if rng.random() < away * 1.25 - 0.1:
                continue
            color = _rgb(palette[rng.choice((1, 2, 2, 3, 4))])
            if rng.random() < 0.25:
                pen.rectangle((x, y, x + side, y + side), fill=_mix(_rgb(palette[0]), color, 0.55))
                color = _rgb(palette[3])
            if rng.random() < 0.2:
                pen.ellipse((x + side * 0.2, y + side * 0.2, x + side * 0.8, y + side * 0.8), fill=color)
                continue
            dx, dy = rng.choice((0, 1)), rng.choice((0, 1))
            box = (x - dx * side, y - dy * side, x + (2 - dx) * side, y + (2 - dy) * side)
            start = {(0, 0): 180, (1, 0): 270, (1, 1): 0, (0, 1): 90}[dx, dy]
            pen.pieslice(box, start, start + 90, fill=color)


def _curtain(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """A curtain drawn aside, and the light it lets out."""
    cx = _WIDTH * rng.uniform(0.44, 0.56)
    _glow(image, cx, _HEIGHT * 0.8, _WIDTH * 1.1, _rgb(palette[3]))
    pen = ImageDraw.Draw(image)
    folds = 9
    for side in (-1, 1):
        edge = cx if side < 0 else _WIDTH - cx
        for i in range(folds):
            share, after = i / folds, (i + 1) / folds
            dark = 0.12 + 0.6 * (0.5 + 0.5 * math.sin(i * 2.1 + rng.uniform(-0.3, 0.3)))
            color = _mix(_rgb(palette[2]), _rgb(palette[0]), dark)
            top = [cx + side * edge * s for s in (share, after)]
            low = [cx + side * edge * (0.42 + 0.58 * s) for s in (share, after)]
            pen.polygon([(top[0], 0), (top[1], 0), (low[1], _HEIGHT), (low[0], _HEIGHT)], fill=color)
    r, cy = _WIDTH * 0.1, _HEIGHT * rng.uniform(0.6, 0.68)
    pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=_rgb(palette[4]))


def _peaks(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """Mountains of folded paper, lit from one side."""
    cx, cy, r = _WIDTH * rng.uniform(0.36, 0.64), _HEIGHT * rng.uniform(0.3, 0.36), _WIDTH * rng.uniform(0.12, 0.2)
    _glow(image, cx, cy, r * 2.6, _rgb(palette[3]))
    pen = ImageDraw.Draw(image)
    pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=_rgb(palette[3]))
    for layer in range(3):
        for _ in range(4):
            x, tall = rng.uniform(-0.05, 1.05) * _WIDTH, _HEIGHT * rng.uniform(0.3, 0.52) * (1 - layer * 0.2)
            wide, base = tall * rng.uniform(0.55, 0.85), _HEIGHT * (0.8 + layer * 0.08)
            lit = _mix(_rgb(palette[2]), _rgb(palette[1]), 0.1 + layer * 0.28)
            shade = _mix(lit, _rgb(palette[0]), 0.5)
            foot = (x + wide * 0.12, base)
            pen.polygon([(x, base - tall), (x + wide, base), foot], fill=lit)
            pen.polygon([(x, base - tall), foot, (x - wide, base)], fill=shade)
        ground = _mix(_rgb(palette[1]), _rgb(palette[0]), 0.5 + layer * 0.2)
        pen.rectangle((0, _HEIGHT * (0.8 + layer * 0.08), _WIDTH, _HEIGHT), fill=ground)


def _confetti(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """Coloured discs, triangles and ribbons, thrown up from the middle."""
    _glow(image, _WIDTH / 2, _HEIGHT * 0.52, _WIDTH * 0.7, _rgb(palette[2]))
    pen = ImageDraw.Draw(image)
    for i in range(150):
        away, angle = rng.random() ** 0.6, rng.uniform(0, 6.283)
        x, y = _WIDTH * (0.5 + 0.62 * away * math.cos(angle)), _HEIGHT * (0.5 + 0.56 * away * math.sin(angle))
        r, turn = _WIDTH * rng.uniform(0.012, 0.05) * (1.3 - away * 0.6), rng.uniform(0, 6.28)
        color = _rgb(palette[(2, 3, 3, 4, 2)[i % 5]])
        if i % 3 == 0:
            pen.ellipse((x - r, y - r, x + r, y + r), fill=color)
        elif i % 3 == 1:
            pen.polygon([(x + r * math.cos(turn + k), y + r * math.sin(turn + k)) for k in (0, 2.1, 4.2)], fill=color)
        else:
            box = (x - 2 * r, y - 2 * r, x + 2 * r, y + 2 * r)
            pen.arc(box, turn * 57, turn * 57 + 140, fill=color, width=int(r * 0.5))


def _track(image: Image.Image, palette: Palette, rng: random.Random) -> None:
    """Lanes that come out of the distance and turn."""
    pen = ImageDraw.Draw(image)
    cx, cy = _WIDTH * rng.choice((-0.08, 1.08)), _HEIGHT * rng.uniform(0.9, 1.1)
    lanes, step = 9, _WIDTH * 0.125
    for i in range(lanes, 0, -1):
        r = _WIDTH * 0.15 + i * step
        box = (cx - r, cy - r, cx + r, cy + r)
        pen.ellipse(box, fill=_mix(_rgb(palette[2]), _rgb(palette[1]), i / lanes))
        pen.ellipse(box, outline=_rgb(palette[4]), width=int(step * 0.05))
    middle = math.degrees(math.atan2(_HEIGHT * 0.5 - cy, _WIDTH * 0.5 - cx))
    for i in rng.sample(range(3, lanes), 4):
        r, turn = _WIDTH * 0.15 + (i + 0.5) * step, middle + rng.uniform(-18, 18)
        box = (cx - r, cy - r, cx + r, cy + r)
        length = rng.uniform(6, 14)
        pen.arc(box, turn - length, turn + length, fill=_rgb(palette[3]), width=int(step * 0.42))


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


def _grain(image: Image.Image, rng: random.Random) -> None:
    """Add the grain of a printed sheet, so that gradients do not show bands."""
    width, height = image.size
    noise = Image.frombytes("L", image.size, rng.randbytes(width * height)).filter(ImageFilter.GaussianBlur(0.7))
    noise = noise.point(lambda v: v // 64)
    image.paste(ImageChops.add(image, Image.merge("RGB", (noise, noise, noise))), (0, 0))


def _rgb(color: str) -> Color:
    return (int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16))


def _mix(a: Color, b: Color, share: float) -> Color:
    """Return the colour `share` of the way from a to b."""
    r, g, b_ = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return (r, g, b_)
