from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [
        ('hosting', '0032_tasks_of_a_deployment_by_time'),
    ]

    operations = [
        migrations.AlterField(
            model_name='elicitation',
            name='state',
            field=models.CharField(choices=[('open', 'Open'), ('done', 'Done'), ('declined', 'Declined'), ('cancelled', 'Cancelled'), ('expired', 'Expired')], default='open', max_length=10),
        ),
        migrations.RemoveConstraint(
            model_name='elicitation',
            name='elicitation_state_known',
        ),
        migrations.AddConstraint(
            model_name='elicitation',
            constraint=models.CheckConstraint(condition=Q(state__in=['open', 'done', 'declined', 'cancelled', 'expired']), name='elicitation_state_known'),
        ),
    ]
