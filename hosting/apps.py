from django.apps import AppConfig


class HostingConfig(AppConfig):
    name = "hosting"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from hosting.remotes import leaving  # noqa: F401  # it listens to accounts being deleted
        from hosting.tasks import ending  # noqa: F401  # so does this
