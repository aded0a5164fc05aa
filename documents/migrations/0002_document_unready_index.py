"""What is waiting to be read is counted for every scrape of the metrics, without a look at what is ready."""

from django.db import migrations, models

from documents.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("documents", "0001_initial")]

    operations = [
        AddIndexLive(
            model_name="document",
            index=models.Index(
                condition=models.Q(("status__in", ["pending", "processing", "failed"])),
                fields=["status", "updated_at"],
                name="documents_unready",
            ),
        ),
    ]
