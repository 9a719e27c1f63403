"""Pictures of events in the widths that screens need: WebP files beside the upload, made when it is saved.

`events/x.jpg` gets `events/x.320.webp` and so on, up to its own width. What is missing (a picture of before, or one
that could not be read) is left out of `srcset`, and browsers take the upload itself.
"""

import io
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, default_storage
from django.db import models
from django.db.models.fields.files import ImageFieldFile
from PIL import Image, ImageOps

# A card on a phone; a card on a sharp desktop screen, or half a page; a phone's whole width.
WIDTHS = (320, 640, 960)
# On posters no eye tells the first from 75. A grainy picture weighs twice as much, and hides more: it is pressed
# harder, towards what a phone on a slow line can carry, 29 KB at full width.
_QUALITIES = (60, 50, 40)
_BYTES_PER_PIXEL_OF_WIDTH = 30
# A picture of 8 MB can unpack to gigabytes; this many pixels are 150 MB.
MOST_PIXELS = 50_000_000


class PosterFile(ImageFieldFile):
    """An upload that is followed by its smaller copies."""

    def save(self, name: str, content: File, save: bool = True) -> None:
        """Store the upload, then its copies; one that cannot be read as a picture is stored alone."""
        super().save(name, content, save)
        with self.storage.open(str(self.name)) as stored:
            make_copies(self.storage, str(self.name), stored)


class PosterField(models.ImageField):
    """An `ImageField` whose files have smaller copies; to the database, and to migrations, the same."""

    attr_class = PosterFile

    def deconstruct(self) -> Any:
        """Say `ImageField`: nothing about the column differs."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.ImageField", args, kwargs


def make_copies(storage: Storage, name: str, upload: File) -> None:
    """Write the copies of a picture, over those of an earlier one under the same name."""
    try:
        picture: Image.Image = Image.open(upload)
        if picture.width * picture.height > MOST_PIXELS:
            return
        picture = ImageOps.exif_transpose(picture)
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except (OSError, Image.DecompressionBombError):
        return
    for width in WIDTHS:
        storage.delete(copy_name(name, width))
        if width <= picture.width:
            storage.save(copy_name(name, width), ContentFile(_scaled(picture, width)))


def copy_name(name: str, width: int) -> str:
    """Return the name of the copy of this width: `events/x.320.webp` of `events/x.jpg`."""
    return f"{name.rpartition('.')[0]}.{width}.webp"


def srcset(name: str) -> str:
    """Return the copies of a stored picture for an image's `srcset`, narrowest first; empty if there are none."""
    copies = [(copy_name(name, width), width) for width in WIDTHS]
    return ", ".join(f"{default_storage.url(copy)} {width}w" for copy, width in copies if default_storage.exists(copy))


def _scaled(picture: Image.Image, width: int) -> bytes:
    height = max(1, round(picture.height * width / picture.width))
    resized = picture.resize((width, height), Image.Resampling.LANCZOS)
    for quality in _QUALITIES:
        out = io.BytesIO()
        resized.save(out, "WEBP", quality=quality, method=4)
        if out.tell() <= width * _BYTES_PER_PIXEL_OF_WIDTH:
            break
    return out.getvalue()
