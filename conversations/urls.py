from rest_framework.routers import SimpleRouter

from .message_views import MessageViewSet
from .views import ConversationViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("conversations", ConversationViewSet)
router.register("conversations/<int:conversation_id>/messages", MessageViewSet)

urlpatterns = router.urls
