"""The page that verifies, in a real browser without a network."""

import io
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pikepdf
import pytest
from browser.chromium import CHROMIUM
from certificates.signing import (
    CERTIFICATE,
    ISSUER,
    NOW,
    REVOKED_INDEX,
    Signing,
    hostile,
    make_signing,
    with_claims,
)
from cryptography.hazmat.primitives.asymmetric import ec
from nbcertify.credential_files import credential_in
from nbcertify.issued import Issued
from nbcertify.keys import Key
from nbcertify.lookup import make_lookup
from nbcertify.pdf import make_pdf
from nbcertify.pdf_signing import pdf_signer
from nbcertify.site import More, write_site
from nbcertify.texts import ENGLISH
from nbcertify.token import address
from nbcertify.verification import Outcome
from playwright.sync_api import Page, expect
from pyhanko.pdf_utils.generic import pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None, reason="needs Chromium on PATH (Debian: apt-get install chromium)"
    ),
]

TODAY = datetime.now(UTC)
STRANGER = Key(ec.generate_private_key(ec.SECP256R1()))
VERDICTS = {
    Outcome.VALID: "Valid",
    Outcome.TAMPERED: "Not genuine",
    Outcome.REVOKED: "Revoked",
    Outcome.EXPIRED: "Expired",
    Outcome.UNKNOWN_ISSUER: "Unknown issuer",
    Outcome.UNREADABLE: "Cannot be read",
    Outcome.CHANGED: "Changed document",
}


@pytest.fixture(scope="module")
def signing(tmp_path_factory) -> Signing:
    return make_signing(tmp_path_factory.mktemp("home") / "keys")


@pytest.fixture(scope="module")
def file(signing, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    write_site(folder, ISSUER, signing.public, signing.status_list)
    return folder / "verify" / "index.html"


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """A page, with all that it asks for and all that goes wrong in it."""
    with browser.new_context(viewport={"width": 1000, "height": 900}) as context:
        page = context.new_page()
        page.requests, page.errors = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        yield page
        assert page.errors == []


def verdict(page: Page):
    return page.get_by_role("heading", level=1)


def open_with(page: Page, file: Path, text: str) -> None:
    page.goto("about:blank")
    page.goto(f"{file.as_uri()}#{text}")


def put_in(page: Page, text: str) -> None:
    page.get_by_label("The address from the QR code").fill(text)
    page.get_by_role("button", name="Check", exact=True).click()


def test_a_scanned_token_is_valid_and_says_whose_it_is(page, file, signing):
    open_with(page, file, signing.token(expires=TODAY + timedelta(days=366)))
    expect(verdict(page)).to_have_text("Valid")
    said = page.get_by_role("main")
    for words in (
        *("Example Institute issued this certificate", "as of 9 March 2026", "Ada Lovelace"),
        *("Certificate of attendance and exercises", "Introduction to deep learning"),
        *("2 – 6 March 2026", "28 hours (1 EC)", str(TODAY.year + 1)),
    ):
        expect(said).to_contain_text(re.compile(re.escape(words).replace("\\ ", r"\s")))
    expect(page).to_have_title(re.compile("^Valid"))


def test_an_old_keys_certificate_stays_valid(page, file, signing):
    open_with(page, file, signing.token(key=signing.old))
    expect(verdict(page)).to_have_text("Valid")


def test_a_credential_is_valid_and_tells_whose_it_is_to_who_knows(page, file, signing):
    page.goto(file.as_uri())
    put_in(page, signing.credential(name="Zoë Ødegård"))
    expect(verdict(page)).to_have_text("Valid")
    expect(page.get_by_role("main")).to_contain_text("Introduction to deep learning")
    for who, answer in [
        ("zoe", "not theirs"),
        ("Zoe\u0308  Ødegård ", "is theirs"),
        ("Ada@example.org", "is theirs"),
    ]:
        page.get_by_label("Whose is it?").fill(who)
        page.get_by_role("button", name="Compare").click()
        expect(page.locator("#match")).to_contain_text(answer)


def test_nothing_hostile_is_valid(page, file, signing):
    page.goto(file.as_uri())
    found, expected = {}, {}
    for why, (text, outcome) in hostile(signing, STRANGER).items():
        put_in(page, signing.token())
        expect(verdict(page)).to_have_text("Valid")
        put_in(page, text)
        expect(verdict(page), why).not_to_have_text("Valid")
        found[why], expected[why] = verdict(page).inner_text(), VERDICTS[outcome]
    assert found == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: with_claims(s.token(), n="Eve"), "Not genuine"),
        (lambda s: s.token(status_index=REVOKED_INDEX), "Revoked"),
        (lambda s: s.token(expires=NOW + timedelta(days=1)), "Expired"),
        (lambda s: s.token(key=STRANGER), "Unknown issuer"),
        (lambda s: s.token()[:100], "Cannot be read"),
    ],
)
def test_what_is_not_genuine_is_not_shown(page, file, signing, change, expected):
    open_with(page, file, signing.token())
    expect(page.get_by_text("Ada Lovelace")).to_be_visible()
    page.evaluate("text => { location.hash = text }", change(signing))
    expect(verdict(page)).to_have_text(expected)
    shown = page.get_by_text("Introduction to deep learning")
    if expected in ("Revoked", "Expired"):
        expect(shown).to_be_visible()
    else:
        expect(shown).to_be_hidden()
        expect(page.get_by_text("Eve")).to_be_hidden()


