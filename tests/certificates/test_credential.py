"""The credential: what stands in it, and what must not."""

import statistics
import time
from datetime import timedelta

import pytest
from certificates.signing import CERTIFICATE, ISSUER, NOW, SALT, claims_of, header_of, make_signing
from nbcertify.credential import make_credential


@pytest.fixture(scope="module")
def signing(tmp_path_factory):
    return make_signing(tmp_path_factory.mktemp("home") / "keys")


def test_it_says_what_was_achieved(signing):
    claims = claims_of(signing.credential())
    subject = claims["credentialSubject"]
    achievement = subject["achievement"]
    assert claims["id"] == CERTIFICATE.id
    assert claims["name"] == CERTIFICATE.title
    assert claims["issuer"]["id"] == claims["iss"] == ISSUER.did
    assert claims["issuer"]["name"] == ISSUER.name
    assert achievement["name"] == f"{ISSUER.course}: {CERTIFICATE.title}"
    assert achievement["achievementType"] == "Certificate"
    assert achievement["description"] == ISSUER.description
    assert achievement["criteria"]["narrative"] == " ".join(CERTIFICATE.statement)
    assert achievement["creditsAvailable"] == subject["creditsEarned"] == 1
    (result,) = subject["result"]
    (described,) = achievement["resultDescription"]
    assert result["value"] == "28"
    assert result["resultDescription"] == described["id"]
    assert subject["activityStartDate"] == "2026-03-02T00:00:00Z"
    assert subject["activityEndDate"] == "2026-03-06T00:00:00Z"


def test_it_says_from_when_to_when(signing):
    claims = claims_of(signing.credential(expires=NOW + timedelta(days=1)))
    assert (claims["validFrom"], claims["nbf"]) == ("2026-03-09T12:00:00Z", NOW.timestamp())
    assert claims["validUntil"] == "2026-03-10T12:00:00Z"
    assert claims["exp"] == NOW.timestamp() + 86_400
    assert not {"validUntil", "exp"} & claims_of(signing.credential()).keys()


def test_it_says_where_its_status_is(signing):
    status = claims_of(signing.credential())["credentialStatus"]
    assert status == {
        "id": "https://certificates.example.org/status/1.jwt#4711",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "4711",
        "statusListCredential": "https://certificates.example.org/status/1.jwt",
    }


def test_the_header_names_the_key_by_did_and_thumbprint(signing):
    kid = f"{ISSUER.did}#{signing.key.kid}"
    assert header_of(signing.credential()) == {"alg": "ES256", "kid": kid, "typ": "JWT"}


def test_neither_name_nor_address_can_be_read(signing):
    readable = str(claims_of(signing.credential())).lower()
    assert not [word for word in ("ada", "lovelace", "mailto") if word in readable]


def test_the_same_person_has_other_hashes_with_another_salt(signing):
    def hashes(salt):
        claims = claims_of(make_credential(CERTIFICATE, ISSUER, signing.key, salt))
        return {one["identityHash"] for one in claims["credentialSubject"]["identifier"]}

    assert len(hashes("a") | hashes("b")) == 4
    with pytest.raises(ValueError, match="unsalted"):
        hashes("")


def test_the_same_arguments_give_the_same_bytes(signing):
    assert signing.credential() == signing.credential()
    assert make_credential(CERTIFICATE, ISSUER, signing.key, SALT) == signing.credential()


def test_all_who_achieved_the_same_have_the_same_achievement(signing):
    def achievement(**changes):
        return claims_of(signing.credential(**changes))["credentialSubject"]["achievement"]["id"]

    assert achievement(name="Bob", id="urn:uuid:" + "0" * 8) == achievement()
    assert achievement(tier="attendance") != achievement()


def test_a_fraction_of_a_credit_is_short(signing):
    claims = claims_of(signing.credential(hours=20.0, ec=20 / 28))
    assert claims["credentialSubject"]["creditsEarned"] == 0.71


def test_it_takes_less_than_20_ms(signing):
    times = []
    for index in range(20):
        start = time.process_time()
        signing.credential(status_index=index)
        times.append(time.process_time() - start)
    assert statistics.median(times) < 0.02
