"""Signed order links: who has the link may see the order, and nobody can make one up or walk from one to the next."""

import base64
import binascii
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.urls import reverse

_signer = Signer(salt="inventory.order", sep=".")


def sign_order(order_id: UUID) -> str:
    """Return the order's id with its signature, for use in an address."""
    return _signer.sign(base64.urlsafe_b64encode(order_id.bytes).rstrip(b"=").decode())


def read_order(signed: str) -> UUID | None:
    """Return the order's id, or None where the link is forged or damaged."""
    try:
        return UUID(bytes=base64.urlsafe_b64decode(_signer.unsign(signed) + "=="))
    except (BadSignature, binascii.Error, ValueError):
        return None


def order_path(order_id: UUID) -> str:
    """Return the path of the order's page."""
    return reverse("order", args=[sign_order(order_id)])
