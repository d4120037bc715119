"""The status list: which indices are set, and how new ones are drawn."""

from datetime import timedelta

import pytest
from certificates.signing import ISSUER, NOW, claims_of, make_signing
from hypothesis import given
from hypothesis import strategies as st
from nbcertify.errors import CertificateError
from nbcertify.status import SIZE, free_index, list_address, make_status_list
from openvc.status.bitstring import decode_bitstring, get_status_bit

INDICES = st.sets(st.integers(0, SIZE - 1), max_size=20)


@pytest.fixture(scope="module")
def signing(tmp_path_factory):
    return make_signing(tmp_path_factory.mktemp("home") / "keys")


@given(INDICES)
def test_exactly_the_revoked_are_set(signing, revoked):
    claims = claims_of(make_status_list(revoked, ISSUER, signing.key, NOW))
    bits = decode_bitstring(claims["credentialSubject"]["encodedList"])
    assert len(bits) * 8 == SIZE == 131_072
    assert all(get_status_bit(bits, index) for index in revoked)
    assert sum(byte.bit_count() for byte in bits) == len(revoked)


def test_it_says_whose_it_is_where_it_is_and_of_when(signing):
    claims = claims_of(make_status_list([], ISSUER, signing.key, NOW))
    assert claims["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    assert claims["issuer"] == claims["iss"] == ISSUER.did
    assert claims["id"] == list_address(ISSUER) == "https://certificates.example.org/status/1.jwt"
    assert claims["validFrom"] == "2026-03-09T12:00:00Z"
    assert claims["credentialSubject"]["statusPurpose"] == "revocation"


def test_the_same_list_has_the_same_bytes(signing, monkeypatch):
    first = make_status_list({5, 3}, ISSUER, signing.key, NOW)
    monkeypatch.setattr("time.time", lambda: 1.0)  # gzip would write it down
    assert make_status_list([3, 5, 3], ISSUER, signing.key, NOW) == first
    assert make_status_list({3}, ISSUER, signing.key, NOW) != first
    assert make_status_list({5, 3}, ISSUER, signing.key, NOW + timedelta(seconds=1)) != first


@pytest.mark.parametrize("index", [-1, SIZE, 10**30])
def test_an_index_outside_is_refused(signing, index):
    with pytest.raises(CertificateError, match="outside the status list"):
        make_status_list({1, index}, ISSUER, signing.key, NOW)


@given(INDICES, st.integers(0, SIZE - 21))
def test_a_drawn_index_is_free(used, drawn):
    index = free_index(used, lambda n: drawn)
    assert index not in used
    assert 0 <= index < SIZE


def test_every_free_index_can_be_drawn_each_by_one_number():
    free = [0, 7, 4_000, SIZE - 1]
    used = set(range(SIZE)) - set(free)
    asked = []
    drawn = [free_index(used, lambda n, k=k: asked.append(n) or k) for k in range(4)]
    assert drawn == free
    assert set(asked) == {4}


def test_a_full_list_is_told():
    with pytest.raises(CertificateError, match="All 131072 places"):
        free_index(range(SIZE), lambda n: 0)
