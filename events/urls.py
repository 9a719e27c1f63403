"""Addresses of the `events` app."""

from django.urls import path

from events import views

urlpatterns = [
    path("", views.listing, name="listing"),
    path("e/<slug:slug>/", views.event, name="event"),
    path("e/<slug:slug>/calendar.ics", views.calendar, name="event-calendar"),
    path("o/<slug:slug>/", views.organizer, name="organizer"),
    path("v/<slug:slug>/", views.venue, name="venue"),
    path("sitemap.xml", views.sitemap, name="sitemap"),
    path("robots.txt", views.robots_txt, name="robots"),
]
