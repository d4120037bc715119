"""The certificate's PDF, as an archive, a screen reader, a phone's camera and an eye have it."""

import io
import re
import shutil
import subprocess
import time
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache

import numpy as np
import pikepdf
import pytest
import segno
from nbcertify.certificate import Certificate
from nbcertify.errors import CertificateError
from nbcertify.issuer import Issuer, Signatory
from nbcertify.pdf import make_pdf, make_picture
from nbcertify.texts import ENGLISH
from PIL import Image

SITE = "https://certificates.example.org/"
ISSUER = Issuer(
    name="Example Institute",
    did="did:web:certificates.example.org",
    site=SITE,
    email="certificates@example.org",
    course="Introduction to deep learning",
    description="A workshop.",
    place="Amsterdam",
    signatories=(
        Signatory("Dr. Robin Example", "Lead instructor"),
        Signatory("Prof. Sam Sample", "Head of training"),
    ),
)
CERTIFICATE = Certificate(
    id="urn:uuid:6f0a3c9e-52d1-4b7e-9c38-d14f27ab80e5",
    tier="exercises",
    title="Certificate of attendance and exercises",
    name="Johanna van den Berg",
    email="johanna@example.org",
    statement=("attended all four half days of the workshop,", "and solved its exercises."),
    hours=20,
    ec=20 / 28,
    first_day=date(2026, 3, 2),
    last_day=date(2026, 3, 6),
    issued=datetime(2026, 3, 12, 9, 30, tzinfo=UTC),
    expires=None,
    status_index=7,
)
ADDRESS = f"{SITE}verify/#" + "eyJhbGciOiJFUzI1NiJ9." * 25
CREDENTIAL = "eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ." + "a-_Z09" * 300

NAMES = {
    "Adlam": "𞤀𞤣𞤤𞤢𞤥",
    "Arabic": "محمد بن عبد الله الأنصاري",
    "Arabic, Persian": "پریسا گلچین",
    "Arabic, Urdu": "ڈاکٹر ہاجرہ ٹیپو",
    "Armenian": "Արամ Խաչատրյան",
    "Bengali": "রবীন্দ্রনাথ ঠাকুর",
    "Canadian": "ᐊᓗᒃᑲᖅ ᐃᓄᒃ",
    "Cherokee": "ᏍᏏᏉᏯ",
    "Chinese": "欧阳修 歐陽修 镕",
    "Cyrillic": "Щукарёва Їжак Ђорђе",
    "Cyrillic, Kazakh": "Әлия Қайратқызы",
    "Devanagari": "श्रीमती क्षितिजा विद्यार्थी",
    "Ethiopic": "አበበ ቢቂላ",
    "Georgian": "შოთა რუსთაველი",
    "Greek": "Ἑλένη Παπαδοπούλου",
    "Gujarati": "ક્ષિતિજ પટેલ",
    "Gurmukhi": "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ",
    "Hebrew": "יְהוּדָה בן־גוריון",
    "Japanese": "渡邊 さくら ジョン",
    "Javanese": "ꦱꦸꦏꦂꦤ",
    "Kannada": "ಕೃಷ್ಣರಾಜ ಒಡೆಯರ್",
    "Khmer": "សុខ ស្រីមុំ",
    "Korean": "김철수 설믜",
    "Lao": "ສົມສັກ ໄຊຍະວົງ",
    "Latin": "Zoë Łukasiewicz-Ñuñez",
    "Latin, Hausa": "Ɓala Ƙofar",
    "Latin, Vietnamese": "Nguyễn Thị Ánh Tuyết",
    "Latin, Yoruba": "Ọláṣẹ́yẹ̀",
    "Malayalam": "ശ്രീകുമാരൻ തമ്പി",
    "Mongolian": "ᠴᠢᠩᠭᠢᠰ",
    "Myanmar": "အောင်ဆန်းစုကြည်",
    "N'Ko": "ߛߟߏߡߣߊ߫ ߞߊ߲ߕߍ߫",
    "Ol Chiki": "ᱥᱟᱱᱛᱟᱲᱤ",
    "Oriya": "ଜଗନ୍ନାଥ ମହାପାତ୍ର",
    "Sinhala": "ශ්‍රියානි වික්‍රමසිංහ",
    "Syriac": "ܐܦܪܝܡ ܣܘܪܝܝܐ",
    "Tamil": "ஸ்ரீனிவாச ராமானுஜன்",
    "Telugu": "వెంకట రామకృష్ణ",
    "Thaana": "މުހައްމަދު ނަޝީދު",
    "Thai": "สมชาย ศรีสุวรรณ์",
    "Tibetan": "བསྟན་འཛིན་རྒྱ་མཚོ",
    "Tifinagh": "ⵎⴰⵙⵙⵉⵏⵉⵙⴰ",
    "Vai": "ꕙꔤ",
    "Yi": "ꆈꌠ",
    "several": "Sarah שָׂרָה Müller محمد 王",
}
HOSTILE = [
    '#read("/etc/passwd") #panic("x") #pagebreak()',
    "*bold* _italic_ `code` $x^2$ @label <label> // comment /* */ \\ ~ -- ---",
    "= Heading",
    'O\'Neil "Bob" <script>alert(1)</script> & Söhne]]>',
    '=HYPERLINK("https://example.org")',
    "Ada) >> endobj (\\",
    '","name":"Eve',
    "\u200fAda\u200e \u2067Lovelace\u2069",
]


