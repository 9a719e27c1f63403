"""The sandbox's test cards: what each one is for is printed on the payment page."""

from dataclasses import dataclass
from enum import StrEnum


class Act(StrEnum):
    """What the bank or the provider does when this card is used."""

    APPROVE = "approve"
    DECLINE = "decline"
    CHALLENGE = "challenge"  # 3-D Secure: the bank asks the buyer first.
    SLOW = "slow"  # The bank answers after SLOW_SECONDS.
    LOSE_ANSWER = "lose_answer"  # The capture is made, but the shop never hears the answer.
    REPEAT_WEBHOOKS = "repeat_webhooks"  # Each webhook is delivered five times.
    LOSE_WEBHOOKS = "lose_webhooks"  # No webhook is ever delivered.


SLOW_SECONDS = 8


@dataclass(frozen=True)
class Card:
    """One test card; `reason` is what the bank says when it declines."""

    number: str
    act: Act
    title: str
    reason: str = ""

    @property
    def last4(self) -> str:
        """The part of the number a provider may show and keep."""
        return self.number[-4:]

    @property
    def spaced(self) -> str:
        """The number as it stands on a card."""
        return " ".join(self.number[i : i + 4] for i in range(0, 16, 4))


CARDS = (
    Card("4242424242424242", Act.APPROVE, "Succeeds"),
    Card("4000000000009995", Act.DECLINE, "Declined: insufficient funds", "Insufficient funds"),
    Card("4000000000000002", Act.DECLINE, "Declined by the bank", "The bank declined the card"),
    Card("4000002500003155", Act.CHALLENGE, "3-D Secure: the bank asks first"),
    Card("4000000000000077", Act.SLOW, f"Slow: the bank takes {SLOW_SECONDS} seconds"),
    Card("4000000000000119", Act.LOSE_ANSWER, "Time-out: charged, but the answer is lost"),
    Card("4000000000000259", Act.REPEAT_WEBHOOKS, "Every webhook comes five times"),
    Card("4000000000000341", Act.LOSE_WEBHOOKS, "No webhook ever comes"),
)
BY_NUMBER = {card.number: card for card in CARDS}
BY_LAST4 = {card.last4: card for card in CARDS}


def is_luhn_valid(number: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1, annex B)."""
    digits = [int(d) for d in reversed(number)]
    return sum(digits[0::2]) % 10 == -sum(sum(divmod(2 * d, 10)) for d in digits[1::2]) % 10
