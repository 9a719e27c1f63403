"""The back office's pages about what is held, bought, paid and sent, and the page of an event with its sale."""

from inventory.admin import audit_log, events, messages, orders, payments, people

__all__ = ["audit_log", "events", "messages", "orders", "payments", "people"]
