"""Seats, holds, orders, payments, tickets, and the queues their changes leave by."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from config.ids import new_id
from events.models import Event, Organizer, PresaleCode


class Seat(models.Model):
    """One unit of stock: a numbered seat or one standing place of one event.

    An event's rows are one range of the primary key. No index covers a column that a hold changes and the
    table's fillfactor is low, so that a hold is a heap-only update. A hold whose `held_until` has passed is
    free to whoever asks, swept or not. `version` rises by one at every transition, under the row lock.
    """

    class State(models.IntegerChoices):
        FREE = 0, "Free"
        HELD = 1, "Held"
        PAYING = 2, "Paying"
        SOLD = 3, "Sold"
        BLOCKED = 4, "Blocked"

    pk = models.CompositePrimaryKey("event", "index")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+", db_index=False)
    index = models.IntegerField()
    section = models.SmallIntegerField(help_text="Position of the seat's section in the plan.")
    tier = models.SmallIntegerField(help_text="PriceTier.number.")
    state = models.SmallIntegerField(choices=State, default=State.FREE)
    hold = models.UUIDField(null=True)
    held_until = models.DateTimeField(null=True)
    order = models.UUIDField(null=True)
    version = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=[0, 1, 2, 3, 4]), name="inventory_seat_state"),
            models.CheckConstraint(
                condition=Q(state__in=[1, 2], hold__isnull=False, held_until__isnull=False)
                | (~Q(state__in=[1, 2]) & Q(hold__isnull=True, held_until__isnull=True)),
                name="inventory_seat_hold_iff_held",
            ),
            models.CheckConstraint(
                condition=(Q(state=3) & Q(order__isnull=False)) | (~Q(state=3) & Q(order__isnull=True)),
                name="inventory_seat_order_iff_sold",
            ),
        ]

    def __str__(self) -> str:
        return f"seat {self.index} of {self.event_id}"


class FanLimit(models.Model):
    """The row a fan's transactions for one event queue up on, so that parallel requests cannot pass the limit."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+")
    fan = models.CharField(max_length=26)
    presale_code = models.ForeignKey(PresaleCode, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "fan"], name="inventory_fan_limit_once")]

    def __str__(self) -> str:
        return f"{self.fan} at {self.event_id}"


class Hold(models.Model):
    """A timed claim of one fan on seats of one event; at most one lives per fan and event."""

    class State(models.TextChoices):
        LIVE = "live", "Live"
        PAYING = "paying", "Paying"
        BOUGHT = "bought", "Bought"
        RELEASED = "released", "Released"
        EXPIRED = "expired", "Expired"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+")
    fan = models.CharField(max_length=26)
    state = models.CharField(max_length=8, choices=State, default=State.LIVE)
    seats = ArrayField(models.IntegerField(), help_text="Indexes claimed, ascending.")
    expires_at = models.DateTimeField()
    extended = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event", "fan"], condition=Q(state__in=["live", "paying"]), name="inventory_hold_one_live"
            )
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state__in=["live", "paying"]), name="inventory_hold_due"),
        ]

    def __str__(self) -> str:
        return f"hold {self.id} ({self.state})"


class Order(models.Model):
    """What a buyer bought or is about to buy. Amounts are minor units of `currency`."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting for payment"
        PAID = "paid", "Paid"
        EXPIRED = "expired", "Expired"
        CANCELLED = "cancelled", "Cancelled"
        REFUNDED = "refunded", "Refunded"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reference = models.CharField(max_length=10, unique=True, help_text="What people read out over the telephone.")
    organizer = models.ForeignKey(Organizer, on_delete=models.PROTECT, related_name="+", db_index=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+")
    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, related_name="+")
    fan = models.CharField(max_length=26)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    name = models.CharField(max_length=120)
    email = models.EmailField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    currency = models.CharField(max_length=3)
    subtotal = models.IntegerField()
    fees = models.IntegerField()
    total = models.IntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["organizer", "-created_at", "id"], name="inventory_order_organizer"),
            models.Index(fields=["event", "fan"], name="inventory_order_fan"),
            models.Index(fields=["email"], name="inventory_order_email"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(total=F("subtotal") + F("fees")), name="inventory_order_total"),
        ]

    def __str__(self) -> str:
        return self.reference


class OrderLine(models.Model):
    """One seat of one order at the price it was bought for; refunded lines stay as the record of what was."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+", db_index=False)
    index = models.IntegerField()
    tier = models.SmallIntegerField()
    tier_name = models.CharField(max_length=60)
    section = models.CharField(max_length=80)
    row = models.CharField(max_length=20, blank=True)
    number = models.CharField(max_length=20, blank=True)
    amount = models.IntegerField()
    fee = models.IntegerField()
    active = models.BooleanField(default=False, help_text="Paid for and not refunded.")
    refund = models.ForeignKey("Refund", null=True, on_delete=models.PROTECT, related_name="lines")

    class Meta:
        constraints = [
            # The third wall against a double sale, behind the row lock and the conditional update.
            models.UniqueConstraint(
                fields=["event", "index"], condition=Q(active=True), name="inventory_line_seat_once"
            ),
            models.UniqueConstraint(fields=["order", "index"], name="inventory_line_order_index"),
        ]
        ordering = ["order", "index"]

    def __str__(self) -> str:
        return " ".join(part for part in (self.section, self.row, self.number) if part)


