"""Container images and bundles."""

from __future__ import annotations

from typing import Any

import pytest

from registry.ownership import oci_reference
from registry.ownership.errors import OwnershipUnknown, OwnershipUnproven
from registry.ownership.oci import LABEL
from tests.registry.fakes.images import AMD64, FakeImages
from tests.registry.fakes.peers import Peers
from tests.registry.fakes.web import Request, Response
from tests.registry.ownership.conftest import SERVER, check

NAMED = {LABEL: SERVER, "other": "label"}
SHA = "0" * 64


def host(images: FakeImages) -> str:
    return images.url.removeprefix("https://")


@pytest.mark.parametrize("is_open", [True, False])
def test_label_names_the_server(images: FakeImages, is_open: bool) -> None:
    images.is_open = is_open
    digest = images.put("example/weather", "1.0.0", NAMED)
    for reference in (":1.0.0", f"@{digest}", f":1.0.0@{digest}"):
        check("oci", f"{host(images)}/example/weather{reference}")


def test_image_for_many_machines(images: FakeImages) -> None:
    arm = images.put("example/weather", "arm", {LABEL: "org.example/other"}, architecture="arm64")
    amd = images.put("example/weather", "amd", NAMED)
    attestation = images.put("example/weather", "attested", None)
    unknown = {"architecture": "unknown", "os": "unknown"}
    images.put_index(
        "example/weather", "1", (attestation, unknown), (arm, {"architecture": "arm64", "os": "linux"}), (amd, AMD64)
    )
    check("oci", f"{host(images)}/example/weather:1")
    images.put_index("example/weather", "2", (attestation, unknown), (amd, {"architecture": "s390x", "os": "linux"}))
    check("oci", f"{host(images)}/example/weather:2")
    images.put_index("example/weather", "3", (attestation, unknown))
    with pytest.raises(OwnershipUnproven, match="lists no image"):
        check("oci", f"{host(images)}/example/weather:3")


@pytest.mark.parametrize("labels", [None, {}, {"other": SERVER}])
def test_image_without_label_is_told_what_to_add(images: FakeImages, labels: dict[str, str] | None) -> None:
    images.put("example/weather", "1", labels)
    with pytest.raises(OwnershipUnproven, match=f'LABEL {LABEL}="{SERVER}"'):
        check("oci", f"{host(images)}/example/weather:1")


@pytest.mark.parametrize("name", ["org.example/weather-evil", "Org.Example/weather", ""])
def test_image_of_another_server_is_refused(images: FakeImages, name: str) -> None:
    images.put("example/weather", "1", {LABEL: name})
    with pytest.raises(OwnershipUnproven, match="belongs to"):
        check("oci", f"{host(images)}/example/weather:1")


def test_private_image_and_missing_one(images: FakeImages) -> None:
    images.put("example/weather", "1", NAMED)
    with pytest.raises(OwnershipUnproven, match="There is no oci package"):
        check("oci", f"{host(images)}/example/weather:2")
    images.private.add("example/weather")
    with pytest.raises(OwnershipUnproven, match="only public images"):
        check("oci", f"{host(images)}/example/weather:1")


def test_registry_that_is_asked_too_often_is_no_verdict(images: FakeImages) -> None:
    """It was skipped once, which let anybody name any image: publishing has to be tried again."""
    images.put("example/weather", "1", {LABEL: "org.example/other"})
    images.status, images.retry_after = 429, "90"
    with pytest.raises(OwnershipUnknown, match="asked too often") as raised:
        check("oci", f"{host(images)}/example/weather:1")
    assert (raised.value.status, raised.value.retry_after) == (503, 90)


def test_what_has_another_digest_is_refused(images: FakeImages) -> None:
    """A mirror can't say something else about an image than it is."""
    digest = images.put("example/weather", "1", {LABEL: "org.example/other"})
    other = images.put("example/weather", "2", NAMED)
    kind, body = images.manifests["example/weather", other]
    images.manifests["example/weather", digest] = (kind, body)
    with pytest.raises(OwnershipUnproven, match="another digest"):
        check("oci", f"{host(images)}/example/weather@{digest}")
    for each in images.blobs:
        images.blobs[each] = b'{"config": {"Labels": {"%s": "%s"}}}' % (LABEL.encode(), SERVER.encode())
    with pytest.raises(OwnershipUnproven, match="another digest"):
        check("oci", f"{host(images)}/example/weather:1")


@pytest.mark.parametrize(
    "realm", ["http://images.test/token", "https://169.254.169.254/token", "https://127.0.0.2:6379/x", "file:///x", ""]
)
def test_token_is_not_fetched_from_anywhere(peers: Peers, settings: Any, realm: str) -> None:
    """Threat 34, SSRF: where its token comes from is what a registry says."""
    challenge = {"WWW-Authenticate": f'Bearer realm="{realm}",service="x"'}
    url, server = peers.serve("images.test", lambda _: Response(401, b"", challenge))
    settings.REGISTRY_OCI_HOSTS = [url.removeprefix("https://")]
    with pytest.raises((OwnershipUnproven, OwnershipUnknown)):
        check("oci", f"{settings.REGISTRY_OCI_HOSTS[0]}/example/weather:1")
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("mallory.test/a/b:1", "can't be checked"),
        ("ghcr.io.mallory.test/a/b:1", "can't be checked"),
        ("127.0.0.1:5000/a/b:1", "can't be checked"),
        ("localhost/a/b:1", "can't be checked"),
        ("example/weather:1", "can't be checked"),
    ],
)
def test_registry_that_the_operator_does_not_list(
    images: FakeImages, peers: Peers, identifier: str, words: str
) -> None:
    with pytest.raises(OwnershipUnproven, match=words):
        check("oci", identifier)
    assert not peers.dns.asked


