"""Where keys are, who may look at them, and what happens when they are replaced or damaged."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from certificates.signing import NOW
from jwt.algorithms import ECAlgorithm
from nbcertify.errors import CertificateError
from nbcertify.keys import keys_folder, make_key, public_keys, signing_key, thumbprint
from openvc.keys import jwk_thumbprint


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "config" / "keys"


def one(folder: Path, ending: str) -> Path:
    (path,) = folder.glob(f"*{ending}")
    return path


def test_a_made_key_signs_and_its_public_half_verifies(folder):
    made = make_key(folder, NOW)
    assert signing_key(folder).kid == made.kid
    assert public_keys(folder) == (made.public,)
    assert "d" not in made.public


def test_only_the_owner_may_look(folder):
    make_key(folder, NOW)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_the_key_id_is_the_thumbprint_of_rfc_7638():
    # The example of RFC 7638 is of an RSA key; another library knows those of curves.
    jwk = {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
           "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "use": "sig"}  # fmt: skip
    assert thumbprint(jwk) == jwk_thumbprint(jwk)


def test_a_new_key_signs_from_then_on_and_the_old_one_stays_public(folder):
    old = make_key(folder, NOW)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    new = make_key(folder, NOW + timedelta(days=1))
    assert signing_key(folder).kid == new.kid
    assert public_keys(folder) == (new.public, old.public)
    assert all(path.read_bytes() == data for path, data in before.items())


def test_a_deleted_private_half_leaves_its_public_half(folder):
    old = make_key(folder, NOW)
    one(folder, ".pem").unlink()
    assert public_keys(folder) == (old.public,)
    with pytest.raises(CertificateError, match="dlcourse keys new"):
        signing_key(folder)


def test_a_key_older_than_the_newest_is_refused(folder):
    make_key(folder, NOW)
    with pytest.raises(CertificateError, match="clock"):
        make_key(folder, NOW - timedelta(days=1))
    with pytest.raises(CertificateError, match="this very second"):
        make_key(folder, NOW)
    assert len(list(folder.iterdir())) == 2


def test_without_a_folder_the_command_is_said(folder):
    for use in (signing_key, public_keys):
        with pytest.raises(CertificateError, match="dlcourse keys new"):
            use(folder)


@pytest.mark.parametrize("mark", ["folder", "file"])
def test_a_folder_in_a_git_work_tree_is_refused(tmp_path, mark):
    git = tmp_path / "work" / ".git"
    git.mkdir(parents=True) if mark == "folder" else (git.parent.mkdir(), git.write_text("x"))
    inside = tmp_path / "work" / "deep" / "keys"
    link = tmp_path / "link"
    link.symlink_to(inside)
    for folder in (inside, link):
        with pytest.raises(CertificateError, match="git repository .*DLCOURSE_KEYS"):
            inside.mkdir(parents=True, exist_ok=True)
            make_key(folder, NOW)
    assert not list(inside.iterdir())


@pytest.mark.parametrize("ending", [".pem", ".jwk", None])
def test_what_others_can_read_is_refused_with_the_command_that_mends_it(folder, ending):
    make_key(folder, NOW)
    path = folder if ending is None else one(folder, ending)
    path.chmod(0o750 if ending is None else 0o640)
    with pytest.raises(CertificateError, match=f"chmod {'700' if ending is None else '600'} '"):
        signing_key(folder)


@pytest.mark.parametrize("damage", [b"", b"-----BEGIN PRIVATE KEY-----\nx\n", "half", "other"])
def test_a_damaged_private_key_is_refused(folder, tmp_path, damage):
    make_key(folder, NOW)
    path = one(folder, ".pem")
    if damage == "half":
        damage = path.read_bytes()[:100]
    elif damage == "other":
        make_key(tmp_path / "other", NOW)
        damage = one(tmp_path / "other", ".pem").read_bytes()
    path.write_bytes(damage)
    with pytest.raises(CertificateError, match="damaged.*backup"):
        signing_key(folder)


@pytest.mark.parametrize(
    "damage",
    ["", "[" * 100_000, "[]", "{}", '{"kty":"EC"}', "other", "posing", "private", "renamed"],
)
def test_a_damaged_public_key_is_refused(folder, tmp_path, damage):
    key = make_key(folder, NOW)
    path = one(folder, ".jwk")
    if damage == "other":
        damage = json.dumps({**key.public, "kid": "A" * 43})
    elif damage == "posing":
        damage = json.dumps({**make_key(tmp_path / "other", NOW).public, "kid": key.kid})
    elif damage == "private":
        damage = json.dumps({**ECAlgorithm.to_jwk(key.private, as_dict=True), "kid": key.kid})
    if damage == "renamed":
        path.rename(folder / "20260101T000000Z-other.jwk")
    else:
        path.write_text(damage)
    with pytest.raises(CertificateError, match="damaged"):
        public_keys(folder)


def test_a_private_key_without_its_public_half_does_not_sign(folder):
    make_key(folder, NOW)
    one(folder, ".jwk").unlink()
    with pytest.raises(CertificateError, match="damaged"):
        signing_key(folder)


def test_the_private_half_is_never_shown(folder):
    key = make_key(folder, NOW)
    secret = ECAlgorithm.to_jwk(key.private, as_dict=True)["d"]
    assert secret not in repr(key) + str(key.public)
    assert "private" not in repr(key).lower()


def test_the_environment_says_where_keys_are(monkeypatch):
    monkeypatch.setenv("DLCOURSE_KEYS", "/somewhere/else")
    assert keys_folder() == Path("/somewhere/else")
    monkeypatch.delenv("DLCOURSE_KEYS")
    monkeypatch.setenv("HOME", "/home/ada")
    assert keys_folder() == Path("/home/ada/.config/dlcourse/keys")


def test_the_time_of_a_key_is_in_utc_wherever_it_was_made(folder):
    early = datetime(2026, 3, 9, 13, 30, tzinfo=UTC).astimezone()
    make_key(folder, early)
    assert one(folder, ".pem").name.startswith("20260309T133000Z-")
