"""Form fields that speak the organiser's units: money in 12.50, times in minutes and at the venue, fees in percent."""

from decimal import Decimal
from typing import Any

from django import forms
from unfold import widgets

from events.money import decimal_text, exponent

LARGEST_AMOUNT = 2_147_483_647  # The column is a 32-bit integer.


class _Converted(forms.Field):
    """A field whose value is kept in another unit than it is typed in."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.clean(data) != initial
        except forms.ValidationError:
            return True


class MoneyField(_Converted, forms.DecimalField):
    """Takes "12.50" or "12,50" and gives 1250 minor units of `currency`; shows minor units the same way."""

    def __init__(self, *, currency: str = "EUR", **kwargs: Any) -> None:
        self.currency = currency
        kwargs.setdefault("widget", money_widget(currency))
        super().__init__(
            min_value=0,
            max_value=Decimal(LARGEST_AMOUNT).scaleb(-exponent(currency)),
            decimal_places=exponent(currency),
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        return decimal_text(value, self.currency) if isinstance(value, int) else value

    def to_python(self, value: Any) -> Decimal | None:
        if isinstance(value, str) and "." not in value:
            value = value.replace(",", ".")
        return super().to_python(value)

    def clean(self, value: Any) -> int | None:
        amount = super().clean(value)
        return None if amount is None else int(amount.scaleb(exponent(self.currency)))


def money_widget(currency: str) -> forms.Widget:
    """Return a text box for money, which brings up the number pad on telephones."""
    return widgets.UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "suffix": currency, "class": "bo-money"})


class MinutesField(_Converted, forms.IntegerField):
    """Takes whole minutes and gives seconds."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", widgets.UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}))
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return f"{value / 60:g}" if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        minutes = super().clean(value)
        return None if minutes is None else minutes * 60


class PercentField(_Converted, forms.DecimalField):
    """Takes "2.5" percent and gives 250 basis points."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", widgets.UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "suffix": "%"}))
        super().__init__(min_value=0, max_value=100, decimal_places=2, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return f"{value / 100:g}" if isinstance(value, int) else value

    def to_python(self, value: Any) -> Decimal | None:
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)

    def clean(self, value: Any) -> int | None:
        percent = super().clean(value)
        return None if percent is None else int(percent * 100)


class LocalTimeField(forms.DateTimeField):
    """One box for a date and a time, read in the time zone that is active: the page activates the venue's."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(
            format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", "class": " ".join(widgets.DATETIME_CLASSES)}
        )
        kwargs.setdefault("widget", widget)
        super().__init__(**kwargs)
