"""The addresses of the endpoints of this app; `urls` is about addresses in answers."""

from django.urls import path

from .views import UsageView

urlpatterns = [path("usage", UsageView.as_view(), name="usage")]
