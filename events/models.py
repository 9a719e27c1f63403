"""Organizers, events and the terms they are sold on."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.urls import reverse

from config.ids import new_id
from events.posters import PosterField
from seating.models import SeatingPlan, Venue


class Organizer(models.Model):
    """Who puts events on sale; staff see only what belongs to the organizers they are members of."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=80, unique=True)
    about = models.TextField(blank=True)
    website = models.URLField(blank=True)
    email = models.EmailField(blank=True)
    currency = models.CharField(max_length=3, default="EUR")
    fee_basis_points = models.PositiveIntegerField(
        default=0, help_text="Service fee per ticket, in hundredths of a percent."
    )
    fee_fixed = models.PositiveIntegerField(default=0, help_text="Service fee per ticket, in minor units (cents).")
    venues = models.ManyToManyField(Venue, blank=True, related_name="+")
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="organizers")

    class Meta:
        verbose_name = "organiser"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the organizer's public page."""
        return reverse("organizer", args=[self.slug])

    def fee(self, amount: int) -> int:
        """Return the service fee in minor units for one ticket of `amount` minor units, rounded half up."""
        return self.fee_fixed + (amount * self.fee_basis_points + 5000) // 10000


class Membership(models.Model):
    """A person's part in an organizer: managers run the sale, door staff only let people in."""

    class Role(models.TextChoices):
        MANAGER = "manager", "Manager"
        DOOR = "door", "Door staff"

    organizer = models.ForeignKey(Organizer, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MANAGER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organizer", "user"], name="events_membership_once")]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"


class Event(models.Model):
    """A show. `version` rises in the transaction of every change that its public page shows (database trigger)."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        CANCELLED = "cancelled", "Cancelled"

    class SaleSwitch(models.TextChoices):
        ON = "on", "By its sale windows"
        PAUSED = "paused", "Paused"
        CLOSED = "closed", "Closed"

    class Category(models.TextChoices):
        MUSIC = "music", "Music"
        SPORT = "sport", "Sport"
        THEATRE = "theatre", "Theatre"
        COMEDY = "comedy", "Comedy"
        FAMILY = "family", "Family"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organizer = models.ForeignKey(Organizer, on_delete=models.PROTECT, related_name="events")
    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="+")
    plan = models.ForeignKey(SeatingPlan, on_delete=models.PROTECT, related_name="+")
    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=160)
    subtitle = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    category = models.CharField(max_length=10, choices=Category)
    image = PosterField(upload_to="events/", blank=True)
    doors_at = models.DateTimeField(null=True, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    sale_switch = models.CharField(max_length=8, choices=SaleSwitch, default=SaleSwitch.ON)
    max_per_fan = models.PositiveSmallIntegerField(default=8)
    hold_seconds = models.PositiveIntegerField(default=600)
    extend_seconds = models.PositiveIntegerField(default=300, help_text="What the one prolongation adds.")
    version = models.BigIntegerField(default=1, editable=False)
    search = SearchVectorField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["starts_at", "id"]
        indexes = [
            GinIndex(fields=["name"], opclasses=["gin_trgm_ops"], name="events_event_name_trgm"),
            models.Index(fields=["status", "starts_at", "id"], name="events_event_listing"),
            models.Index(fields=["organizer", "starts_at", "id"], name="events_event_organizer"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")), name="events_event_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(max_per_fan__gte=1), name="events_event_limit_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the event's public page (the shell)."""
        return reverse("event", args=[self.slug])


class PriceTier(models.Model):
    """A price for one category of the plan; its colour and shape mark it in the map."""

    class Shape(models.TextChoices):
        CIRCLE = "circle", "Circle"
        SQUARE = "square", "Square"
        DIAMOND = "diamond", "Diamond"
        TRIANGLE = "triangle", "Triangle"
        HEXAGON = "hexagon", "Hexagon"
        STAR = "star", "Star"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="tiers")
    number = models.PositiveSmallIntegerField(help_text="0, 1, 2 ... in the order shown.")
    name = models.CharField(max_length=60)
    categories = models.JSONField(default=list, help_text="Names of the plan's categories sold at this price.")
    amount = models.PositiveIntegerField(help_text="In minor units (cents).")
    color = models.CharField(max_length=7, default="#4f46e5")
    shape = models.CharField(max_length=10, choices=Shape, default=Shape.CIRCLE)

    class Meta:
        ordering = ["event", "number"]
        constraints = [models.UniqueConstraint(fields=["event", "number"], name="events_tier_number_once")]

    def __str__(self) -> str:
        return self.name


