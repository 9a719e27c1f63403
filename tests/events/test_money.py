"""Amounts of money as people and machines read them."""

import pytest

from events.money import decimal_text, money


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "text"),
    [
        (9000, "EUR", "en-GB", "€90.00"),
        (123450, "EUR", "en-GB", "€1,234.50"),
        (123450, "EUR", "de-DE", "1.234,50\u00a0€"),
        (0, "GBP", "en-GB", "£0.00"),
        (-4505, "EUR", "en-GB", "-€45.05"),
        (500, "JPY", "en-GB", "¥500"),
        (1500, "KWD", "en-GB", "KWD\u00a01.500"),
        (9000, "CHF", "de-DE", "90,00\u00a0CHF"),
    ],
)
def test_money_follows_currency_and_locale(minor, currency, locale, text):
    assert money(minor, currency, locale) == text


def test_money_short_leaves_out_zero_cents_only():
    assert money(4500, "EUR", short=True) == "€45"
    assert money(4550, "EUR", short=True) == "€45.50"


def test_decimal_text_is_for_machines():
    assert decimal_text(123450, "EUR") == "1234.50"
    assert decimal_text(500, "JPY") == "500"
