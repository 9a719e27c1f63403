"""Copies of pictures: their widths and weight, what is left out, and what the pages say of them."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.template.loader import render_to_string
from PIL import Image

from events import posters
from tests import factories


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def picture(width: int, height: int, kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, kind, **options)
    return out.getvalue()


def sizes(folder: Path) -> dict[str, tuple[int, int]]:
    return {path.name: Image.open(io.BytesIO(path.read_bytes())).size for path in (folder / "events").iterdir()}


@pytest.mark.django_db
def test_save_makes_copies_of_every_width(media: Path) -> None:
    event = factories.make_event()
    event.image.save("x.jpg", ContentFile(picture(960, 1200)))
    assert sizes(media) == {
        "x.320.webp": (320, 400),
        "x.640.webp": (640, 800),
        "x.960.webp": (960, 1200),
        "x.jpg": (960, 1200),
    }
    assert posters.srcset("events/x.jpg") == (
        "/media/events/x.320.webp 320w, /media/events/x.640.webp 640w, /media/events/x.960.webp 960w"
    )


@pytest.mark.django_db
def test_save_makes_no_copy_wider_than_the_picture(media: Path) -> None:
    event = factories.make_event()
    event.image.save("x.png", ContentFile(picture(500, 500, "PNG")))
    assert sizes(media) == {"x.320.webp": (320, 320), "x.png": (500, 500)}
    assert posters.srcset(event.image.name) == "/media/events/x.320.webp 320w"


def test_make_copies_turns_a_picture_the_right_way_up(media: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Taken with the camera on its side.
    upload = default_storage.save("events/x.jpg", ContentFile(picture(1200, 960, exif=exif)))
    with default_storage.open(upload) as stored:
        posters.make_copies(default_storage, upload, stored)
    assert sizes(media)["x.960.webp"] == (960, 1200)


def test_make_copies_replaces_those_of_an_earlier_picture(media: Path) -> None:
    for width in (960, 400):
        posters.make_copies(default_storage, "events/x.jpg", ContentFile(picture(width, width)))
    assert sizes(media) == {"x.320.webp": (320, 320)}


def test_make_copies_presses_grainy_pictures_harder(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def weight(picture: Image.Image) -> int:
        out = io.BytesIO()
        picture.save(out, "PNG")
        out.seek(0)
        posters.make_copies(default_storage, "events/x.png", out)  # type: ignore[arg-type]
        return (media / "events" / "x.320.webp").stat().st_size

    grainy = Image.effect_noise((320, 400), 60).convert("RGB")
    pressed = weight(grainy)
    monkeypatch.setattr(posters, "_QUALITIES", (60,))
    assert weight(grainy) > pressed * 1.1
    plain = weight(Image.linear_gradient("L").resize((320, 400)).convert("RGB"))
    assert plain < 320 * 30 < pressed


@pytest.mark.parametrize("content", [b"", b"no picture", picture(960, 1200)[:2000]])
def test_make_copies_leaves_what_it_cannot_read(media: Path, content: bytes) -> None:
    posters.make_copies(default_storage, "events/x.jpg", ContentFile(content))
    assert not (media / "events").exists()
    assert posters.srcset("events/x.jpg") == ""


def test_make_copies_leaves_a_picture_that_unpacks_to_too_much(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posters, "MOST_PIXELS", 960 * 1200 - 1)
    posters.make_copies(default_storage, "events/x.jpg", ContentFile(picture(960, 1200)))
    assert not (media / "events").exists()


@pytest.mark.parametrize("image", ["events/x.jpg", posters.PosterFile(None, posters.PosterField(), "events/x.jpg")])
def test_poster_offers_copies_from_a_name_or_a_file(media: Path, image: Any) -> None:
    posters.make_copies(default_storage, "events/x.jpg", ContentFile(picture(320, 400)))
    html = render_to_string("onsale/poster.html", {"event": {"image": image}})
    assert (
        'src="/media/events/x.jpg" srcset="/media/events/x.320.webp 320w" sizes="(min-width: 40rem) 16rem, 6.5rem"'
        in html
    )


def test_poster_without_copies_names_the_upload_alone(media: Path) -> None:
    html = render_to_string("onsale/poster.html", {"event": {"image": "events/x.jpg"}})
    assert 'src="/media/events/x.jpg" alt=""' in html
    assert "srcset" not in html
