"""What search engines may find: the sitemap and robots.txt."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet
from django.urls import reverse

from events.models import Event, Organizer
from seating.models import Venue


class _SiteSitemap(Sitemap):
    """Addresses begin with SITE_URL, never with the Host a request claims."""

    limit = 5000
    protocol = urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: object = None) -> str:
        """Return the host (and port) of SITE_URL."""
        return urlsplit(settings.SITE_URL).netloc


class EventSitemap(_SiteSitemap):
    """Every event that may be seen."""

    def items(self) -> QuerySet[Event]:
        """Return the events, oldest first, so that pages of the sitemap stay as they are."""
        return Event.objects.exclude(status=Event.Status.DRAFT).only("slug").order_by("id")


class OrganizerSitemap(_SiteSitemap):
    """Every organizer who has a public event."""

    def items(self) -> QuerySet[Organizer]:
        """Return the organizers."""
        public = Event.objects.exclude(status=Event.Status.DRAFT)
        return Organizer.objects.filter(pk__in=public.values("organizer")).order_by("id")


class VenueSitemap(_SiteSitemap):
    """Every venue that has a public event."""

    def items(self) -> QuerySet[Venue]:
        """Return the venues."""
        public = Event.objects.exclude(status=Event.Status.DRAFT)
        return Venue.objects.filter(pk__in=public.values("venue")).order_by("id")

    def location(self, item: Venue) -> str:
        """Return the address of the venue's page."""
        return reverse("venue", args=[item.slug])


class StaticSitemap(_SiteSitemap):
    """The programme itself."""

    def items(self) -> Iterable[str]:
        """Return the names of the pages."""
        return ["listing"]

    def location(self, item: str) -> str:
        """Return the page's address."""
        return reverse(item)


SITEMAPS: "dict[str, type[Sitemap[Any]] | Sitemap[Any]]" = {
    "pages": StaticSitemap,
    "events": EventSitemap,
    "organizers": OrganizerSitemap,
    "venues": VenueSitemap,
}

_PRIVATE = ("/accounts/", "/admin/", "/api/", "/checkout/", "/entry/", "/live/", "/my/", "/orders/", "/sandbox/")


def robots() -> str:
    """Return robots.txt: pages of one person and machinery are not for search engines."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _PRIVATE), "Disallow: /e/*/choose/"]
    return "\n".join([*lines, "", f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}", ""])
