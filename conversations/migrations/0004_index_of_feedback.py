"""Feedback is counted by day without a look at the messages that have none."""

from django.db import migrations, models

from documents.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("conversations", "0003_jobs")]

    operations = [
        AddIndexLive(
            model_name="message",
            index=models.Index(
                condition=models.Q(("feedback__isnull", False)), fields=["created_at"], name="messages_feedback"
            ),
        ),
    ]
