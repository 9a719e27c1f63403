"""Addresses of the `seating` app."""

from django.urls import re_path

from seating import views

urlpatterns = [
    re_path(r"^plans/(?P<content_hash>[0-9a-f]{64})$", views.plan, name="plan"),
]