# The thread that reads may reach no more than the page.
LEAK_IN_A_WORKER = """() => new Promise((resolve) => {
  const leak = `fetch("${location.origin}/leak").catch(() => 0).then(() => postMessage(0))`;
  new Worker(URL.createObjectURL(new Blob([leak]))).onmessage = resolve;
})"""


def internal(url: str) -> bool:
    """What the browser reports as a request, and no server sees: refused, or the page's own."""
    return "leak" in url or url.startswith("blob:")


def test_nothing_leaves_the_page(browser, file, signing):
    """Served by a real server, which sees what a browser asks for; the token is not among it."""
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    handler = partial(Handler, directory=file.parents[1])
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with browser.new_context() as context:
            page = context.new_page()
            requests = []
            page.on("request", lambda request: requests.append(request.url))
            served = f"http://127.0.0.1:{server.server_port}/verify/"
            page.goto(f"{served}#{signing.token()}")
            expect(verdict(page)).to_have_text("Valid")
            put_in(page, signing.credential())
            expect(page.get_by_label("Whose is it?")).to_be_visible()
            page.get_by_label("Whose is it?").fill("Ada")
            page.get_by_role("button", name="Compare").click()
            expect(page.locator("#match")).to_contain_text("not theirs")
            page.evaluate("fetch('/leak').catch(() => 0)")
            page.evaluate("navigator.sendBeacon('/leak', 'x')")
            page.evaluate("new Image().src = '/leak'")
            page.evaluate(LEAK_IN_A_WORKER)
        server.shutdown()
    assert asked == ["/verify/"]
    assert [url.split("#")[0] for url in requests if not internal(url)] == [served]


def test_it_works_offline_from_a_saved_file(browser, file, signing, tmp_path):
    saved = tmp_path / "saved copy.html"
    saved.write_bytes(file.read_bytes())
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.goto(f"{saved.as_uri()}#{signing.token()}")
        expect(verdict(page)).to_have_text("Valid")
        page.goto(f"{saved.as_uri()}#{signing.token(status_index=REVOKED_INDEX)}")
        expect(verdict(page)).to_have_text("Revoked")


def test_a_page_whose_list_was_changed_says_so_and_finds_nothing_valid(page, signing, tmp_path):
    changed = with_claims(signing.status_list, nbf=0)
    write_site(tmp_path, ISSUER, signing.public, changed)
    open_with(page, tmp_path / "verify" / "index.html", signing.token())
    expect(verdict(page)).to_have_text("Cannot be read")
    expect(page.get_by_role("status").first).to_contain_text("This copy of the page is damaged")


