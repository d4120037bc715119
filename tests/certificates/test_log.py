"""The log tells what was done to it."""

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbcertify import log as log_module
from nbcertify.errors import CertificateError
from nbcertify.log import GENESIS, append, append_all, check_log, read_log

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEXTS = st.text(max_size=20)
FACTS = st.dictionaries(TEXTS, st.one_of(TEXTS, st.integers(), st.booleans(), st.lists(TEXTS)))
EVENTS = st.lists(st.tuples(TEXTS, FACTS), min_size=2, max_size=6)
APPEND_SOME = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from nbcertify.log import append
print("ready", flush=True)
sys.stdin.readline()
for i in range(200):
    append(Path(sys.argv[1]), "issued", datetime.now(UTC), worker=sys.argv[2], i=i)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "certificates" / "log.jsonl"


def write_five(path):
    return append_all(path, NOON, [("issued", {"student": f"s{i}"}) for i in range(1, 6)])


def rewrite(path, change):
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


class TestWriting:
    def test_what_was_appended_is_read_in_order(self, path):
        first = append(path, "decision", NOON, student="s1", verdict="eligible")
        second = append(path, "issued", NOON + timedelta(seconds=1), student="s1", hours=21.5)
        assert read_log(path) == [first, second]
        assert (second.number, second.event, second.previous) == (2, "issued", first.digest)
        assert second.facts == {"student": "s1", "hours": 21.5}
        assert first.previous == GENESIS
        assert check_log(path) == []

    def test_facts_may_be_called_what_they_like(self, path):
        entry = append(path, "key", NOON, path="keys/2026", event="made", when="today")
        assert entry.facts == {"path": "keys/2026", "event": "made", "when": "today"}

    def test_a_line_can_be_checked_by_other_means(self, path):
        append(path, "override", NOON, reason="ill: “Grippe”", by="office")
        (line,) = path.read_bytes().splitlines()
        content = json.loads(line)
        digest = content.pop("sha256")
        again = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert sha256(again.encode()).hexdigest() == digest

    def test_times_are_kept_in_utc(self, path):
        append(path, "issued", datetime(2026, 7, 1, 14, tzinfo=timezone(timedelta(hours=2))))
        assert b'"at":"2026-07-01T12:00:00+00:00"' in path.read_bytes()

    def test_a_time_without_a_zone_is_a_mistake(self, path):
        with pytest.raises(ValueError, match="without a zone"):
            append(path, "issued", datetime(2026, 7, 1))

    @pytest.mark.parametrize("value", [float("nan"), {1, 2}, NOON, "\ud800"])
    def test_what_is_no_json_is_refused_and_nothing_is_added(self, path, value):
        append(path, "issued", NOON)
        before = path.read_bytes()
        with pytest.raises(CertificateError, match="'override' cannot be logged"):
            append_all(path, NOON, [("issued", {}), ("override", {"reason": value})])
        assert path.read_bytes() == before

    def test_only_its_owner_may_read_it(self, path):
        append(path, "issued", NOON)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_many_entries_wait_for_the_disk_once(self, path, monkeypatch):
        append(path, "key", NOON)
        waits = []
        monkeypatch.setattr(log_module.os, "fsync", lambda file: waits.append(file))
        append_all(path, NOON, [("issued", {"student": f"s{i}"}) for i in range(200)])
        assert len(waits) == 1

    def test_a_full_disk_leaves_the_log_as_it_was(self, path, monkeypatch):
        append(path, "issued", NOON)
        before, real = path.read_bytes(), os.pwrite

        def full(file, data, place):
            if len(data) < 50:
                raise OSError(28, "No space left on device")
            return real(file, data[:50], place)

        monkeypatch.setattr(log_module.os, "pwrite", full)
        with pytest.raises(CertificateError, match="No space left"):
            append(path, "revoked", NOON)
        assert path.read_bytes() == before

    def test_a_log_that_cannot_be_opened_is_told(self, path):
        path.mkdir(parents=True)
        with pytest.raises(CertificateError, match="cannot be opened: Is a directory"):
            append(path, "issued", NOON)

    def test_two_processes_at_once_lose_nothing(self, path):
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", APPEND_SOME, str(path), name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in "ab"
        ]
        assert [worker.stdout.readline() for worker in workers] == ["ready\n", "ready\n"]
        for worker in workers:
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for worker in workers:
            worker.communicate()
            assert worker.returncode == 0
        assert check_log(path) == []
        found = [(e.facts["worker"], e.facts["i"]) for e in read_log(path)]
        assert sorted(found) == [(name, i) for name in "ab" for i in range(200)]

    @given(events=EVENTS)
    def test_one_line_each_whatever_the_text_holds(self, tmp_path_factory, events):
        path = tmp_path_factory.mktemp("log") / "log.jsonl"
        entries = append_all(path, NOON, events)
        assert [(e.event, e.facts) for e in entries] == events
        assert read_log(path) == entries
        assert len(path.read_text(encoding="utf-8").splitlines()) == len(events)
        assert check_log(path, entries[-1].digest) == []


