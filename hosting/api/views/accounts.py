"""Which settings of a server are accounts that each user connects."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from common.api.views import operation
from hosting.api.serializers.accounts import AccountsSerializer, accounts_shown
from hosting.api.views.deployment import DeploymentView, actor_of, in_deployment, parsed
from hosting.api.views.settings import TAG
from hosting.credentials.accounts import Chosen, accounts_set


@in_deployment()
class AccountsView(DeploymentView):
    @operation(
        "getAccounts", "What each user connects an account for", tag=TAG, response=AccountsSerializer, problems=(404,)
    )
    def get(self, request: Request, owner: str, name: str) -> Response:
        return self._shown(request, owner, name)

    @operation(
        "replaceAccounts",
        "Say what each user connects an account for",
        tag=TAG,
        request=AccountsSerializer,
        response=AccountsSerializer,
        problems=(404, 409),
        description="Exactly these afterwards. Providers are the operator's, or the server's own.",
        example={
            "accounts": [{"setting": "env:GITHUB_TOKEN", "provider": "github", "scopes": ["repo"]}],
            "each_signs_in": False,
        },
    )
    def put(self, request: Request, owner: str, name: str) -> Response:
        deployment = self.managed(request, owner, name)
        given = parsed(AccountsSerializer, request.data)
        chosen = {one["setting"]: Chosen(one["provider"], tuple(one["scopes"])) for one in given["accounts"]}
        is_own = given["each_signs_in"]
        accounts_set(actor=actor_of(request), deployment=deployment, chosen=chosen, is_own=is_own)
        return self._shown(request, owner, name)

    def _shown(self, request: Request, owner: str, name: str) -> Response:
        return Response(AccountsSerializer(accounts_shown(self.managed(request, owner, name))).data)
