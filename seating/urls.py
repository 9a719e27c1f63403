"""Addresses of the `seating` app."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