class TestTorn:
    def tear(self, path, left):
        write_five(path)
        data = path.read_bytes()
        start = data[:-1].rfind(b"\n") + 1
        path.write_bytes(data[: start + left])
        return data[start : start + left]

    @pytest.mark.parametrize("left", [1, 40, 150])
    def test_the_next_entry_sets_it_aside_and_loses_nothing(self, path, left):
        torn = self.tear(path, left)
        assert check_log(path) == [
            "line 5: is torn: writing it was interrupted. What comes next sets it aside."
        ]
        assert len(read_log(path)) == 4
        entry = append(path, "issued", NOON, student="s6")
        assert entry.number == 6
        told = read_log(path)[4]
        assert told.event == "torn"
        assert path.with_name(told.facts["file"]).read_bytes() == torn
        assert check_log(path, entry.digest) == []

    def test_only_the_line_end_is_missing(self, path):
        head = write_five(path)[-1]
        path.write_bytes(path.read_bytes()[:-1])
        assert read_log(path)[-1] == head
        assert check_log(path, head.digest) == []
        append(path, "issued", NOON)
        assert [e.number for e in read_log(path)] == [1, 2, 3, 4, 5, 6]
        assert check_log(path, head.digest) == []

    def test_the_first_line_of_all(self, path):
        path.parent.mkdir()
        path.write_bytes(b'{"at":"20')
        append(path, "issued", NOON)
        assert [e.event for e in read_log(path)] == ["torn", "issued"]

    def test_to_a_damaged_last_line_nothing_is_added(self, path):
        write_five(path)
        rewrite(path, lambda lines: [*lines[:-1], lines[-1].replace(b"s5", b"s7")])
        before = path.read_bytes()
        with pytest.raises(CertificateError, match="last line was changed.*from a backup"):
            append(path, "issued", NOON)
        assert path.read_bytes() == before