@pytest.mark.parametrize("member", ["version", "registryBaseUrl", "fileSha256"])
def test_image_has_nothing_but_its_reference(images: FakeImages, member: str) -> None:
    with pytest.raises(OwnershipUnproven, match=member):
        check("oci", f"{host(images)}/example/weather:1", **{member: SHA})


@pytest.mark.parametrize(
    ("text", "api", "wanted"),
    [
        ("weather:1", "https://registry-1.docker.io/v2/library/weather", "1"),
        ("example/weather:1", "https://registry-1.docker.io/v2/example/weather", "1"),
        ("index.docker.io/example/weather:1", "https://registry-1.docker.io/v2/example/weather", "1"),
        ("ghcr.io/Example/weather:1", None, None),
        ("GHCR.io/example/a/b:v1.0", "https://ghcr.io/v2/example/a/b", "v1.0"),
        (f"quay.io/a/b:1@sha256:{SHA}", "https://quay.io/v2/a/b", f"sha256:{SHA}"),
        ("host.test:5000/a/b:1", "https://host.test:5000/v2/a/b", "1"),
        ("ghcr.io/a/b", None, None), ("ghcr.io/a/b:", None, None), ("ghcr.io/a/b@sha256:1", None, None),
        ("ghcr.io/a/../b:1", None, None), ("ghcr.io/a//b:1", None, None), ("ghcr.io/a/b:1/c", None, None),
        ("ghcr.io/a/b?x:1", None, None), ("user@ghcr.io/a/b:1", None, None), ("", None, None),
        ("ghcr.io/a/b:1@", None, None), ("ghcr.io/" + "a" * 300 + ":1", None, None),
    ],
)  # fmt: skip
def test_references(text: str, api: str | None, wanted: str | None) -> None:
    if api is None:
        with pytest.raises(OwnershipUnproven, match="no reference of an image"):
            oci_reference.parse(text)
    else:
        found = oci_reference.parse(text)
        assert (found.api, found.wanted) == (api, wanted)


# --- bundles


@pytest.fixture
def releases(peers: Peers, settings: Any) -> str:
    """Two files of a release; the first lies elsewhere, as GitHub's do."""
    storage, _ = peers.serve("storage.test", lambda request: Response(200, b"bundle"))

    def answer(request: Request) -> Response:
        if request.path.endswith("/mcp.mcpb"):
            return Response(302, b"", {"Location": f"{storage}/file"})
        return Response(200 if request.path.endswith("/mcp2.mcpb") else 404, b"")

    url, _ = peers.serve("github.test", answer)
    settings.REGISTRY_GITHUB_HOSTS = settings.REGISTRY_GITLAB_HOSTS = [url.removeprefix("https://")]
    return url


@pytest.mark.parametrize(
    "path",
    [
        "example/weather/releases/download/v1/mcp.mcpb", "example/weather/releases/download/v1.0/mcp2.mcpb",
        "group/sub/weather/-/releases/v1/downloads/mcp.mcpb", "api/v4/projects/1/packages/generic/a/1/mcp.mcpb",
    ],
)  # fmt: skip
def test_bundle_can_be_downloaded(releases: str, path: str) -> None:
    check("mcpb", f"{releases}/{path}", fileSha256=SHA)


@pytest.mark.parametrize(
    "path",
    ["example/weather/raw/main/mcp.mcpb", "mcp.mcpb", "a/b/releases/download/v1/c/../mcp.mcpb", "a/b/archive/mcp"],
)
def test_bundle_must_be_a_release_s(releases: str, peers: Peers, path: str) -> None:
    with pytest.raises(OwnershipUnproven, match="file of a release"):
        check("mcpb", f"{releases}/{path}", fileSha256=SHA)
    assert not peers.dns.asked


@pytest.mark.parametrize(
    "url",
    [
        "https://mallory.test/a/b/releases/download/v1/mcp", "http://github.com/a/b/releases/download/v1/mcp",
        "https://github.com@mallory.test/a/b/releases/download/v1/mcp", "https://169.254.169.254/mcp", "mcp", "",
        "https://github.com.mallory.test/a/b/releases/download/v1/mcp",
    ],
)  # fmt: skip
def test_bundle_elsewhere_is_never_asked_for(peers: Peers, url: str) -> None:
    """Threat 34, SSRF."""
    with pytest.raises(OwnershipUnproven, match=r"packages\[0\].identifier"):
        check("mcpb", url, fileSha256=SHA)
    assert not peers.dns.asked


def test_bundle_that_is_not_there_or_incomplete(releases: str) -> None:
    path = f"{releases}/example/weather/releases/download/v1"
    with pytest.raises(OwnershipUnproven, match="can't be downloaded \\(status 404\\)"):
        check("mcpb", f"{path}/mcp-missing", fileSha256=SHA)
    with pytest.raises(OwnershipUnproven, match="SHA-256"):
        check("mcpb", f"{path}/mcp2.mcpb")
    with pytest.raises(OwnershipUnproven, match="has “mcp” in it"):
        check("mcpb", f"{path}/bundle.zip".replace("mcp", ""), fileSha256=SHA)