class Payment(models.Model):
    """One attempt to take one order's money through one gateway."""

    class State(models.TextChoices):
        STARTED = "started", "Started"
        AUTHORISED = "authorised", "Authorised"
        CAPTURED = "captured", "Captured"
        FAILED = "failed", "Failed"
        VOIDED = "voided", "Voided"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    gateway = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=80, blank=True, help_text="The provider's own id of the charge.")
    state = models.CharField(max_length=10, choices=State, default=State.STARTED)
    amount = models.IntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it failed, in the provider's words.")
    created_at = models.DateTimeField(auto_now_add=True)
    captured_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "provider_id"], condition=~Q(provider_id=""), name="inventory_payment_provider_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(state__in=["started", "authorised"]), name="inventory_payment_open"
            )
        ]

    def __str__(self) -> str:
        return f"payment {self.id} ({self.state})"


class Refund(models.Model):
    """Money back: asked for in the transaction that gave the seats up, sent to the provider afterwards, once."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    provider_id = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"refund of {self.amount} {self.currency}"


class Ticket(models.Model):
    """The right to one place; `serial` rises when a code is reissued, and the old code dies."""

    class State(models.TextChoices):
        VALID = "valid", "Valid"
        USED = "used", "Used"
        VOID = "void", "Void"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    line = models.OneToOneField(OrderLine, on_delete=models.PROTECT, related_name="ticket")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=5, choices=State, default=State.VALID)
    serial = models.PositiveSmallIntegerField(default=1)
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    def __str__(self) -> str:
        return f"ticket {self.id} ({self.state})"


class SalesMinute(models.Model):
    """What one price of one event sold and gave back within one minute; a read model, written by `sales_board` only."""

    pk = models.CompositePrimaryKey("event", "tier", "minute")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+", db_index=False)
    tier = models.SmallIntegerField(help_text="PriceTier.number.")
    minute = models.DateTimeField()
    sold = models.IntegerField(help_text="Tickets.")
    taken = models.BigIntegerField(help_text="Their prices.")
    fees = models.BigIntegerField(help_text="Their fees.")
    refunded = models.IntegerField(help_text="Tickets given back.")
    returned = models.BigIntegerField(help_text="Their prices.")
    fees_returned = models.BigIntegerField(help_text="Their fees.")


class IdempotencyKey(models.Model):
    """The first answer to a key, stored in the transaction of its effect; kept 24 hours."""

    scope = models.CharField(max_length=64, help_text="Who sent it: fan or staff id.")
    key = models.CharField(max_length=64)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="inventory_idempotency_once")]

    def __str__(self) -> str:
        return self.key


class SeatChange(models.Model):
    """A seat's new state on its way to the browsers; written by a trigger, taken by the relay."""

    event_id = models.UUIDField()
    index = models.IntegerField()
    state = models.SmallIntegerField()
    version = models.IntegerField()
    at = models.DateTimeField(help_text="Clock time of the write, for the lag measured at the other end.")

    def __str__(self) -> str:
        return f"{self.event_id}[{self.index}] -> {self.state}"


class SeatPlane(models.Model):
    """The relay's own record of an event's plane: with the waiting SeatChange rows it is the present state."""

    event = models.OneToOneField(Event, primary_key=True, on_delete=models.CASCADE, related_name="+")
    version = models.BigIntegerField()
    seat_count = models.PositiveIntegerField()
    plane = models.BinaryField(help_text="2 bits a seat, index order.")
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"plane of {self.event_id} at {self.version}"