class TestChecking:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda x: [*x[:2], x[2].replace(b"s3", b"s9"), *x[3:]], "line 3: was changed"),
            (lambda x: [*x[:4], x[4].replace(b"s5", b"s9")], "line 5: was changed"),
            (lambda x: [*x[:1], *x[3:]], "line 2: is entry 4, and entries 2 to 3 are missing"),
            (lambda x: x[1:], "line 1: is entry 2, and entry 1 is missing"),
            (lambda x: [*x[:3], x[1], *x[3:]], "line 4: is entry 2, which belongs further up"),
            (lambda x: [*x[:2], x[3], x[2], x[4]], "line 3: is entry 4, and entry 3 is missing"),
            (lambda x: [*x[:2], b"note to self\n", *x[2:]], "line 3: cannot be read"),
            (lambda x: [*x[:2], b"\n", *x[2:]], "line 3: is empty"),
            (lambda x: [*x[:2], b'{"a":1}\n', *x[2:]], "line 3: is no entry"),
            (lambda x: [*x[:2], b"[" * 99_999 + b"\n", *x[2:]], "line 3: cannot be read"),
            (lambda x: [*x[:2], x[2][:-1] + b"\r\n", *x[3:]], "line 3: ends with a carriage"),
            (lambda x: [b"\xef\xbb\xbf" + x[0], *x[1:]], "line 1: begins with a byte order mark"),
            (
                lambda x: [*x[:2], x[2].replace(b"s3", "s\xe9".encode("latin-1")), *x[3:]],
                "line 3: is not UTF-8 from byte",
            ),
        ],
    )
    def test_it_says_what_is_wrong_and_where(self, path, change, words):
        write_five(path)
        rewrite(path, change)
        problems = check_log(path)
        assert problems[0].startswith(words)
        assert len(problems) == 1 or problems[1:] == [
            "line 4: is entry 3, which belongs further up: put in, repeated or moved"
        ]

    def test_a_line_written_anew_does_not_fit_its_neighbours(self, path, tmp_path):
        write_five(path)
        forged = tmp_path / "forged.jsonl"
        append_all(forged, NOON, [("issued", {"student": f"s{i}"}) for i in (1, 9)])
        line = forged.read_bytes().splitlines(keepends=True)[1]
        rewrite(path, lambda lines: [lines[0], line, *lines[2:]])
        assert check_log(path) == [
            "line 3: does not follow entry 2 as it stands here: one of the two was replaced"
        ]

    def test_a_removed_end_shows_by_the_head(self, path):
        *_, early, _, head = write_five(path)
        rewrite(path, lambda lines: lines[:-1])
        assert check_log(path) == []
        assert check_log(path, early.digest) == []
        (problem,) = check_log(path, head.digest)
        assert "removed from the end" in problem

    def test_a_log_written_anew_shows_by_the_head(self, path):
        head = write_five(path)[-1]
        path.unlink()
        append_all(path, NOON, [("issued", {"student": f"t{i}"}) for i in range(5)])
        assert check_log(path) == []
        assert "this is another log" in check_log(path, head.digest)[0]

    def test_a_log_that_has_grown_still_has_the_old_head(self, path):
        head = write_five(path)[-1]
        append(path, "revoked", NOON, student="s1")
        assert check_log(path, head.digest) == []

    def test_no_log_is_not_a_good_log(self, path):
        assert check_log(path) == [f"{path}: there is no log"]
        assert read_log(path) == []

    def test_reading_a_changed_log_names_the_line(self, path):
        write_five(path)
        rewrite(path, lambda lines: [lines[0].replace(b"s1", b"s2"), *lines[1:]])
        with pytest.raises(CertificateError, match="log.jsonl, line 1: was changed"):
            read_log(path)

    @given(events=EVENTS, data=st.data())
    def test_every_change_is_found(self, tmp_path_factory, events, data):
        path = tmp_path_factory.mktemp("log") / "log.jsonl"
        head = append_all(path, NOON, events)[-1].digest
        whole = path.read_bytes()
        lines = whole.splitlines(keepends=True)
        at = st.integers(0, len(lines) - 1)
        how = data.draw(st.sampled_from(["byte", "cut", "remove", "swap", "repeat"]))
        if how == "byte":
            place = data.draw(st.integers(0, len(whole) - 2))
            other = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
            path.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
        elif how == "cut":
            first = data.draw(st.integers(0, len(whole) - 2))
            final = data.draw(st.integers(first + 1, len(whole) - 1))
            path.write_bytes(whole[:first] + whole[final:])
        elif how == "remove":
            lines.pop(data.draw(at))
        elif how == "swap":
            one, other = data.draw(st.tuples(at, at).filter(lambda pair: pair[0] != pair[1]))
            lines[one], lines[other] = lines[other], lines[one]
        else:
            lines.insert(data.draw(at), lines[data.draw(at)])
        if how in ("remove", "swap", "repeat"):
            path.write_bytes(b"".join(lines))
        assert check_log(path, head)