class SaleWindow(models.Model):
    """A time in which an event may be bought, by everybody or by those with a presale code."""

    class Access(models.TextChoices):
        PUBLIC = "public", "Everybody"
        PRESALE = "presale", "With a presale code"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="windows")
    name = models.CharField(max_length=60, default="General sale")
    access = models.CharField(max_length=8, choices=Access, default=Access.PUBLIC)
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()

    class Meta:
        ordering = ["event", "opens_at"]
        constraints = [
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="events_window_closes_after_open")
        ]

    def __str__(self) -> str:
        return self.name


class PresaleCode(models.Model):
    """A code that opens a presale window for `max_fans` different fans."""

    window = models.ForeignKey(SaleWindow, on_delete=models.CASCADE, related_name="codes")
    code = models.CharField(max_length=40)
    max_fans = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["window", "code"], name="events_presale_code_once")]

    def __str__(self) -> str:
        return self.code


class ProgrammeRow(models.Model):
    """A public event as the programme lists, filters and finds it, complete in itself; drafts have none.

    A read model: `events.programme` makes it from what it depends on, and can make it anew at any time. Nobody else
    writes it. What the clock alone decides (the state of the sale, whether the show is over) is told by moments.
    """

    class Stock(models.TextChoices):
        NONE = "none", "None"
        PLENTY = "plenty", "Plenty"
        FEW = "few", "Few left"
        SOLD_OUT = "sold_out", "Sold out"

    event = models.OneToOneField(Event, primary_key=True, on_delete=models.CASCADE, related_name="+")
    organizer = models.ForeignKey(Organizer, on_delete=models.CASCADE, related_name="+", db_index=False)
    venue = models.ForeignKey(Venue, on_delete=models.CASCADE, related_name="+", db_index=False)
    version = models.BigIntegerField(help_text="Of the event it was made from.")
    slug = models.CharField(max_length=100)
    name = models.CharField(max_length=160)
    subtitle = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=10)
    image = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=10)
    sale_switch = models.CharField(max_length=8)
    max_per_fan = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    over_at = models.DateTimeField(help_text="When it is no longer to come: its end, or the usual one.")
    local_day = models.DateField(help_text="The day it begins on the venue's calendar.")
    venue_name = models.CharField(max_length=120)
    city = models.CharField(max_length=80)
    timezone = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    unit = models.IntegerField(help_text="Minor units in one whole unit of the currency.")
    tiers = models.JSONField(help_text="Number, name and amount of every price, in order.")
    amounts = ArrayField(models.IntegerField())
    from_amount = models.IntegerField(null=True)
    to_amount = models.IntegerField(null=True)
    windows = models.JSONField(help_text="Name, access and times of every sale window, in order.")
    opens_at = models.DateTimeField(null=True, help_text="When the first public window that has not closed opens.")
    closes_at = models.DateTimeField(null=True, help_text="When the last public window closes.")
    turns_at = models.DateTimeField(null=True, help_text="When the clock alone changes this row.")
    places = models.IntegerField(help_text="All places of its stock.")
    sold = models.IntegerField()
    blocked = models.IntegerField()
    stock = models.CharField(max_length=8, choices=Stock)
    words = models.TextField(help_text="The names people look for, in lower case without accents.")
    search = SearchVectorField(null=True)
    made_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["over_at", "starts_at", "event"], name="events_row_coming"),
            models.Index(Upper("city"), "over_at", name="events_row_city"),
            models.Index(fields=["organizer", "over_at"], name="events_row_organizer"),
            models.Index(fields=["venue", "over_at"], name="events_row_venue"),
            models.Index(fields=["opens_at"], name="events_row_opens"),
            models.Index(fields=["turns_at"], condition=Q(turns_at__isnull=False), name="events_row_turns"),
            GinIndex(fields=["search"], name="events_row_search"),
            GinIndex(fields=["words"], opclasses=["gin_trgm_ops"], name="events_row_words"),
        ]

    def __str__(self) -> str:
        return self.name
