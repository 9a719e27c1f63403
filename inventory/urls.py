"""Addresses of the `inventory` app."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
