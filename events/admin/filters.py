"""Filters of lists."""

from datetime import datetime, time, timedelta

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.utils import parse_date_str


class DaysFilter(RangeDateFilter):
    """Narrows a list to days, the first and the last of them included whole; what is no date narrows nothing."""

    title = "day"

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        first, last = self._day("from"), self._day("to")
        if first is not None:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": first})
        if last is not None:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": last + timedelta(days=1)})
        return queryset

    def _day(self, end: str) -> datetime | None:
        typed = self.used_parameters.get(f"{self.parameter_name}_{end}")
        try:
            day = parse_date_str(typed) if isinstance(typed, str) else None
            return day and timezone.make_aware(datetime.combine(day, time.min))
        except (ValueError, OverflowError):
            return None
