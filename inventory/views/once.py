"""One effect for one form, however often a browser sends it: double click, reload, back button, network retry."""

from collections.abc import Callable
from typing import Any

from inventory.idempotency import Answer, Keep, once, request_hash
from inventory.views.fans import FanRequest

_OWN_FIELDS = ("csrfmiddlewaretoken",)  # Changes at every page view and says nothing about what is wanted.


def once_per_form(request: FanRequest, act: Callable[[Callable[[Any], None]], object]) -> None:
    """Run `act` unless this form was sent before with the same content, and then do nothing.

    The form's hidden `key` is the idempotency key together with what was filled in, so that going back and choosing
    differently is a new request. `act` is given what to pass on as a verb's `commit_with`. A refusal is not kept: the
    same form may be sent again when the world has changed. Without a key (a form made by hand) it just runs.
    """
    key = request.POST.get("key", "")[:100]
    if not key:
        act(_keep_nothing)
        return
    fields = [(name, values) for name, values in sorted(request.POST.lists()) if name not in _OWN_FIELDS]
    fingerprint = request_hash(request.path.encode(), repr(fields).encode())

    def answer(keep: Keep) -> Answer:
        act(lambda _result: keep(Answer(303, b"")))
        return keep.answer or Answer(303, b"")

    once(scope=request.fan, key=fingerprint, fingerprint=fingerprint, act=answer)


def _keep_nothing(_result: Any) -> None:
    return None
