from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Makes the commands in config/management known, and Celery's application current in every process."""

    name = "config"
    label = "project"
    verbose_name = "Slipway"

    def ready(self) -> None:
        import config.celery  # noqa: F401 - so that .delay() finds our broker