@pytest.mark.parametrize("kind", ["jwt", "pdf", "pdf without", "picture"])
def test_a_file_can_be_chosen(page, file, signing, tmp_path, kind):
    path = tmp_path / f"certificate.{kind[:3]}"
    if kind == "jwt":
        path.write_text(signing.credential() + "\n")
    elif kind == "picture":
        path.write_bytes(bytes(range(256)) * 1_000)
    else:
        with pikepdf.new() as pdf:
            pdf.add_blank_page()
            if kind == "pdf":
                data = signing.credential().encode()
                pdf.attachments["a.jwt"] = pikepdf.AttachedFileSpec(pdf, data, filename="a.jwt")
            pdf.save(path, compress_streams=True)
    page.goto(file.as_uri())
    page.get_by_label("Choose a file").set_input_files(path)
    expected = {"jwt": "Valid", "pdf": "Changed document"}.get(kind, "Cannot be read")
    expect(verdict(page)).to_have_text(expected)


def test_the_pdf_that_people_get_can_be_chosen(page, file, signing, tmp_path):
    path = tmp_path / "certificate.pdf"
    path.write_bytes(signing.pdf(name="Zoë Ødegård"))
    assert credential_in(path) == signing.credential(name="Zoë Ødegård")
    page.goto(file.as_uri())
    page.get_by_label("Choose a file").set_input_files(path)
    expect(verdict(page)).to_have_text("Valid")
    expect(page.locator("#name")).to_have_text("Zoë Ødegård")
    expect(page.locator("#words")).to_contain_text("nothing in it was changed")


