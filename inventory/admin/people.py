"""Accounts, for superusers; pages of other apps that nobody here needs are taken down."""

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from unfold.admin import TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from events.admin.scope import SuperuserOnly
from events.models import Membership

for _model in (User, Group, EmailAddress):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class PartInline(TabularInline):
    """Which organizers a person works for, and as what."""

    model = Membership
    extra = 0
    autocomplete_fields = ("organizer",)
    verbose_name = "part"
    verbose_name_plural = "works for"


@admin.register(User)
class UserAdmin(SuperuserOnly, BaseUserAdmin):
    """People with an account: fans, organisers' staff, superusers."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (PartInline,)
    list_display = ("username", "email", "first_name", "last_name", "is_staff", "is_superuser")
    list_filter = ("is_staff", "is_superuser", "is_active")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": (("first_name", "last_name"), "email")}),
        (
            "Rights",
            {
                "fields": ("is_active", "is_staff", "is_superuser"),
                "description": "Staff work for the organizers below. Superusers see and may do everything.",
            },
        ),
        ("Dates", {"fields": (("last_login", "date_joined"),)}),
    )
    readonly_fields = ("last_login", "date_joined")
