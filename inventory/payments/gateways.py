"""The gateways this shop can take money through, by name."""

from inventory.payments.free import FreeGateway
from inventory.payments.gateway import Gateway
from inventory.payments.sandbox.client import SandboxGateway

GATEWAYS: dict[str, Gateway] = {gateway.name: gateway for gateway in (SandboxGateway(), FreeGateway())}
