"""Data folders of a deployment: listed, downloaded, deleted."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.paging import PageQuery, paged
from common.api.views import operation
from hosting.api.serializers.data import DataFolderSerializer
from hosting.api.views.deployment import DeploymentView, actor_of, in_deployment, query_of
from hosting.listing import data_page
from hosting.store import data_folders
from hosting.views.data import file_headers

TAG = "Data"
DataFolderPage = paged(DataFolderSerializer)


class _Zip(JSONRenderer):
    """For clients that ask for a zip. It is streamed past this; what is rendered here is a problem."""

    media_type = "application/zip"
    format = "zip"


@in_deployment()
class DataFoldersView(DeploymentView):
    @operation(
        "listDataFolders",
        "Its data folders",
        tag=TAG,
        query=PageQuery,
        response=DataFolderPage,
        problems=(404,),
        description="Managers see that those of callers exist, and how large they are; others see their own.",
    )
    def get(self, request: Request, owner: str, name: str) -> Response:
        page = data_page(actor_of(request), self.seen(request, owner, name), **query_of(request, PageQuery))
        return Response(DataFolderPage(page).data)


@in_deployment("key")
class DataFolderView(DeploymentView):
    renderer_classes = (JSONRenderer, _Zip)

    @operation(
        "downloadDataFolder",
        "A data folder as a zip",
        tag=TAG,
        media_type="application/zip",
        problems=(404,),
        description="For whom it belongs to; a shared one for managers.",
    )
    def get(self, request: Request, owner: str, name: str, key: str) -> Any:
        actor = actor_of(request)
        folder = data_folders.folder_get(actor, self.seen(request, owner, name), key)
        parts = data_folders.data_folder_zip(actor=actor, folder=folder)
        answer: HttpResponseBase = StreamingHttpResponse(parts, headers=file_headers(folder))
        return answer

    @operation(
        "deleteDataFolder",
        "Delete a data folder",
        tag=TAG,
        status=204,
        problems=(404,),
        description="For whom it belongs to, and for managers. The instance that uses it ends.",
    )
    def delete(self, request: Request, owner: str, name: str, key: str) -> Response:
        actor = actor_of(request)
        folder = data_folders.folder_get(actor, self.seen(request, owner, name), key)
        data_folders.data_folder_delete(actor=actor, folder=folder)
        return Response(status=status.HTTP_204_NO_CONTENT)
