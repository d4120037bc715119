"""The folder to publish: what is where, and that the page can reach nothing."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from certificates.signing import ISSUER, make_signing
from nbcertify.errors import CertificateError
from nbcertify.site import write_site
from nbjudge.files import read_files


@pytest.fixture(scope="module")
def signing(tmp_path_factory):
    return make_signing(tmp_path_factory.mktemp("home") / "keys")


@pytest.fixture
def site(signing, tmp_path):
    write_site(tmp_path / "site", ISSUER, signing.public, signing.status_list)
    return tmp_path / "site"


class Page(HTMLParser):
    """Tags with attributes, and the text in each script and style."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.inside = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] in ("script", "style") and data.strip():
            self.inside.append((*self.tags[-1], data))


def page_of(site) -> Page:
    return Page((site / "verify" / "index.html").read_text())


def test_all_public_keys_are_where_did_web_looks_for_them(site, signing):
    document = json.loads((site / ".well-known" / "did.json").read_text())
    assert document["id"] == ISSUER.did
    ids = [f"{ISSUER.did}#{key.kid}" for key in (signing.key, signing.old)]
    assert [method["id"] for method in document["verificationMethod"]] == ids
    assert document["assertionMethod"] == ids
    assert '"d"' not in json.dumps(document)


def test_a_did_in_a_folder_has_its_keys_in_the_folder(signing, tmp_path):
    issuer = replace(ISSUER, did="did:web:example.org:a", site="https://example.org/a/")
    write_site(tmp_path, issuer, signing.public, signing.status_list)
    assert json.loads((tmp_path / "did.json").read_text())["id"] == issuer.did
    assert not (tmp_path / ".well-known").exists()


def test_the_status_list_is_where_credentials_say_it_is(site, signing):
    assert (site / "status" / "1.jwt").read_text() == signing.status_list


def test_the_same_arguments_give_the_same_bytes(site, signing):
    before = read_files(site)
    (site / "CNAME").write_text("certificates.example.org")
    write_site(site, ISSUER, signing.public, signing.status_list)
    assert read_files(site) == before | {"CNAME": b"certificates.example.org"}
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in site.rglob("*.*") if path.is_file())


def test_without_a_key_nothing_is_published(signing, tmp_path):
    with pytest.raises(CertificateError, match="dlcourse keys new"):
        write_site(tmp_path / "site", ISSUER, (), signing.status_list)
    assert not (tmp_path / "site").exists()


def test_the_page_loads_nothing(site):
    tags = page_of(site).tags
    assert not {"img", "iframe", "object", "embed", "base", "a", "video"} & {tag for tag, _ in tags}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    loaded = [
        attributes.get(name)
        for _, attributes in tags
        for name in ("src", "href", "action", "style", "srcset")
        if name in attributes
    ]
    assert all(what.startswith("#") or what == "data:," for what in loaded)


def test_the_policy_allows_the_page_its_own_script_and_style_only(site):
    page = page_of(site)
    (policy,) = [
        attributes["content"]
        for _, attributes in page.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("default-src") == rules.pop("base-uri") == rules.pop("form-action") == "'none'"
    assert rules.pop("img-src") == "data:"
    for tag, attributes, text in page.inside:
        if attributes.get("type") == "application/json":
            continue
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules.pop(f"{tag}-src") == f"'sha256-{digest}'"
    # The page's own text, in a thread of its own; what it may reach is what the page may.
    assert rules == {"worker-src": "blob:"}


def test_a_name_cannot_break_out_of_the_page(signing, tmp_path):
    name = """</script><script>alert("&")</script><!-- '"""
    write_site(tmp_path, replace(ISSUER, name=name), signing.public, signing.status_list)
    page = page_of(tmp_path)
    assert [tag for tag, _ in page.tags].count("script") == 2
    (data,) = [text for _, a, text in page.inside if a.get("type") == "application/json"]
    assert json.loads(data)["name"] == name


def test_no_script_puts_html_into_the_page(site):
    text = (site / "verify" / "index.html").read_text()
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|fetch\(|XMLHttp|import\("
    )
    assert not re.search(forbidden, text)