def pdf_of(**changes):
    return make_pdf(replace(CERTIFICATE, **changes), ISSUER, ADDRESS, CREDENTIAL)


@pytest.fixture(scope="module")
def usual():
    return pdf_of()


class TestForArchives:
    def test_it_says_that_it_is_pdf_a_3a_and_pdf_ua_1(self, usual):
        with pikepdf.open(io.BytesIO(usual)) as pdf, pdf.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "3"
            assert metadata["pdfaid:conformance"] == "A"
            assert metadata["pdfuaid:part"] == "1"
            assert not pdf.is_encrypted
            assert "/OutputIntents" in pdf.Root

    def test_title_author_language_and_date(self, usual):
        with pikepdf.open(io.BytesIO(usual)) as pdf, pdf.open_metadata() as metadata:
            title = "Certificate of attendance and exercises: Johanna van den Berg"
            assert metadata["dc:title"] == title == str(pdf.docinfo.Title)
            assert metadata["dc:creator"] == ["Example Institute"]
            assert metadata["xmp:CreateDate"].startswith("2026-03-12T09:30:00")
            assert pdf.Root.Lang == "en"
            assert pdf.Root.ViewerPreferences.DisplayDocTitle

    def test_the_credential_is_attached_byte_for_byte(self, usual):
        with pikepdf.open(io.BytesIO(usual)) as pdf:
            assert list(pdf.attachments) == ["credential.jwt"]
            file = pdf.attachments["credential.jwt"].get_file()
            assert file.read_bytes() == CREDENTIAL.encode()
            assert file.mime_type == "application/vc+jwt"
            assert pdf.Root.AF[0].AFRelationship == "/Source"

    def test_every_font_is_within(self, usual):
        with pikepdf.open(io.BytesIO(usual)) as pdf:
            descriptors = [
                each
                for each in pdf.objects
                if isinstance(each, pikepdf.Dictionary) and each.get("/Type") == "/FontDescriptor"
            ]
            assert descriptors
            assert all({"/FontFile2", "/FontFile3"} & set(each.keys()) for each in descriptors)

    def test_the_same_certificate_has_the_same_bytes(self, usual):
        assert pdf_of(name="Someone Else") != usual
        assert pdf_of() == usual

    def test_the_bytes_do_not_tell_when_they_were_made(self):
        first, second = pdf_of(), int(time.time())
        while int(time.time()) == second:
            assert pdf_of() == first
        assert pdf_of() == first


class TestForScreenReaders:
    def test_what_is_read_out(self, usual):
        assert spoken(usual) == [
            ("P", "Example Institute"),
            ("H1", "Certificate of attendance and exercises"),
            ("P", "This is to certify that"),
            ("Strong", "Johanna van den Berg"),
            ("P", "attended all four half days of the workshop,"),
            ("P", "and solved its exercises."),
            ("P", "Introduction to deep learning"),
            ("P", "Amsterdam, 2–6 March 2026"),
            ("P", "20 hours (0.71 EC)"),
            ("P", "Dr. Robin Example"),
            ("P", "Lead instructor"),
            ("P", "Prof. Sam Sample"),
            ("P", "Head of training"),
            ("P", f"Issued on 12 March 2026. Certificate {CERTIFICATE.id}."),
            (
                "P",
                "To verify it, scan the code or open . The signed credential is attached to "
                "this PDF.",
            ),
            ("Link", f"{SITE}verify/"),
            (
                "Figure",
                "QR code with the address at which this certificate can be verified, on "
                f"{SITE}verify/",
            ),
        ]

    def test_it_is_tagged(self, usual):
        with pikepdf.open(io.BytesIO(usual)) as pdf:
            assert pdf.Root.MarkInfo.Marked
            assert pdf.pages[0].Tabs == "/S"

    def test_the_link_has_the_whole_address(self, usual):
        with pikepdf.open(io.BytesIO(usual)) as pdf:
            (link,) = {str(each.A.URI) for each in pdf.pages[0].Annots}
            assert link == ADDRESS

    def test_expiry_and_no_credits(self):
        pdf = pdf_of(expires=datetime(2028, 3, 12, tzinfo=UTC), ec=0, hours=13)
        texts = [text for _, text in spoken(pdf)]
        assert "13 hours" in texts
        issued = "Issued on 12 March 2026, expires on 12 March 2028."
        assert f"{issued} Certificate {CERTIFICATE.id}." in texts

    @pytest.mark.parametrize("count", [0, 1, 4])
    def test_signatories(self, count):
        signatories = tuple(Signatory(f"Name {i}", f"Role {i}") for i in range(count))
        pdf = make_pdf(CERTIFICATE, replace(ISSUER, signatories=signatories), ADDRESS, CREDENTIAL)
        texts = [text for _, text in spoken(pdf)]
        assert [text for text in texts if re.match("Name|Role", text)] == [
            text for one in signatories for text in (one.name, one.role)
        ]


