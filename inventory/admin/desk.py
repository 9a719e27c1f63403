"""What the hand-made pages of the back office share: finding the row in the user's scope, and asking before acting."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from events.admin.scope import ScopedAdmin
from events.sales import NotReady, SaleRefusal
from inventory.purchase import Refusal

Page = Callable[..., HttpResponse]


def of_row(view: Page) -> Page:
    """Give the view the row its address names; 404 if there is none, or it is another organizer's."""

    @wraps(view)
    def inner(page: ScopedAdmin, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            row = page.get_queryset(request).filter(pk=unquote(object_id)).first()
        except (ValueError, ValidationError):
            row = None
        if row is None or not page.has_view_permission(request, row):
            raise Http404
        return view(page, request, row, *args, **kwargs)

    return inner


def context(page: ScopedAdmin, request: HttpRequest, row: Model, title: str, **more: Any) -> dict[str, Any]:
    """Return what every hand-made page needs of the site and of its row."""
    return {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "model_admin": page,
        "original": row,
        "title": title,
        "content_title": title,
        **more,
    }


def ask(
    page: ScopedAdmin,
    request: HttpRequest,
    row: Model,
    *,
    title: str,
    consequences: list[str],
    button: str,
    act: Callable[[forms.Form], str],
    back: str,
    danger: bool = False,
    form_class: type[forms.Form] = forms.Form,
    form_arguments: dict[str, Any] | None = None,
    template: str = "inventory/admin/ask.html",
    **more: Any,
) -> HttpResponse:
    """Show what a button will do and do it on POST: `act` does it and returns what to tell.

    A refusal is shown on the page that asked, with everything typed still there.
    """
    form = form_class(request.POST if request.method == "POST" else None, **(form_arguments or {}))
    refusal: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            told = act(form)
        except NotReady as caught:
            refusal = caught.reasons
        except (SaleRefusal, Refusal) as caught:
            refusal = [caught.detail]
        else:
            messages.success(request, told)
            return HttpResponseRedirect(back)
    shown = context(
        page,
        request,
        row,
        title,
        form=form,
        consequences=consequences,
        button=button,
        danger=danger,
        back=back,
        refusal=refusal,
        **more,
    )
    return render(request, template, shown, status=409 if refusal else 422 if form.errors else 200)


def uuid_or_none(text: str) -> UUID | None:
    """Return the id that `text` writes, if it writes one."""
    try:
        return UUID(text)
    except ValueError:
        return None
