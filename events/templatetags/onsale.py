"""Template filters every page may use: `{% load onsale %}`."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django import template
from django.core.files.storage import default_storage
from django.templatetags.static import static
from django.templatetags.tz import do_timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from config import modules
from events import posters
from events.money import money as money_text

register = template.Library()


@register.filter
def money(minor: int | None, currency: str) -> str:
    """Write an amount of minor units with its currency: `{{ order.total|money:order.currency }}` is `€90.00`."""
    return "" if minor is None else money_text(minor, currency)


@register.filter
def money_short(minor: int | None, currency: str) -> str:
    """Write an amount without minor digits when they are zero: `€90`."""
    return "" if minor is None else money_text(minor, currency, short=True)


@register.filter
def in_zone(moment: datetime | None, zone: str) -> datetime | str:
    """Move a moment to a time zone by name: `{{ event.starts_at|in_zone:event.venue.timezone|date:"H:i" }}`."""
    return "" if moment is None else do_timezone(moment, zone)


@register.filter
def zone_name(moment: datetime | None, zone: str) -> str:
    """Name the time zone a moment is shown in: `Berlin time (CET)`."""
    if moment is None:
        return ""
    abbreviation = moment.astimezone(ZoneInfo(zone)).strftime("%Z")
    place = zone.rsplit("/", 1)[-1].replace("_", " ")
    return f"{place} time ({abbreviation})" if abbreviation.isalpha() else f"{place} time (UTC{abbreviation})"


@register.filter
def picture_url(image: object) -> str:
    """Return where a stored picture is served, from its file or its name: `{{ event.image|picture_url }}`."""
    return default_storage.url(str(image))


@register.filter
def srcset(image: object) -> str:
    """Return a stored picture's copies by width, for `<img srcset>`; empty if it has none."""
    return posters.srcset(str(image))


@register.simple_tag
def module_preloads(name: str) -> SafeString:
    """Return links that fetch all that a module imports at once, after what the first paint needs."""
    named = ((static(needed),) for needed in modules.needed_by(name))
    return format_html_join("\n", '<link rel="modulepreload" href="{}" fetchpriority="low">', named)
