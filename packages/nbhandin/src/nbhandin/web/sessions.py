"""Who asks: a personal link, exchanged for a signed cookie; and that a form is this page's own."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

from nbhandin.desk import Desk
from nbhandin.links import Link

_SECONDS = 60 * 60 * 24 * 30


@dataclass(frozen=True)
class Visitor:
    """Whoever opened a personal link in this browser; ``csrf`` goes into each form."""

    link: Link
    csrf: str

    @property
    def is_instructor(self) -> bool:
        """Whether the whole class is shown."""
        return self.link.role == "instructor"

    def may_see(self, student: str) -> bool:
        """Whether this student's work is shown."""
        return self.is_instructor or (bool(student) and self.link.student == student)


class Sessions:
    """Signed cookies; a link that is taken back ends what was opened with it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._is_secure = desk.settings.address.startswith("https://")
        # A browser takes a cookie of such a name only over TLS, and from this host alone.
        self._name = "__Host-handin" if self._is_secure else "handin"
        self._signer = URLSafeTimedSerializer(desk.secret, salt="nbhandin.session")

    def visitor(self, request: Request) -> Visitor | None:
        """Who asks; ``None`` without a cookie that holds."""
        cookie = request.cookies.get(self._name, "")
        try:
            id_, nonce = self._signer.loads(cookie, max_age=_SECONDS)
        except (BadSignature, ValueError, TypeError):
            return None
        link = self._desk.link_of(str(id_))
        return None if link is None else Visitor(link, self._csrf(str(nonce)))

    def begin(self, response: Response, link: Link) -> None:
        """Give the browser a cookie for this link."""
        value = self._signer.dumps([link.id, secrets.token_urlsafe(16)])
        response.set_cookie(
            self._name,
            value if isinstance(value, str) else value.decode(),
            max_age=_SECONDS,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="lax",
        )

    def end(self, response: Response) -> None:
        """Take the cookie back."""
        response.delete_cookie(self._name, path="/", secure=self._is_secure, httponly=True)

    def _csrf(self, nonce: str) -> str:
        return hmac.new(self._desk.secret.encode(), f"csrf {nonce}".encode(), "sha256").hexdigest()


def is_from_here(request: Request) -> bool:
    """Whether the browser says that a form was sent by this page; one that says nothing may.

    Browsers say so in ``Sec-Fetch-Site``, and those before 2023 in ``Origin``.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


def is_own_form(visitor: Visitor, sent: object) -> bool:
    """Whether a form carries the visitor's own mark."""
    return isinstance(sent, str) and hmac.compare_digest(
        sent.encode("utf-8", "replace"), visitor.csrf.encode()
    )
