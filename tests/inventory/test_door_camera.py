"""The door's camera: a browser films a ticket and its holder is let in."""

import time
from pathlib import Path

import pytest
import segno
from django.conf import settings
from django.test import Client
from django.urls import reverse
from PIL import Image
from playwright.sync_api import sync_playwright

from events.models import Membership
from inventory.models import Ticket
from inventory.tickets.codes import code_for
from tests import factories
from tests.conftest import CHROMIUM, CHROMIUM_FLAGS
from tests.inventory.sales import buy, make_sale

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def film(code: str, folder: Path) -> Path:
    """Return a film of one frame, for Chromium's fake camera: the code in the middle of a light wall."""
    paper = folder / "code.png"
    segno.make(code, error="m").save(str(paper), scale=6, border=4)
    wall = Image.new("RGB", (1280, 720), (225, 222, 214))
    with Image.open(paper) as picture:
        wall.paste(picture.convert("RGB"), ((1280 - picture.width) // 2, (720 - picture.height) // 2))
    path = folder / "camera.mjpeg"
    wall.save(path, format="JPEG", quality=92)
    return path


def test_the_camera_lets_a_ticket_in_once(live_server, tmp_path):
    event = make_sale()
    ticket = Ticket.objects.filter(line__order=buy(event, [12])).get()
    staff = factories.make_member(event.organizer, role=Membership.Role.DOOR, username="door", is_staff=False)
    client = Client()
    client.force_login(staff)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    path = reverse("entry-event", args=[event.pk])
    code = code_for(event_id=event.pk, ticket_id=ticket.pk, serial=ticket.serial)
    camera = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film(code, tmp_path)}",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_FLAGS + camera)
        try:
            context = browser.new_context(permissions=["camera"])
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
            page = context.new_page()
            page.goto(f"{live_server.url}{path}")
            page.get_by_role("button", name="Use the camera").click()
            result = page.locator("[data-result]")
            end = time.monotonic() + 30
            while result.get_attribute("data-result") == "ready" and time.monotonic() < end:
                page.wait_for_timeout(50)
            # Held before the camera for longer, the ticket is not asked about again and again.
            page.wait_for_timeout(1000)
            assert result.get_attribute("data-result") == "admitted"
            page.get_by_role("button", name="Stop the camera").click()
        finally:
            browser.close()
    ticket.refresh_from_db()
    assert (ticket.state, ticket.used_by) == (Ticket.State.USED, staff)
