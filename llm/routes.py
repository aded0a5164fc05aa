"""The addresses of the endpoints of this app; `urls` is about addresses in answers."""

from django.urls import path

from .views import ModelsView, UsageView

urlpatterns = [
    path("models", ModelsView.as_view(), name="models"),
    path("usage", UsageView.as_view(), name="usage"),
]