class TestNames:
    @pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
    def test_any_script(self, name):
        pdf = pdf_of(name=name)
        assert ("Strong", name) in spoken(pdf)
        # Each of its characters has a glyph: .notdef has no text, and pages with it are refused.
        drawn = dict(drawn_texts(pdf))["Strong"]
        assert letters(drawn) == letters(name)

    @pytest.mark.parametrize(
        ("name", "from_left_to_right"),
        [("שרה כהן", "ןהכ הרש"), ("Sarah שרה", "Sarah הרש")],
    )
    def test_direction(self, name, from_left_to_right):
        assert dict(drawn_texts(pdf_of(name=name)))["Strong"] == from_left_to_right

    def test_a_name_from_right_to_left_begins_on_the_right_and_ends_at_the_left_edge(self):
        names = ("שרה Cohen", "Cohen שרה")
        pictures = [picture(replace(CERTIFICATE, name=name), ISSUER, 60) for name in names]
        assert np.array_equal(*pictures)

    @pytest.mark.parametrize(
        ("name", "language"), [("שרה", "he"), ("محمد", "ar"), ("김철수", "ko"), ("Ада", "und")]
    )
    def test_language(self, name, language):
        with pikepdf.open(io.BytesIO(pdf_of(name=name))) as pdf:
            (strong,) = (each for each in elements(pdf) if each.S == "/Strong")
            assert str(strong.P.Lang) == language

    @pytest.mark.parametrize("name", HOSTILE)
    def test_nothing_in_a_name_is_a_command(self, name):
        pdf = pdf_of(name=name)
        assert ("Strong", name) in spoken(pdf)
        assert letters(dict(drawn_texts(pdf))["Strong"]) == letters(name)
        with pikepdf.open(io.BytesIO(pdf)) as document, document.open_metadata() as metadata:
            assert metadata["dc:title"] == f"{CERTIFICATE.title}: {name}"
            assert len(document.pages) == 1

    @pytest.mark.parametrize(
        ("name", "character"), [("Ada 😀", "GRINNING FACE"), ("Ada\nLovelace", r"U\+000A")]
    )
    def test_what_cannot_be_printed_is_refused(self, name, character):
        with pytest.raises(CertificateError, match=f"holder, .*Ada.*{character}"):
            pdf_of(name=name)

    @pytest.mark.parametrize("name", ["", "\u200f"])
    def test_no_name_is_refused(self, name):
        with pytest.raises(CertificateError, match="has no letters"):
            pdf_of(name=name)

    def test_the_other_texts_are_checked_too(self):
        issuer = replace(ISSUER, signatories=(Signatory("Robin", "Head 🎓"),))
        with pytest.raises(CertificateError, match="The role of 'Robin'.*GRADUATION CAP"):
            make_pdf(CERTIFICATE, issuer, ADDRESS, CREDENTIAL)


LONG = ("Maria Aurelia Konstantina von und zu Hohenstein-Rheinfelden, " * 4)[:200]


