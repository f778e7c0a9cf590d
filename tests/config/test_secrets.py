from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.exceptions import ImproperlyConfigured

from config.launch.home import SOCKET_PATH_BYTES, HomeError, folder_claim, home_prepare, run_folder, run_folder_remove
from config.secrets import secret_read, secrets_ensure


def test_secrets_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "secrets"
    secrets_ensure(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(before) == {"secret_key", "signing_key.pem", "registry_key.pem", "sealing_key", "vault_keys.json"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    secrets_ensure(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    key = load_pem_private_key(before["signing_key.pem"], None)
    assert isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1"
    assert isinstance(load_pem_private_key(before["registry_key.pem"], None), ed25519.Ed25519PrivateKey)
    assert len(base64.b64decode(before["sealing_key"])) == 32
    assert len(secret_read(folder, "secret_key")) >= 50


def test_processes_that_start_together_agree_on_the_secrets(tmp_path: Path) -> None:
    def start(_: int) -> str:
        secrets_ensure(tmp_path / "secrets")
        return secret_read(tmp_path / "secrets", "secret_key")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(start, range(16)))) == 1
    assert len(list((tmp_path / "secrets").iterdir())) == 5


@pytest.mark.parametrize(("name", "mode"), [("", 0o755), ("secret_key", 0o640), ("signing_key.pem", 0o604)])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, name: str, mode: int) -> None:
    folder = tmp_path / "secrets"
    secrets_ensure(folder)
    (folder / name).chmod(mode)
    with pytest.raises(ImproperlyConfigured, match="closed to others"):
        secrets_ensure(folder)


def test_sockets_have_room_however_deep_the_data_folder_lies(tmp_path: Path) -> None:
    assert run_folder(Path("/srv/slipway")) == Path("/srv/slipway/run")
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    assert len(bytes(run_folder(deep))) + len("/postgres/.s.PGSQL.5432.lock") < SOCKET_PATH_BYTES
    assert run_folder(deep) == run_folder(deep), "another shell must find the same place"
    assert run_folder(deep) != run_folder(deep.parent)


def test_the_data_folder_is_closed_to_others(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    home_prepare(home)
    assert {stat.S_IMODE(path.stat().st_mode) for path in [home, *home.iterdir()]} == {0o700}
    run_folder_remove(home)


def test_a_link_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(HomeError, match="is not a folder"):
        folder_claim(tmp_path / "link")
