"""Addresses of the `events` app."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
