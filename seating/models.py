"""Venues and their immutable seating plans."""

from django.db import models

from config.ids import new_id


class Venue(models.Model):
    """A place where events happen; its time zone is the one every date of its events is shown in."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=80, unique=True)
    address = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=80)
    country = models.CharField(max_length=2, help_text="ISO 3166-1 code, for example DE.")
    timezone = models.CharField(
        max_length=64, default="Europe/Berlin", help_text="IANA name, for example Europe/Berlin."
    )
    latitude = models.DecimalField(max_digits=8, decimal_places=5, null=True, blank=True)
    longitude = models.DecimalField(max_digits=8, decimal_places=5, null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name}, {self.city}"


class SeatingPlan(models.Model):
    """One version of a venue's seating, never changed once written: a change is a new plan with a new hash.

    `body` is the gzip-compressed canonical JSON document; `content_hash` is the SHA-256 of the uncompressed
    document, and is the address browsers and edges cache it under for a year.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="plans")
    name = models.CharField(max_length=120)
    content_hash = models.CharField(max_length=64, unique=True, editable=False)
    seat_count = models.PositiveIntegerField(editable=False)
    body = models.BinaryField(editable=False)
    guids = models.BinaryField(
        editable=False,
        default=b"",
        help_text="Gzip-compressed JSON list of seat guids where an imported plan brought its own.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.seat_count:,} places)"
