from rest_framework.routers import SimpleRouter

from .views import ConversationViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("conversations", ConversationViewSet)

urlpatterns = router.urls
