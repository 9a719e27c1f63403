"""Who may see what: staff see only what belongs to the organizers they manage."""

from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet
from django.http import HttpRequest

from events.models import Event, Membership, Organizer
from seating.models import SeatingPlan, Venue

User = AbstractBaseUser | AnonymousUser


def managed_organizers(user: User) -> QuerySet[Organizer]:
    """Return the organizers whose sales the user runs: all for a superuser, none for door staff and the inactive."""
    if not user.is_active:
        return Organizer.objects.none()
    if getattr(user, "is_superuser", False):
        return Organizer.objects.all()
    # A subquery, not a join: a person who is in an organizer twice must not see its rows twice.
    mine = Membership.objects.filter(user_id=user.pk, role=Membership.Role.MANAGER)
    return Organizer.objects.filter(pk__in=mine.values("organizer"))


def manages(user: User, organizer_id: UUID | None) -> bool:
    """Whether the user runs the sales of this organizer; `None` (nobody's) is for superusers."""
    if organizer_id is None:
        return bool(user.is_active and getattr(user, "is_superuser", False))
    return managed_organizers(user).filter(pk=organizer_id).exists()


def managed_events(user: User) -> QuerySet[Event]:
    """Return the events of the organizers the user manages."""
    if user.is_active and getattr(user, "is_superuser", False):
        return Event.objects.all()
    return Event.objects.filter(organizer__in=managed_organizers(user))


def usable_venues(user: User) -> QuerySet[Venue]:
    """Return the venues the user's organizers play in: they may put events there, and see the plans."""
    if user.is_active and getattr(user, "is_superuser", False):
        return Venue.objects.all()
    return Venue.objects.filter(pk__in=managed_organizers(user).values("venues"))


def usable_plans(user: User) -> QuerySet[SeatingPlan]:
    """Return the seating plans of the venues the user's organizers play in."""
    return SeatingPlan.objects.filter(venue__in=usable_venues(user))


def owns_venue(user: User, venue_id: UUID) -> bool:
    """Whether the user may change the venue: nobody else's organizer plays there too."""
    if not usable_venues(user).filter(pk=venue_id).exists():
        return False
    players = Organizer.objects.filter(venues=venue_id)
    return not players.exclude(pk__in=managed_organizers(user).values("pk")).exists()


def managed_ids(request: HttpRequest) -> frozenset[UUID]:
    """Return the ids of the organizers the user manages; asked once per request."""
    known: frozenset[UUID] | None = getattr(request, "managed_organizer_ids", None)
    if known is None:
        known = frozenset(managed_organizers(request.user).values_list("pk", flat=True))
        request.managed_organizer_ids = known  # type: ignore[attr-defined]
    return known


def may_enter(request: HttpRequest) -> bool:
    """Whether the user may be in the back office at all: staff who manage somebody, and superusers."""
    user = request.user
    return bool(user.is_active and user.is_staff and (user.is_superuser or managed_ids(request)))
