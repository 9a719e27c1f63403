"""The messages that leave the shop, for superusers: what waits, and what failed every try."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold import widgets
from unfold.decorators import action, display

from events.admin.scope import SuperuserOnly
from inventory import audit
from inventory.admin.desk import ask, of_row
from inventory.back_office import actor
from inventory.messages import replay
from inventory.models import DeadLetter, Outbox


@admin.register(Outbox)
class OutboxAdmin(SuperuserOnly):
    """Messages that wait for their turn or their next try."""

    when_empty = "Everything has been sent."
    allows = ("view",)
    list_display = ("topic", "subscriber", "attempts", "due_at", "created_at")
    search_fields = ("topic", "subscriber")
    ordering = ("due_at",)


class PayloadForm(forms.Form):
    """A message's payload, to be corrected."""

    payload = forms.JSONField(
        label="Payload",
        widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        help_text="What the message carries. Change it only if it is wrong.",
    )

    def clean_payload(self) -> dict[str, Any]:
        payload = self.cleaned_data["payload"]
        if not isinstance(payload, dict):
            raise forms.ValidationError("The payload must be an object: { … }.")
        return payload


@admin.register(DeadLetter)
class DeadLetterAdmin(SuperuserOnly):
    """Messages that failed every try: correct them, send them again, or drop them."""

    when_empty = "Every message has arrived."
    allows = ("view", "delete")
    list_display = ("topic", "subscriber", "short_reason", "created_at")
    search_fields = ("topic", "subscriber", "reason")
    ordering = ("-created_at",)
    actions = ("replay_selected",)
    actions_detail = ("correct",)

    @display(description="Reason")
    def short_reason(self, letter: DeadLetter) -> str:
        return letter.reason[:120]

    @action(description="Send the chosen ones again")
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        for letter in queryset:
            _replay(request, letter, None)
        self.message_user(request, f"{len(queryset)} will be tried again within seconds.", messages.SUCCESS)

    @action(description="Correct and send again", url_path="replay", icon="replay")
    def correct(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return _correct(self, request, object_id)


@of_row
def _correct(page: DeadLetterAdmin, request: HttpRequest, letter: DeadLetter) -> HttpResponse:
    def act(form: forms.Form) -> str:
        _replay(request, letter, form.cleaned_data["payload"])
        return "The message will be tried again within seconds."

    return ask(
        page,
        request,
        letter,
        title=f"Send again: {letter}",
        consequences=[f"It failed with: {letter.reason}", "It keeps its number, so its effect happens once at most."],
        button="Send again",
        act=act,
        back=reverse("admin:inventory_deadletter_changelist"),
        form_class=PayloadForm,
        form_arguments={"initial": {"payload": letter.payload}},
    )


def _replay(request: HttpRequest, letter: DeadLetter, payload: dict[str, Any] | None) -> None:
    replay(dead_letter_id=letter.pk, payload=payload)
    audit.record(
        actor=actor(request),
        action="message.replayed",
        subject=letter.pk,
        detail={"topic": letter.topic, "corrected": payload is not None and payload != letter.payload},
    )
