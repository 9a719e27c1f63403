"""Amounts of money as people read them: integer minor units and an ISO 4217 code in, words out."""

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import override

NO_BREAK_SPACE = "\u00a0"
DEFAULT_LOCALE = "en-GB"

# ISO 4217: minor digits of the currencies that do not have two.
ODD_EXPONENTS = {
    "BHD": 3, "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0, "KMF": 0, "KRW": 0,
    "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0,
    "XPF": 0,
}  # fmt: skip
_SYMBOLS = {"AUD": "A$", "CAD": "CA$", "EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "NZD": "NZ$", "USD": "US$"}
# CLDR: these languages write the symbol before the number, the rest behind it after a space.
_SYMBOL_FIRST = {"en", "ga", "he", "hi", "ja", "ko", "mt", "nl", "th", "tr", "zh"}


def exponent(currency: str) -> int:
    """Return how many minor digits the currency has: 2 for EUR, 0 for JPY, 3 for KWD."""
    return ODD_EXPONENTS.get(currency, 2)


def money(minor: int, currency: str, locale: str = DEFAULT_LOCALE, *, short: bool = False) -> str:
    """Return `minor` units of `currency` the way `locale` (BCP 47) writes them: `€1,234.50`, `1.234,50 €`.

    `short` leaves out minor digits that are all zero (`€45`). An unknown currency is written by its code.
    """
    places = exponent(currency)
    amount = Decimal(abs(minor)).scaleb(-places)
    if short and amount == amount.to_integral_value():
        places = 0
    with override(locale):
        number = number_format(amount, decimal_pos=places, use_l10n=True, force_grouping=True)
    sign = "-" if minor < 0 else ""
    symbol = _SYMBOLS.get(currency, currency)
    if locale.partition("-")[0] not in _SYMBOL_FIRST:
        return f"{sign}{number}{NO_BREAK_SPACE}{symbol}"
    gap = NO_BREAK_SPACE if symbol == currency else ""
    return f"{sign}{symbol}{gap}{number}"


def decimal_text(minor: int, currency: str) -> str:
    """Return the amount as machines read it: `45.00`, the form of schema.org and of input fields."""
    places = exponent(currency)
    return f"{Decimal(minor).scaleb(-places):.{places}f}"
