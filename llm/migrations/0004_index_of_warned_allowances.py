"""Users near a limit are looked up by whoever opens the dashboard, without a look at all the others."""

from django.db import migrations, models

from documents.live_migrations import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("llm", "0003_sums_of_the_ledger")]

    operations = [
        AddIndexLive(
            model_name="allowance",
            index=models.Index(
                condition=models.Q(("warned", ""), _negated=True), fields=["day"], name="allowances_warned"
            ),
        ),
    ]