class TestForTheEye:
    @pytest.mark.parametrize(
        "name",
        [
            CERTIFICATE.name,
            LONG,
            "W" * 200,
            "محمدبنعبداللهالأنصاري" * 10,
            "欧阳修歐陽修镕龍" * 25,
            "བསྟན་འཛིན་རྒྱ་མཚོ " * 5,
        ],
        ids=["usual", "long", "one word", "Arabic", "Chinese", "Tibetan"],
    )
    def test_a_name_is_within_the_margins(self, name):
        assert_within_margins(replace(CERTIFICATE, name=name), ISSUER)

    @pytest.mark.parametrize("text", [LONG, "M" * 200], ids=["words", "one word"])
    def test_all_texts_may_be_long(self, text):
        certificate = replace(CERTIFICATE, name=text, title=text, statement=(text,) * 4)
        issuer = replace(
            ISSUER,
            name=text,
            course=text,
            place=text,
            signatories=(Signatory(text[:100], text[:100]),) * 4,
        )
        assert_within_margins(certificate, issuer)

    def test_a_usual_name_is_larger_than_all_else_and_a_long_one_can_be_read(self):
        sizes = {name: font_sizes(pdf_of(name=name)) for name in (CERTIFICATE.name, LONG)}
        usual = sizes[CERTIFICATE.name]
        assert usual["Strong"] == max(usual.values()) > 36
        assert sizes[LONG]["Strong"] > 20

    def test_too_much_text_is_refused(self):
        with pytest.raises(CertificateError, match="Johanna.*too much text for one page"):
            pdf_of(statement=("A sentence that says what was done. " * 100,) * 3)

    def test_another_id_is_another_ornament(self):
        other = "urn:uuid:00000000-0000-4000-8000-000000000001"
        ornaments = [
            picture(replace(CERTIFICATE, id=each), ISSUER, 50)[:250, :130]
            for each in (CERTIFICATE.id, other)
        ]
        assert not np.array_equal(*ornaments)


class TestForTheCamera:
    def test_the_modules_are_those_of_the_address(self):
        page = picture(CERTIFICATE, ISSUER, 300)
        # Black is the code's alone: text is of a dark brown.
        rows, columns = np.nonzero((page < 8).all(axis=2))
        top, left = rows.min(), columns.min()
        modules = np.array(segno.make_qr(ADDRESS, error="l", mask=0).matrix, dtype=bool)
        size = (rows.max() + 1 - top) / len(modules)
        centres = ((np.arange(len(modules)) + 0.5) * size).astype(int)
        seen = page[np.ix_(top + centres, left + centres)].mean(axis=2) < 128
        assert np.array_equal(seen, modules)
        # At least a third of a millimetre, for a phone's camera.
        assert size / 300 * 25.4 > 1 / 3

    @pytest.mark.slow
    def test_a_reader_reads_the_address(self, usual, tmp_path):
        for program in ("pdftoppm", "zbarimg"):
            if not shutil.which(program):
                pytest.skip(f"{program} is not there (packages poppler-utils and zbar-tools)")
        (tmp_path / "page.pdf").write_bytes(usual)
        run = {"cwd": tmp_path, "check": True, "capture_output": True}
        subprocess.run(["pdftoppm", "-r", "200", "-png", "page.pdf", "page"], **run)
        command = ["zbarimg", "--quiet", "--raw", "--oneshot", "page-1.png"]
        assert subprocess.run(command, **run).stdout.decode().strip() == ADDRESS

    def test_an_address_too_long_for_a_code_is_refused(self):
        with pytest.raises(CertificateError, match="4000 characters, too many"):
            make_pdf(CERTIFICATE, ISSUER, "x" * 4000, CREDENTIAL)


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 3, 2), date(2026, 3, 2), "2 March 2026"),
        (date(2026, 3, 2), date(2026, 3, 6), "2–6 March 2026"),
        (date(2026, 2, 28), date(2026, 3, 6), "28 February – 6 March 2026"),
        (date(2025, 12, 30), date(2026, 1, 2), "30 December 2025 – 2 January 2026"),
    ],
)
def test_days(first, last, text):
    assert ENGLISH.days(first, last) == text


@pytest.mark.parametrize(
    ("hours", "ec", "text"),
    [
        (16, 16 / 28, "16 hours (0.57 EC)"),
        (28, 1.0, "28 hours (1 EC)"),
        (1, 0, "1 hour"),
        (12.5, 0.5, "12.5 hours (0.5 EC)"),
        (100, 10, "100 hours (10 EC)"),
    ],
)
def test_work(hours, ec, text):
    assert ENGLISH.work(hours, ec) == text


def picture(certificate, issuer, ppi):
    """The page as an array (rows, columns, colours)."""
    file = io.BytesIO(make_picture(certificate, issuer, ADDRESS, ppi))
    return np.asarray(Image.open(file).convert("RGB"))


