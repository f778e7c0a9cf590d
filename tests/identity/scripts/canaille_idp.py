"""canaille as an organization's identity provider, over TLS; run by tests in an environment of its own.

It knows how to sign people in. Issuing ID-JAGs (SEP-990) is one more grant of its own server, with its own key.
Argument: what `tests.identity.idps.Settings` says, as JSON. Prints its issuer; ends when its standard input does.
"""

from __future__ import annotations

import datetime
import json
import ssl
import sys
import threading
import uuid
from typing import Any

import portpicker
from authlib.oauth2.drafts.id_jag import IDJAGGrant
from authlib.oauth2.rfc6749 import BaseGrant, InvalidGrantError, InvalidRequestError, TokenEndpointMixin
from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from canaille.oidc.jose import server_jwks
from canaille.oidc.provider import authorization, get_issuer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry
from werkzeug.serving import WSGIRequestHandler, make_server

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
TOKEN_TYPE = "urn:ietf:params:oauth:token-type:"
SETTINGS: dict[str, Any] = json.loads(sys.argv[1])


class Exchange(BaseGrant, TokenEndpointMixin):
    """RFC 8693 for ID-JAGs: somebody's ID token for a word to another site, where the organization lets them in."""

    GRANT_TYPE = EXCHANGE
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    def validate_token_request(self) -> None:
        client = self.authenticate_token_endpoint_client()
        form = self.request.form
        if form.get("requested_token_type") != f"{TOKEN_TYPE}id-jag" or "subject_token" not in form:
            raise InvalidRequestError()
        try:
            said = jwt.decode(form["subject_token"], server_jwks(), algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            raise InvalidGrantError("That is no ID token of this provider.") from None
        if said["iss"] != get_issuer() or client.client_id not in said["aud"]:
            raise InvalidGrantError("The ID token is for somebody else.")
        if said["sub"] not in SETTINGS["admitted"] or form.get("audience") != SETTINGS["site"]:
            raise InvalidGrantError("The organization does not let this person in there.")
        self.said, self.resource = said, form.get("resource")
        self.request.client, self.request.user = client, Backend.instance.get(models.User, user_name=said["sub"])

    def create_token_response(self) -> tuple[int, dict[str, Any], Any]:
        now = datetime.datetime.now(datetime.UTC)
        key = server_jwks(include_inactive=False).keys[0]
        word = IDJAGGrant.sign(
            key,
            get_issuer(),
            SETTINGS["site"],
            self.said["sub"],
            SETTINGS["client_there"],
            issued_at=now,
            expires_at=now + datetime.timedelta(minutes=5),
            claims={"resource": self.resource, "scope": "mcp:read mcp:call"},
            alg="RS256",
            header={"alg": "RS256", "kid": key.kid},
        )
        answer: dict[str, Any] = {"issued_token_type": f"{TOKEN_TYPE}id-jag", "access_token": word, "token_type": "N_A"}
        answer |= {"expires_in": 300}
        self.save_token(answer)  # its own view looks for it
        return 200, answer, self.TOKEN_RESPONSE_HEADER


def configuration(port: int) -> dict[str, Any]:
    key = JWKRegistry.generate_key("RSA", 2048)
    key.ensure_kid()
    return {
        "TESTING": True,
        "ENV_FILE": None,
        "SECRET_KEY": uuid.uuid4().hex,
        "WTF_CSRF_ENABLED": False,
        "PREFERRED_URL_SCHEME": "https",
        "SERVER_NAME": f"localhost:{port}",
        "CANAILLE": {
            "DATABASE": "memory",
            "JAVASCRIPT": False,
            "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}},
            "LOGGING": {"version": 1, "disable_existing_loggers": False},
        },
        # PKCE does what a nonce would: django-allauth sends none.
        "CANAILLE_OIDC": {"ACTIVE_JWKS": [key.as_dict(private=True)], "REQUIRE_NONCE": False},
    }


def fill() -> None:
    """Its people, and the two programs that send them here."""
    for name, password in SETTINGS["people"].items():
        person = models.User(
            user_name=name,
            given_name=name.title(),
            family_name="Example",
            formatted_name=f"{name.title()} Example",
            emails=[f"{name}@acme.example"],
            password=password,
        )
        Backend.instance.save(person)
    for client_id, (secret, redirect_uri, method) in SETTINGS["clients"].items():
        client = models.Client(
            client_id=client_id,
            client_secret=secret,
            client_name=client_id,
            redirect_uris=[redirect_uri],
            grant_types=["authorization_code", EXCHANGE],
            response_types=["code"],
            scope=["openid", "profile", "email"],
            token_endpoint_auth_method=method,
            id_token_signed_response_alg="RS256",
            client_id_issued_at=datetime.datetime.now(datetime.UTC),
        )
        Backend.instance.save(client)
        client.audience = [client]  # otherwise its ID tokens are for nobody
        Backend.instance.save(client)


class Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        pass


def main() -> None:
    port = portpicker.pick_unused_port()
    app = create_app(config=configuration(port))
    with app.app_context():
        authorization.register_grant(Exchange)
        fill()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(SETTINGS["pem"])
    server = make_server("localhost", port, app, threaded=True, request_handler=Quiet, ssl_context=context)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"https://localhost:{port}", flush=True)
    sys.stdin.read()


main()