def painted_over(pdf: bytes) -> bytes:
    """Another name over the page, and the file written anew."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        paint = b"q 1 1 1 rg 200 300 400 100 re f Q"
        document.pages[0].contents_add(document.make_stream(paint))
        file = io.BytesIO()
        document.save(file)
    return file.getvalue()


def added_to(pdf: bytes) -> bytes:
    """A later version behind the signed one, as editors write it."""
    update = IncrementalPdfFileWriter(io.BytesIO(pdf))
    update.root["/Lang"] = pdf_string("nl")
    update.update_root()
    file = io.BytesIO()
    update.write(file)
    return file.getvalue()


def unsigned(pdf: bytes) -> bytes:
    """Without the signature."""
    with pikepdf.open(io.BytesIO(painted_over(pdf))) as document:
        del document.Root.AcroForm
        document.pages[0].Annots = [
            note for note in document.pages[0].Annots if note.Subtype == "/Link"
        ]
        for each in document.objects:
            if isinstance(each, pikepdf.Dictionary) and "/ByteRange" in each:
                del each["/ByteRange"]
        file = io.BytesIO()
        document.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (painted_over, "was changed after"),
        (added_to, "was changed after"),
        (unsigned, "did not sign it as it is now"),
        (lambda pdf: pdf[:-1] + b" ", "was changed after"),
    ],
)
def test_a_changed_pdf_is_never_valid_and_shows_what_was_issued(
    page, file, signing, tmp_path, forge, words
):
    path = tmp_path / "certificate.pdf"
    path.write_bytes(forge(signing.pdf()))
    page.goto(file.as_uri())
    page.get_by_label("Choose a file").set_input_files(path)
    expect(verdict(page)).to_have_text("Changed document")
    expect(page.locator("#words")).to_contain_text(words)
    expect(page.locator("#name")).to_have_text("Ada Lovelace")


def test_parts_of_different_certificates_are_no_certificate(page, file, signing, tmp_path):
    other = "urn:uuid:00000000-6c1d-4b7a-9a55-0d1c2b3a4f5e"
    link = address(ISSUER, signing.token(id=other, name="Eve"))
    plain = make_pdf(CERTIFICATE, ISSUER, link, signing.credential())
    path = tmp_path / "certificate.pdf"
    path.write_bytes(pdf_signer(ISSUER, signing.key, tmp_path).sign(plain, ENGLISH))
    page.goto(file.as_uri())
    page.get_by_label("Choose a file").set_input_files(path)
    expect(verdict(page)).to_have_text("Changed document")
    expect(page.locator("#words")).to_contain_text("different certificates")
    expect(page.get_by_text("Eve")).to_be_hidden()


@pytest.mark.parametrize(
    "crafted",
    [
        b"%PDF-1.7\n" + b"obj<<" + b">>" + b" " * 1_000_000,
        b"%PDF-1.7\n" + b"obj /EmbeddedFile >>stream\n" * 40_000,
        b"%PDF-1.7\n" + b"obj" * 340_000,
        b"." * 1_000_000,
        b"eyJ" * 340_000,
        (b"#eyJaaaaaaaaaaaa." * 60_000),
        b"%PDF-1.7\n/ByteRange [" + b"0 " * 500_000,
    ],
)
def test_a_crafted_file_is_read_soon_and_the_page_stays_alive(
    page, file, signing, tmp_path, crafted
):
    path = tmp_path / "crafted.pdf"
    path.write_bytes(crafted)
    page.goto(file.as_uri())
    page.get_by_label("Choose a file").set_input_files(path)
    expect(verdict(page)).to_have_text("Cannot be read")
    expect(page.locator("#words")).not_to_contain_text("stopped reading")
    put_in(page, signing.token())
    expect(verdict(page)).to_have_text("Valid")


def test_it_speaks_the_reader_s_language_or_the_one_that_is_chosen(browser, file, signing):
    with browser.new_context(locale="nl-NL") as context:
        page = context.new_page()
        page.goto(f"{file.as_uri()}#{signing.token()}")
        expect(verdict(page)).to_have_text("Geldig")
        expect(page.locator("#list")).to_contain_text(
            re.compile("2 ?– ?6 maart 2026|2–6 maart 2026")
        )
        assert page.evaluate("document.documentElement.lang") == "nl"
        page.get_by_label("Taal").select_option("en")
        expect(verdict(page)).to_have_text("Valid")
        assert page.evaluate("document.documentElement.lang") == "en"


def test_a_number_is_looked_up_where_the_policy_allows_it(page, file, signing, tmp_path):
    page.goto(file.as_uri())
    expect(page.locator("#look-up")).to_be_hidden()
    one = Issued(
        *(CERTIFICATE.id, "s1", "exercises", "Certificate of exercises", ("x",), 1, 1),
        *(CERTIFICATE.first_day, CERTIFICATE.last_day, NOW, None, REVOKED_INDEX, "salt", "", ""),
    )
    other = replace(one, id="urn:uuid:00000000-6c1d-4b7a-9a55-0d1c2b3a4f5e", status_index=5)
    lookup = make_lookup([one, other], "pepper")
    write_site(tmp_path, ISSUER, signing.public, signing.status_list, More(lookup=lookup))
    text = (tmp_path / "verify" / "index.html").read_text()
    assert "Certificate of exercises" not in text
    assert other.id.removeprefix("urn:uuid:") not in text
    page.goto((tmp_path / "verify" / "index.html").as_uri())
    for number, words in [
        (other.id.removeprefix("urn:uuid:").upper(), "on 9 March 2026: Certificate of exercises"),
        (one.id, "was revoked"),
        ("urn:uuid:11111111-6c1d-4b7a-9a55-0d1c2b3a4f5e", "has not issued a certificate"),
    ]:
        page.get_by_label("The certificate's number").fill(number)
        page.get_by_role("button", name="Look up").click()
        expect(page.locator("#found")).to_contain_text(words)


def test_a_valid_certificate_can_be_added_to_linkedin(page, file, signing):
    open_with(page, file, signing.token())
    link = page.get_by_role("link", name="Add to LinkedIn profile")
    asked = parse_qs(urlsplit(link.get_attribute("href")).query)
    assert asked["certUrl"] == [address(ISSUER, signing.token())]
    assert (asked["issueYear"], asked["issueMonth"]) == (["2026"], ["3"])
    open_with(page, file, signing.token(status_index=REVOKED_INDEX))
    expect(verdict(page)).to_have_text("Revoked")
    expect(link).to_be_hidden()


def test_the_root_leads_to_the_check(page, file):
    page.goto((file.parents[1] / "index.html").as_uri())
    expect(page.get_by_role("link", name="Check a certificate")).to_have_attribute(
        "href", "verify/"
    )
    expect(page.get_by_text("Certificaten van Example Institute")).to_be_visible()


def test_an_address_with_something_around_it_is_understood(page, file, signing):
    page.goto(file.as_uri())
    link = address(ISSUER, signing.token())
    for text in (link, f"See <{link}>.", link[:60] + "\n" + link[60:]):
        put_in(page, "nothing")
        expect(verdict(page)).to_have_text("Cannot be read")
        put_in(page, text)
        expect(verdict(page)).to_have_text("Valid")
    put_in(page, f"{link} {signing.credential()}")
    expect(page.get_by_role("status").first).to_contain_text("one at a time")


def test_no_name_becomes_markup(page, file, signing):
    name = '<img src=x onerror="document.title=1"><b>Bobby</b>'
    open_with(page, file, signing.token(name=name))
    expect(page.get_by_text(name)).to_be_visible()
    assert page.locator("main img, main b").count() == 0


NAMES = ["Ada Lovelace", "龍" * 200, "A" * 200, "محمد بن موسى الخوارزمي", "\u202eevE"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_on_a_narrow_screen_and_by_everyone(browser, file, signing, scheme):
    cases = {
        "valid": signing.token(expires=TODAY + timedelta(days=366)),
        "credential": signing.credential(),
        "tampered": with_claims(signing.token(), n="Eve"),
        "revoked": signing.token(status_index=REVOKED_INDEX),
        "expired": signing.token(expires=NOW + timedelta(days=1)),
        "unknown": signing.token(key=STRANGER),
        "unreadable": "eyJ",
    } | {f"name-{number}": signing.token(name=name) for number, name in enumerate(NAMES)}
    with browser.new_context(color_scheme=scheme, viewport={"width": 320, "height": 640}) as tab:
        page = tab.new_page()
        for name, text in cases.items():
            open_with(page, file, text)
            expect(page.locator("#input-title")).to_have_text("Check another certificate")
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
            assert page.evaluate(LOW_CONTRAST) == [], name
            if folder := os.environ.get("DLCOURSE_SCREENSHOTS"):
                page.screenshot(path=f"{folder}/check-{name}-{scheme}.png", full_page=True)
        for role in ("banner", "main", "contentinfo", "status"):
            assert page.get_by_role(role).count() >= 1


# Texts with less contrast than WCAG 2.2 asks for (4.5; 3 if large), by its formula.
LOW_CONTRAST = """() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const linear = (c) => (c /= 255, c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const light = (color) => {
    const [r, g, b] = channels(color).map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if ((channels(color)[3] ?? 1) === 1) return color;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("body *")]
    .filter((e) => e.checkVisibility())
    .filter((e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim()))
    .map((e) => {
      const style = getComputedStyle(e);
      const [a, b] = [light(style.color), light(behind(e))].sort((x, y) => y - x);
      const large = parseFloat(style.fontSize) >= 24;
      return [e.textContent.slice(0, 30), (a + 0.05) / (b + 0.05), large];
    })
    .filter(([, ratio, large]) => ratio < (large ? 3 : 4.5));
}"""


def test_the_keyboard_is_enough(page, file, signing):
    page.goto(file.as_uri())
    page.get_by_label("The address from the QR code").focus()
    page.keyboard.insert_text(signing.token())
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(verdict(page)).to_have_text("Valid")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Choose a file")).to_be_focused()


def test_a_file_that_is_read_slowly_does_not_replace_what_was_put_in_after_it(
    page, file, signing, tmp_path
):
    slow = tmp_path / "slow.jwt"
    slow.write_text("nothing")
    page.goto(file.as_uri())
    page.evaluate(
        """() => {
          File.prototype.arrayBuffer = () => new Promise((read) => {
            window.finish = () => read(new ArrayBuffer(4));
          });
        }"""
    )
    page.get_by_label("Choose a file").set_input_files(slow)
    put_in(page, signing.token())
    expect(verdict(page)).to_have_text("Valid")
    page.evaluate("finish()")
    page.evaluate("new Promise(requestAnimationFrame)")
    assert verdict(page).inner_text() == "Valid"


def test_another_address_is_checked_anew(page, file, signing):
    open_with(page, file, signing.token())
    expect(page.get_by_text("Ada Lovelace")).to_be_visible()
    page.evaluate("text => { location.hash = text }", signing.token(name="Grace Hopper"))
    expect(page.get_by_text("Grace Hopper")).to_be_visible()
    expect(page.get_by_text("Ada Lovelace")).to_be_hidden()
