"""What fans type into the programme's filters, checked field by field."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms

from events.catalog import Filters
from events.models import Event

_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
# "from" is a word of Python, so fields and query names differ.
_QUERY_NAMES = {"starts_from": "from", "starts_to": "to", "min_price": "min", "max_price": "max"}


class ListingForm(forms.Form):
    """The filters of the programme. What is wrong is said at its field and left out of the search; the rest counts."""

    q = forms.CharField(max_length=200, required=False, label="Search")
    category = forms.ChoiceField(
        choices=[("", "All kinds"), *Event.Category.choices],
        required=False,
        error_messages={"invalid_choice": "There is no such kind of event."},
    )
    city = forms.CharField(max_length=80, required=False)
    starts_from = forms.DateField(
        required=False, label="From", error_messages={"invalid": "Write the date as 2027-03-31."}
    )
    starts_to = forms.DateField(
        required=False, label="Until", error_messages={"invalid": "Write the date as 2027-03-31."}
    )
    min_price = forms.DecimalField(min_value=0, max_digits=9, decimal_places=2, required=False, label="Lowest price")
    max_price = forms.DecimalField(min_value=0, max_digits=9, decimal_places=2, required=False, label="Highest price")
    page = forms.IntegerField(
        min_value=1,
        max_value=100_000,
        required=False,
        error_messages={"invalid": "The page is a whole number from 1."},
    )

    def add_prefix(self, field_name: str) -> str:
        """Return the name a field has in the address."""
        return _QUERY_NAMES.get(field_name, field_name)

    def clean_q(self) -> str:
        """Refuse what was not UTF-8: the address then holds replacement characters."""
        return self._text("q")

    def clean_city(self) -> str:
        """Refuse what was not UTF-8."""
        return self._text("city")

    def _text(self, name: str) -> str:
        text: str = self.cleaned_data[name]
        if "\ufffd" in text:
            raise forms.ValidationError("This text is not valid UTF-8.")
        return text

    def clean_starts_from(self) -> date | None:
        """Keep to dates a calendar of shows can hold."""
        return self._day("starts_from")

    def clean_starts_to(self) -> date | None:
        """Keep to dates a calendar of shows can hold."""
        return self._day("starts_to")

    def _day(self, name: str) -> date | None:
        day: date | None = self.cleaned_data[name]
        if day is not None and not _FIRST_DAY <= day <= _LAST_DAY:
            raise forms.ValidationError("Choose a date between 2000 and 2099.")
        return day

    def clean(self) -> dict[str, Any]:
        """Compare the ends of the two ranges."""
        cleaned = self.cleaned_data
        first, last = cleaned.get("starts_from"), cleaned.get("starts_to")
        if first and last and last < first:
            self.add_error("starts_to", "This is before the first date.")
        low, high = cleaned.get("min_price"), cleaned.get("max_price")
        if low is not None and high is not None and high < low:
            self.add_error("max_price", "This is below the lowest price.")
        return cleaned

    @property
    def filters(self) -> Filters:
        """Everything that is valid."""
        cleaned = self.cleaned_data
        return Filters(
            q=" ".join(cleaned.get("q", "").split()),
            city=cleaned.get("city", ""),
            category=cleaned.get("category", ""),
            starts_from=cleaned.get("starts_from"),
            starts_to=cleaned.get("starts_to"),
            min_price=cleaned.get("min_price"),
            max_price=cleaned.get("max_price"),
        )

    def query_pairs(self) -> Iterable[tuple[str, str]]:
        """Yield the filters in force as (name, value) of an address, without the page."""
        for name in self.fields:
            value = self.cleaned_data.get(name)
            if name != "page" and value not in (None, ""):
                yield self.add_prefix(name), str(value)
