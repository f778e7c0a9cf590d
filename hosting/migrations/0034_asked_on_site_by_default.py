from django.db import migrations, models


def ask(apps, schema_editor):
    """Nobody has had to say so before, so nobody's choice is lost."""
    apps.get_model('hosting', 'Deployment').objects.update(asks_on_site=True)


class Migration(migrations.Migration):

    dependencies = [
        ('hosting', '0033_elicitation_cancelled'),
    ]

    operations = [
        migrations.AlterField(
            model_name='deployment',
            name='asks_on_site',
            field=models.BooleanField(default=True, help_text="what a caller's client can't show is asked on the page of a task"),
        ),
        migrations.RunPython(ask, migrations.RunPython.noop, elidable=True),
    ]
