"""A fan's browser as the purchase API meets it."""

import json
from uuid import uuid4

from django.test import Client

from inventory import fan as fans
from tests.inventory.box_office import new_fan


class Browser:
    """A fan's browser with its cookie and token."""

    def __init__(self):
        self.fan = new_fan()
        self.client = Client()
        self.client.cookies[fans.COOKIE] = fans.sign(self.fan)
        self.headers = {"X-CSRF-Token": fans.csrf_token(self.fan)}

    def post(self, path, body=None, *, key=None, headers=None, content_type="application/json"):
        sent = self.headers | {"Idempotency-Key": key or str(uuid4())} | (headers or {})
        data = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
        return self.client.post(
            f"/api/v1{path}",
            data=data,
            content_type=content_type,
            headers={name: value for name, value in sent.items() if value is not None},
        )

    def hold(self, event, *indexes, **more):
        return self.post(f"/events/{event.id}/holds", {"seats": list(indexes)}, **more)


def problem(response, status, code):
    """Return the problem document of a refusal, having checked its form."""
    assert response.headers["Content-Type"] == "application/problem+json"
    found = response.json()
    assert (response.status_code, found["status"], found["code"]) == (status, status, code), found
    assert found["type"] == "about:blank"
    assert found["title"]
    assert found["detail"]
    assert "no-store" in response.headers["Cache-Control"]
    return found
