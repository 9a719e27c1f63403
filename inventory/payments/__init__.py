"""Taking money: what a gateway is, the providers behind it, and how a payment is settled."""
