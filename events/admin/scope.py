"""What every page of the back office does about whose things it shows."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import capfirst
from unfold.admin import ModelAdmin, TabularInline

from events.permissions import managed_ids, may_enter


class ScopedAccess(BaseModelAdmin):
    """Shows a manager the rows of the manager's organizers, and lets do with them what `allows` names.

    `organizer_path` leads from a row to its organizer's id, in Django's spelling ("event__organizer_id"). Everything
    else in the admin starts from `get_queryset`: change pages, actions, search, autocomplete; choices of foreign keys
    are narrowed here to what the related model's own page shows to this user, and are empty where there is none.
    """

    organizer_path = "organizer_id"
    allows: Iterable[str] = ("view", "add", "change", "delete")

    def in_scope(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        """Return those of `rows` that belong to the user's organizers."""
        if request.user.is_superuser:
            return rows
        return rows.filter(**{f"{self.organizer_path}__in": managed_ids(request)})

    def is_in_scope(self, request: HttpRequest, obj: Model) -> bool:
        """Whether one row belongs to the user's organizers."""
        if request.user.is_superuser:
            return True
        return attrgetter(self.organizer_path.replace("__", "."))(obj) in managed_ids(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return self.in_scope(request, super().get_queryset(request))

    def _may(self, act: str, request: HttpRequest, obj: Model | None) -> bool:
        if act not in self.allows or not may_enter(request):
            return False
        return obj is None or obj._state.adding or self.is_in_scope(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may("view", request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may("add", request, None)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may("change", request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may("delete", request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may("view", request, None)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, ModelChoiceField) and isinstance(field.widget, RelatedFieldWidgetWrapper):
            # Choosing a thing is not the moment to edit or delete it.
            field.widget = field.widget.widget
        return field

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        if "queryset" not in kwargs:
            related = db_field.remote_field.model
            page = self.admin_site._registry.get(related)
            scoped = isinstance(page, ScopedAccess) or request.user.is_superuser
            kwargs["queryset"] = page.get_queryset(request) if page and scoped else related._default_manager.none()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class ScopedAdmin(ScopedAccess, ModelAdmin):
    """A page of the back office: scoped, and writing what is done on it to the audit log of the site."""

    when_empty = ""  # What an empty list says: how its first row comes to be.
    list_filter_submit = True
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    # No "delete selected": deleting is rare here, and done on the page of the thing.
    actions: Iterable[Any] | None = None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:
        self.admin_site.log(request, "added", obj)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:
        changed = sorted({field for part in message or [] for field in part.get("changed", {}).get("fields", [])})
        self.admin_site.log(request, "changed", obj, {"fields": changed})

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> None:
        for obj in queryset:
            self.admin_site.log(request, "deleted", obj, {"name": str(obj)})

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show the audit log of this one thing in the place of Django's own history."""
        if self.get_object(request, object_id) is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return redirect(self.admin_site.history_url(object_id))


class ScopedInline(ScopedAccess, TabularInline):
    """A table of rows inside another row's page, in the scope of that page."""

    extra = 0

    def is_in_scope(self, request: HttpRequest, obj: Model) -> bool:
        """Answer for the page's own row, which is what Django asks an inline about."""
        page = self.admin_site._registry[self.parent_model]
        return page.is_in_scope(request, obj)


class SuperuserOnly(ModelAdmin):
    """A page about the machinery or about people's accounts, for superusers."""

    allows: Iterable[str] = ("view", "add", "change", "delete")

    def _may(self, act: str, request: HttpRequest) -> bool:
        return act in self.allows and request.user.is_active and request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may("view", request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may("add", request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may("change", request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may("delete", request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may("view", request)
