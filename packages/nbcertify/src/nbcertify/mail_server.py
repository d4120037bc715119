"""The server that takes mails, from `issuer.toml`."""

from dataclasses import dataclass

from nbcertify.toml_table import Table

_SECURITIES = ("starttls", "tls", "none")
_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class MailServer:
    """The server that takes mails. `security` is starttls, tls or, on this machine only, none."""

    host: str
    port: int
    security: str
    user: str = ""


def read_mail_server(table: Table) -> MailServer:
    """The server that a table of `issuer.toml` describes. `CertificateError` if it cannot be."""
    table.only("host", "port", "security", "user")
    security = table.text("security", "starttls")
    if security not in _SECURITIES:
        raise table.error("security", f"must be one of {', '.join(_SECURITIES)}")
    host = table.text("host")
    if security == "none" and host not in _HERE:
        raise table.error(
            "security",
            f"must be starttls or tls for {host}: else anyone on the way reads the mails",
        )
    port = table.whole("port", 65_535, "a port", 465 if security == "tls" else 587)
    return MailServer(host, port, security, table.text("user") if "user" in table else "")
