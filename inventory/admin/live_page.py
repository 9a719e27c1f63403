"""How the read path does at this moment, over all processes: a page for superusers, and the figures it asks for."""

import time
from collections import Counter
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.views.decorators.cache import never_cache

from config import pulse, pulses, redis
from config.tiers import Lru
from events.models import Event
from inventory import figures
from inventory.backlog import backlog

WINDOW_SLOTS: Final = 30  # A minute: long enough for a rate, short enough to see a fault begin.
DRAWN_SLOTS: Final = 150  # Five minutes.
SMOOTH_SLOTS: Final = 5  # Each point is drawn over ten seconds: a busy relay publishes ten frames in one.
HOT_SHOWN: Final = 10
WAITING_LIMIT: Final = 5.0
REPLICA_LIMIT: Final = 5.0
NAME_SECONDS: Final = 60.0

_names: Lru[str, dict[str, str]] = Lru(100)


def urls(site: AdminSite) -> list[URLPattern]:
    """Return the page's addresses, behind the back office's own door."""

    def page(request: HttpRequest) -> HttpResponse:
        _superusers_only(request)
        return TemplateResponse(request, "inventory/admin/live.html", {**site.each_context(request), "title": "Live"})

    @never_cache
    def now(request: HttpRequest) -> HttpResponse:
        _superusers_only(request)
        return JsonResponse(present(_slot(request.GET.get("since", ""))))

    return [
        path("live/", site.admin_view(page), name="live"),
        path("live/now.json", site.admin_view(now), name="live_now"),
    ]


def present(since: int | None = None) -> dict[str, Any]:
    """Return the figures of the last minute, and what to draw: five minutes, or what came after slot `since`.

    Without Redis there are none, and `alive` says so: "redis". With nobody to tell any it is "nobody".
    """
    now, last = time.time(), pulses.last_slot()
    missing = DRAWN_SLOTS if since is None else min(max(last - since, 0), DRAWN_SLOTS)
    try:
        seen = pulses.picture(last=last, slots=max(missing + SMOOTH_SLOTS - 1, WINDOW_SLOTS), hot_slots=WINDOW_SLOTS)
    except redis.Unavailable:
        return {"alive": "redis", "at": now}
    counts, seconds = figures.summed(seen.moved[-WINDOW_SLOTS:]), float(WINDOW_SLOTS * pulse.BEAT_SECONDS)
    drawn = seen.moved[-(missing + SMOOTH_SLOTS - 1) :] if missing else []
    return {
        "alive": "yes" if seen.processes else "nobody",
        "at": now,
        "seconds": seconds,
        "headline": [asdict(figure) for figure in figures.headline(counts, seconds)],
        "shares": [asdict(figure) for figure in figures.shares(counts, seconds)],
        "tiers": figures.tiers(counts),
        "facts": facts(seen.processes, now),
        "hot": hottest(seen.hot, seconds),
        "processes": [_told(process, now) for process in seen.processes],
        "last": last,
        "step": pulse.BEAT_SECONDS,
        "points": figures.points(drawn, width=SMOOTH_SLOTS),
    }


def facts(processes: list[pulses.Process], now: float) -> list[dict[str, str]]:
    """Return what is so or not so: title, what is true, and the verdict on it."""
    heard = [process for process in processes if not process.is_silent(now)]
    leaders = [process for process in heard if process.kind == "relay" and process.gauges.get("relay_leads")]
    sockets = int(sum(process.gauges.get("sockets", 0) for process in heard))
    found = [
        _fact(
            "Relay",
            f"{leaders[0].host}:{leaders[0].pid} leads" if leaders else "nobody leads",
            is_well=len(leaders) == 1,
        ),
        _fact("Sockets open", f"{sockets:,}"),
    ]
    if breakers := _gauges(heard, "breaker_open|"):
        away = sorted(role for role, value in breakers.items() if value)
        found.append(_fact("Redis", f"{', '.join(away)} not asked" if away else "answers", is_well=not away))
    if settings.REPLICA_URL:
        found.append(_replica(heard))
    try:
        waiting = backlog()
    except DatabaseError:
        return [*found, _fact("Postgres", "does not answer", is_well=False)]
    is_prompt = waiting.waiting_seconds <= WAITING_LIMIT
    return [
        *found,
        _fact("Oldest message waits", f"{waiting.waiting_seconds:.1f} s", is_well=is_prompt),
        _fact("Dead letters", f"{waiting.dead_letters:,}", is_well=not waiting.dead_letters),
    ]


def _replica(processes: list[pulses.Process]) -> dict[str, str]:
    """Say how the replica is to those that browse from it; a process that has not asked it yet knows nothing."""
    usable = [process for process in processes if process.gauges.get("replica_usable")]
    lag = max((process.gauges.get("replica_lag_seconds", 0.0) for process in usable), default=None)
    if lag is None:
        return _fact("Replica", "not browsed from", is_well=False)
    return _fact("Replica", f"{lag:.1f} s behind", is_well=lag <= REPLICA_LIMIT)


def hottest(hot: Counter[str], seconds: float) -> list[dict[str, Any]]:
    """Return the events asked for most, hottest first; one that is gone by now goes by its id."""
    most = hot.most_common(HOT_SHOWN)
    # A page that counts the database's reads should not be what it sees: names are asked for once a minute.
    missing = [event_id for event_id, _ in most if _names.fresh(event_id, NAME_SECONDS) is None]
    if missing:
        known = Event.objects.select_related("venue").in_bulk(list(map(UUID, missing)))
        for event_id in missing:
            _names.put(event_id, _named(event_id, known.get(UUID(event_id))))
    return [{**kept.value, "per_second": count / seconds} for event_id, count in most if (kept := _names.get(event_id))]


def _named(event_id: str, event: Event | None) -> dict[str, str]:
    if event is None:
        return {"name": event_id, "about": "", "url": ""}
    day = date_format(event.starts_at.astimezone(ZoneInfo(event.venue.timezone)), "j M")
    url = reverse("admin:events_event_change", args=[event_id])
    return {"name": event.name, "about": f"{day}, {event.venue.name}", "url": url}


def _told(process: pulses.Process, now: float) -> dict[str, Any]:
    return {
        "kind": process.kind,
        "where": f"{process.host}:{process.pid}",
        "up": now - process.since,
        "beat": now - process.at,
        "cpu": process.cpu,
        "memory": process.memory,
        "silent": process.is_silent(now),
        "leads": process.kind == "relay" and bool(process.gauges.get("relay_leads")),
    }


def _gauges(processes: list[pulses.Process], beginning: str) -> dict[str, float]:
    """Return the highest value of each gauge that begins so, by what follows; none tell it, none is returned."""
    found: dict[str, float] = {}
    for process in processes:
        for name, value in process.gauges.items():
            if name.startswith(beginning):
                found[name.removeprefix(beginning)] = max(value, found.get(name.removeprefix(beginning), value))
    return found


def _fact(title: str, text: str, *, is_well: bool | None = None) -> dict[str, str]:
    verdict = figures.WATCHED if is_well is None else figures.MET if is_well else figures.MISSED
    return {"title": title, "text": text, "verdict": verdict}


def _slot(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 16 else None


def _superusers_only(request: HttpRequest) -> None:
    if not request.user.is_superuser:
        raise PermissionDenied
