"""The admin site of organisers: who enters, what its first page shows, and the log of what is done in it."""

from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite

from events.permissions import is_manager


class BackOffice(UnfoldAdminSite):
    """Django admin for managers of organizers and superusers; door staff have /entry/ instead."""

    index_title = "Overview"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in superusers, and staff who manage at least one organizer."""
        return is_manager(request.user)