def assert_within_margins(certificate, issuer):
    with pikepdf.open(io.BytesIO(make_pdf(certificate, issuer, ADDRESS, CREDENTIAL))) as pdf:
        assert len(pdf.pages) == 1
    ppi = 100
    page = picture(certificate, issuer, ppi)
    rows, columns = np.nonzero((page < 250).any(axis=2))
    margins = [rows.min(), columns.min(), page.shape[0] - rows.max(), page.shape[1] - columns.max()]
    assert min(margins) > 18 / 25.4 * ppi
    # Between the text and the signatories, and to the left of both, nothing is printed.
    gap = slice(int(146.5 / 25.4 * ppi), int(152 / 25.4 * ppi))
    assert (page[gap] == 255).all()
    gutter = slice(int(64 / 25.4 * ppi), int(79 / 25.4 * ppi))
    assert (page[:, gutter] == 255).all()


def letters(text):
    """The characters of a text, however composed, without what only guides them."""
    return {
        c
        for c in unicodedata.normalize("NFKD", text)
        if unicodedata.category(c) not in ("Cf", "Zs")
    }


OPERATORS = "BMC BDC EMC Tf Tj TJ"


def elements(pdf):
    """The elements of the structure tree, in the order of reading."""

    def below(element):
        kids = element.get("/K", [])
        for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
            if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
                yield kid
                yield from below(kid)

    yield from below(pdf.Root.StructTreeRoot)


def spoken(data):
    """What a screen reader reads: (type, text) of each element that has some, in its order."""
    return [(kind, said) for kind, said, _ in _texts(data) if said]


def drawn_texts(data):
    """The text of the glyphs of each element, from left to right."""
    return [(kind, drawn) for kind, _, drawn in _texts(data) if drawn]


@lru_cache(maxsize=2)
def _texts(data):
    texts = []
    with pikepdf.open(io.BytesIO(data)) as pdf:
        drawn = {mark: text for mark, (text, _) in marked(pdf).items()}
        for element in elements(pdf):
            kids = element.get("/K", [])
            kids = kids if isinstance(kids, pikepdf.Array) else [kids]
            text = " ".join("".join(drawn[k] for k in kids if isinstance(k, int)).split())
            said = element.get("/ActualText", element.get("/Alt", text))
            texts.append((str(element.S)[1:], str(said), text))
    return texts


def font_sizes(data):
    """The size of each kind of element's text, in points."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        marks = marked(pdf)
        return {
            str(element.S)[1:]: max(marks[kid][1] for kid in element.K if isinstance(kid, int))
            for element in elements(pdf)
            if str(element.S) in ("/H1", "/P", "/Strong")
            and any(isinstance(kid, int) for kid in element.K)
        }


def marked(pdf):
    """The text and the font size of each marked content, by its number."""
    fonts = {name: to_unicode(font) for name, font in pdf.pages[0].Resources.Font.items()}
    marks, stack, font, size = {}, [], None, 0.0
    for operands, operator in pikepdf.parse_content_stream(pdf.pages[0], OPERATORS):
        if str(operator) == "BDC":
            stack.append(operands[1])
            if "/MCID" in stack[-1]:
                marks[int(stack[-1].MCID)] = ("", 0.0)
            if "/ActualText" in stack[-1]:
                add(marks, stack, str(stack[-1].ActualText), size)
        elif str(operator) == "BMC":
            stack.append({})
        elif str(operator) == "EMC":
            stack.pop()
        elif str(operator) == "Tf":
            font, size = fonts[str(operands[0])], float(operands[1])
        elif str(operator) in ("Tj", "TJ"):
            strings = operands[0] if str(operator) == "TJ" else operands
            codes = b"".join(bytes(each) for each in strings if isinstance(each, pikepdf.String))
            glyphs = [codes[i : i + 2] for i in range(0, len(codes), 2)]
            assert b"\x00\x00" not in glyphs, ".notdef"
            if not any("/ActualText" in each for each in stack):
                add(marks, stack, "".join(font.get(glyph, "") for glyph in glyphs), size)
    return marks


def add(marks, stack, text, size):
    for each in stack:
        if "/MCID" in each:
            mark = int(each.MCID)
            marks[mark] = (marks[mark][0] + text, max(marks[mark][1], size))


def to_unicode(font):
    """The text of each code of two bytes, from the font's map."""
    cmap = font.ToUnicode.read_bytes().decode("ascii")
    table = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", cmap, re.S):
        for code, text in re.findall(r"<(\w+)>\s*<(\w+)>", block):
            table[bytes.fromhex(code)] = bytes.fromhex(text).decode("utf-16-be")
    assert "beginbfrange" not in cmap
    return table
