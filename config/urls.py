"""Every address of the site, app by app."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.static import serve

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("inventory.urls")),
    path("", include("seating.urls")),
    path("", include("events.urls")),
]

if settings.DEBUG or settings.EMBEDDED:
    urlpatterns.append(re_path(r"^media/(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT}))
