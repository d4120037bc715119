"""The token of the QR code: what it says, and that it fits."""

import statistics
import time
from datetime import timedelta

import pytest
import segno
from certificates.signing import CERTIFICATE, ISSUER, NOW, claims_of, header_of, make_signing
from hypothesis import given
from hypothesis import strategies as st
from nbcertify.token import address, long_id, make_token


@pytest.fixture(scope="module")
def signing(tmp_path_factory):
    return make_signing(tmp_path_factory.mktemp("home") / "keys")


def test_it_says_what_is_on_the_paper(signing):
    claims = claims_of(signing.token(expires=NOW + timedelta(days=1)))
    assert long_id(claims.pop("jti")) == CERTIFICATE.id
    assert claims == {
        "iss": ISSUER.did,
        "iat": NOW.timestamp(),
        "exp": NOW.timestamp() + 86_400,
        "n": "Ada Lovelace",
        "t": CERTIFICATE.title,
        "c": ISSUER.course,
        "h": 28,
        "ec": 1,
        "d": "2026-03-02/2026-03-06",
        "i": 4711,
    }
    assert "exp" not in claims_of(signing.token())


def test_it_has_a_type_of_its_own(signing):
    assert header_of(signing.token())["typ"] != header_of(signing.credential())["typ"]


def test_its_address_has_it_behind_the_hash_where_no_server_sees_it(signing):
    token = signing.token()
    assert address(ISSUER, token) == f"https://certificates.example.org/verify/#{token}"


def test_the_same_arguments_give_the_same_bytes(signing):
    assert make_token(CERTIFICATE, ISSUER, signing.key) == signing.token()


@given(st.uuids())
def test_no_id_is_lost_by_making_it_short(signing, uuid):
    assert long_id(claims_of(signing.token(id=uuid.urn))["jti"]) == uuid.urn


# Versions of QR codes at error correction L and M. A camera of a phone reads version 18 on 3 cm
# and version 30 on 5 cm of paper.
@pytest.mark.parametrize(
    ("name", "characters", "low", "medium"),
    [
        ("Ada Lovelace", 540, 16, 18),
        ("Maximiliane von Wolkenstein-Rodenegg", 580, 16, 19),
        ("Ж" * 200, 1_060, 23, 26),
        ("龍" * 200, 1_330, 26, 30),
    ],
)
def test_the_qr_code_of_its_address_can_be_read_by_phones(signing, name, characters, low, medium):
    text = address(ISSUER, signing.token(name=name, expires=NOW + timedelta(days=3650)))
    assert len(text) <= characters
    assert segno.make_qr(text, error="L", boost_error=False).version <= low
    assert segno.make_qr(text, error="M", boost_error=False).version <= medium


def test_it_takes_less_than_20_ms(signing):
    times = []
    for index in range(20):
        start = time.process_time()
        signing.token(status_index=index)
        times.append(time.process_time() - start)
    assert statistics.median(times) < 0.02
