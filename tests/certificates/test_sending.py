"""Mails through a real server on this machine: each once, to one address, whatever happens."""

import email
import email.policy
import json
import socket

import pytest
from aiosmtpd.controller import Controller


class Post:
    """What arrives; who is refused; after how many the server breaks off."""

    def __init__(self):
        self.mails, self.refused, self.left = [], set(), 100

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if not self.left:
            # As if the machine had gone: nobody knows whether the mail was taken.
            server.transport.close()
            return "250 OK"
        self.left -= 1
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"


@pytest.fixture
def post(classroom):
    post = Post()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(post, hostname="127.0.0.1", port=port)
    server.start()
    with classroom.places.issuer.open("a") as file:
        file.write(f'\n[mail_server]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n')
    yield post
    server.stop()


def events(classroom, *kinds):
    entries = map(json.loads, classroom.places.log.read_text().splitlines())
    return [entry["event"] for entry in entries if entry["event"] in kinds]


SENDING = ("sending", "sent", "not sent")


def test_each_gets_one_mail_once_and_it_is_logged(classroom, call, post):
    call("certify", "--yes", "--send")
    assert sorted(to for _, to, _ in post.mails) == [
        *([["ada@example.org"]] * 2), ["dan@example.org"], ["zoe@example.org"]
    ]  # fmt: skip
    assert events(classroom, *SENDING) == ["sending", "sent"] * 4
    for sender, to, data in post.mails:
        mail = email.message_from_bytes(data, policy=email.policy.default)
        assert sender == "certificates@example.org"
        assert [one.addr_spec for one in mail["To"].addresses] == to
        assert mail["X-Unsent"] is None
        assert {one.get_content_type() for one in mail.iter_attachments()} == {
            "application/pdf", "application/jwt", "image/png"
        }  # fmt: skip
    assert "4 × sent already" in call("certify", "--yes", "--send")
    assert len(post.mails) == 4
    text = classroom.places.log.read_text()
    assert "@" not in text
    call("verify", "--log")


def test_nothing_is_sent_unasked(classroom, call, post):
    call("certify", "--yes")
    shown = call("certify", "--send", "--dry-run")
    assert "4 × send" in shown
    assert "zoe@example.org" in shown
    call("certify", "--send", code=1, input="n\n")
    assert post.mails == []
    assert events(classroom, *SENDING) == []


def test_who_is_refused_stops_no_other_and_is_tried_again(classroom, call, post):
    post.refused = {"dan@example.org"}
    assert "550 no such mailbox" in call("certify", "--yes", "--send", code=1)
    assert len(post.mails) == 3
    post.refused = set()
    call("certify", "--yes", "--send")
    assert len(post.mails) == 4


def test_a_mail_that_may_have_gone_out_waits_for_a_person(classroom, call, post):
    post.left = 1
    assert "broke off" in call("certify", "--yes", "--send", code=2)
    post.left = 100
    shown = call("certify", "--yes", "--send", code=1)
    assert "1 × may have been sent" in shown
    assert len(post.mails) == 3
    entries = [json.loads(line) for line in classroom.places.log.read_text().splitlines()]
    sent = {entry["facts"]["id"] for entry in entries if entry["event"] == "sent"}
    began = {entry["facts"]["id"] for entry in entries if entry["event"] == "sending"}
    (left,) = began - sent
    call("certify", "--yes", "--send", "--send-again", left)
    assert len(post.mails) == 4


def test_a_certificate_of_somebody_else_s_address_is_not_sent(classroom, call, post):
    call("certify", "--yes")
    text = classroom.places.roster.read_text("utf-8-sig")
    classroom.places.roster.write_text(text.replace("zoe@example.org", "eve@example.org"))
    assert "another name or address" in call("certify", "--yes", "--send", code=1)
    assert len(post.mails) == 3


def test_a_revoked_one_is_not_sent(classroom, call, post):
    call("certify", "--yes")
    certificates = json.loads(classroom.places.issued.read_text())["certificates"]
    which = next(one["id"] for one in certificates if one["student"] == "zoe")
    call("revoke", which, "--reason", "x", "--author", "y", "--yes")
    call("certify", "--yes", "--send")
    assert ["zoe@example.org"] not in [to for _, to, _ in post.mails]


def test_without_a_server_it_says_what_to_add(classroom, call):
    assert "[mail_server]" in call("certify", "--yes", "--send", code=2)


def test_a_server_elsewhere_needs_a_secure_line(classroom, call):
    with classroom.places.issuer.open("a") as file:
        file.write('\n[mail_server]\nhost = "smtp.example.org"\nsecurity = "none"\n')
    assert "starttls or tls" in call("certify", "--yes", code=2)
