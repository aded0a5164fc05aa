from django.urls import path
from rest_framework.routers import SimpleRouter

from .views import ApiKeyViewSet, MeViewSet, TokenViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("token", TokenViewSet, basename="token")
router.register("keys", ApiKeyViewSet)

urlpatterns = [*router.urls, path("me", MeViewSet.as_view({"get": "retrieve"}), name="me")]