class TrafficShape(models.Model):
    """What was asked for while an event's sale opened, as families of addresses: told again to warm a later sale."""

    event = models.OneToOneField(Event, primary_key=True, on_delete=models.CASCADE, related_name="+")
    opened_at = models.DateTimeField(db_index=True)
    rows = models.JSONField(help_text="[address template, encoding, [requests in each ten seconds]] each.")

    def __str__(self) -> str:
        return f"traffic of {self.event_id}"


class Outbox(models.Model):
    """A message that must leave, written in the transaction of what it tells of."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    topic = models.CharField(max_length=40, help_text="For example order.paid.")
    payload = models.JSONField()
    subscriber = models.CharField(max_length=40, help_text="One row per subscriber, so that none waits for another.")
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(help_text="Not before this time.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "outbox"
        indexes = [
            models.Index(fields=["due_at"], name="inventory_outbox_due"),
            models.Index(
                fields=["subscriber", "due_at"], condition=Q(subscriber__in=["listing", "board"]), name="outbox_batched"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} for {self.subscriber}"


class DeadLetter(models.Model):
    """A message that failed every try, kept with its reason until somebody edits, replays or drops it."""

    id = models.UUIDField(primary_key=True, editable=False)
    topic = models.CharField(max_length=40)
    payload = models.JSONField()
    subscriber = models.CharField(max_length=40)
    reason = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.topic} for {self.subscriber}"


class ProcessedMessage(models.Model):
    """Proof, in the transaction of the effect, that a subscriber has handled a message."""

    subscriber = models.CharField(max_length=40)
    message_id = models.UUIDField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscriber", "message_id"], name="inventory_processed_once")]

    def __str__(self) -> str:
        return f"{self.message_id} by {self.subscriber}"


class WebhookReceipt(models.Model):
    """A payment provider's webhook as it came in, stored before anything is done about it."""

    gateway = models.CharField(max_length=20)
    provider_event_id = models.CharField(max_length=80)
    body = models.JSONField()
    received_at = models.DateTimeField(auto_now_add=True)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["gateway", "provider_event_id"], name="inventory_webhook_once")]
        indexes = [models.Index(fields=["id"], condition=Q(processed_at=None), name="inventory_webhook_waiting")]

    def __str__(self) -> str:
        return f"{self.gateway} {self.provider_event_id}"


class SandboxCharge(models.Model):
    """The sandbox payment provider's own book: what it would say happened, whatever the shop believes."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CHALLENGE = "challenge", "Waiting for 3-D Secure"
        PROCESSING = "processing", "Waiting for the bank"
        AUTHORISED = "authorised", "Authorised"
        CAPTURED = "captured", "Captured"
        DECLINED = "declined", "Declined"
        VOIDED = "voided", "Voided"

    id = models.CharField(primary_key=True, max_length=40)
    idempotency_key = models.CharField(max_length=64, unique=True)
    reference = models.CharField(max_length=64, help_text="The shop's payment id.")
    amount = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=200)
    return_url = models.URLField(max_length=500)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    card = models.CharField(
        max_length=4, blank=True, db_default="", help_text="Last four digits; no more is ever kept."
    )
    ready_at = models.DateTimeField(null=True, blank=True, help_text="When the bank answers a slow card.")
    decline_reason = models.CharField(max_length=100, blank=True)
    refunded = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.id


class SandboxRefund(models.Model):
    """One refund in the sandbox provider's book; its key makes a repeated request the same refund."""

    charge = models.ForeignKey(SandboxCharge, on_delete=models.CASCADE, related_name="refunds")
    idempotency_key = models.CharField(max_length=64, unique=True)
    amount = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.amount} of {self.charge_id}"


class AuditEntry(models.Model):
    """One line of the append-only log (a trigger refuses update and delete): who did what to which thing."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=80, help_text="fan:<id>, staff:<user id> or system:<process>.")
    organizer_id = models.UUIDField(null=True)
    event_id = models.UUIDField(null=True)
    action = models.CharField(max_length=40, help_text="For example seat.sold, order.refunded, sale.paused.")
    subject = models.CharField(max_length=80, help_text="Id of the order, hold, payment, ticket or seat.")
    detail = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit log"
        indexes = [
            models.Index(fields=["event_id", "-at"], name="inventory_audit_event"),
            models.Index(fields=["subject"], name="inventory_audit_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
