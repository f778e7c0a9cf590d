"""The platform API."""

from __future__ import annotations

from config import env
from config.settings.site import SLIPWAY_URL

API_REQUESTS_PER_MINUTE = env.integer("API_REQUESTS_PER_MINUTE", 600, least=1, most=1_000_000)  # of a token or person
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "oauth.authentication.ApiTokenAuthentication",  # the first, so that a refusal is its challenge
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated", "oauth.authentication.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["common.api.throttling.RequestThrottle"],
    "DEFAULT_PARSER_CLASSES": ["common.api.bodies.PlainJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "common.api.problems.exception_handler",
    "URL_FORMAT_OVERRIDE": None,  # no ?format=
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Slipway",
    "VERSION": "0.1.0",
    "DESCRIPTION": "Host MCP servers, change them, and see how they are used.",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api",
    "SERVERS": [{"url": SLIPWAY_URL}],
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": False,
    "ENUM_NAME_OVERRIDES": {
        "DeploymentState": "hosting.states.State",
        "VersionState": "hosting.api.serializers.versions.STATES",
        "TaskState": "hosting.api.serializers.tasks.STATES",
        "TaskFilter": "hosting.api.serializers.tasks.FILTERS",
    },
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATION_PARAMETERS": False,
}
