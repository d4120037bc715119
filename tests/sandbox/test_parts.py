"""The parts that can be looked at from outside."""

import errno
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from harness import as_user, confined, outcome, run_as
from nbjudge.sandbox import (
    TIERS,
    Confinement,
    Limits,
    SandboxError,
    find_tier,
    inside,
    landlock,
    numbers,
    paths,
    readable_paths,
    seccomp,
    watch,
)

ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
LOAD, EQUAL, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06


def evaluate(program, machine, call, *arguments, audit=None):
    """What the kernel would answer: an interpreter of the instructions in use."""
    values = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", call, audit or AUDIT[machine], 0, *values)
    code = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = 0
    while True:
        operation, then, otherwise, constant = code[at]
        at += 1
        if operation == LOAD:
            (accumulator,) = struct.unpack_from("=I", data, constant)
        elif operation == AND:
            accumulator &= constant
        elif operation == RETURN:
            return constant
        else:
            holds = {
                EQUAL: accumulator == constant,
                AT_LEAST: accumulator >= constant,
                ANY_BIT: bool(accumulator & constant),
            }[operation]
            at += then if holds else otherwise


@pytest.mark.parametrize("machine", numbers.MACHINES)
@pytest.mark.parametrize("namespaces", [True, False])
def test_the_filter_judges_as_it_should(machine, namespaces):
    program = seccomp.build(
        machine, namespaces=namespaces, own_signals=77, truncation=not namespaces
    )
    assert len(program) // 8 < 4096

    def judge(name, *arguments):
        number = numbers.number(name, machine)
        return None if number is None else evaluate(program, machine, number, *arguments)

    refused, inner = ERROR | errno.EPERM, ALLOW if namespaces else ERROR | errno.EPERM
    unknown_family = ERROR | errno.EAFNOSUPPORT if namespaces else refused
    for name in seccomp.DENIED:
        assert judge(name) in (refused, None)
    assert judge("clone3") == judge("memfd_create") == ERROR | errno.ENOSYS
    for flag in (0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert judge("clone", flag | 17) == refused
    assert judge("clone", 0x3D0F00) == ALLOW
    assert judge("mmap", 0, 1, 3, 0x21) == judge("mmap", 0, 1, 3, 0x23) == refused
    assert judge("mmap", 0, 1, 3, 0x22) == judge("mmap", 0, 1, 3, 0x01) == ALLOW
    assert judge("mknodat", 0, 0, 0o020644) == judge("mknodat", 0, 0, 0o060644) == refused
    assert judge("mknodat", 0, 0, 0o010644) == judge("mknodat", 0, 0, 0o644) == ALLOW
    assert judge("ioctl", 0, 0x5412) == refused
    # The kernel takes an int here: what is above 32 bits must not hide it.
    assert judge("ioctl", 0, 0x1_0000_5412) == refused
    assert judge("ioctl", 0, 0x5401) == ALLOW
    assert judge("prctl", 1, 0) == judge("prctl", 4, 0) == judge("prctl", 22, 2) == refused
    assert judge("prctl", 15) == ALLOW
    assert judge("personality", 0xFFFFFFFF) == judge("personality", 0) == ALLOW
    assert judge("personality", 0x0040000) == refused
    assert judge("kill", 77, 9) == judge("kill", 0, 9) == ALLOW
    assert judge("kill", 78, 9) == judge("kill", 0xFFFFFFFF, 9) == refused
    assert judge("socketpair", socket.AF_UNIX) == ALLOW
    assert judge("socketpair", 40) == ERROR | errno.EAFNOSUPPORT
    for family in (socket.AF_INET, socket.AF_INET6):
        assert judge("socket", family, 1 | 0o2004000, 0) == judge("socket", family, 2, 17) == inner
        assert judge("socket", family, 3, 1) == judge("socket", family, 1, 262) == refused
        assert judge("socket", family, 2, 1) == refused
    assert judge("socket", socket.AF_UNIX, 5) == judge("socket", socket.AF_NETLINK, 3, 0) == inner
    assert judge("socket", socket.AF_NETLINK, 3, 12) == refused
    assert {judge("socket", family, 1) for family in (17, 29, 31, 38, 40, 44)} == {unknown_family}
    assert judge("fchmodat", 0, 0, 0) == (ALLOW if namespaces else ERROR)
    assert judge("fchownat", 0, 0, 0) == (ALLOW if namespaces else refused)
    assert judge("openat", 0, 0, os.O_TRUNC) == (refused if namespaces else ALLOW)
    assert judge("openat", 0, 0, os.O_TRUNC | os.O_WRONLY) == judge("openat", 0, 0, 0) == ALLOW
    assert evaluate(program, machine, 0, audit=0x40000003) == KILL
    if machine == "x86_64":
        assert evaluate(program, machine, 0x40000000 | 39) == ERROR | errno.ENOSYS


HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", numbers.MACHINES)
def test_the_numbers_are_those_of_the_kernel(machine):
    if not HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not installed")
    text = HEADERS[machine].read_text()
    found = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text))
    known = {name: int(number) for name, number in found.items()}
    named = {name: numbers.number(name, machine) for name in numbers._NUMBERS}
    assert {n: v for n, v in named.items() if n in known and known[n] != v} == {}
    assert [n for n, v in named.items() if v is not None and v < 420 and n not in known] == []


def test_a_confinement_survives_json():
    confinement = Confinement(
        "full",
        Limits(processes=7),
        Path("/a"),
        (Path("/b"), Path("/c")),
        (Path("/b/d"),),
        {"A": "1"},
    )
    assert Confinement.from_json(json.loads(json.dumps(confinement.to_json()))) == confinement


@pytest.mark.parametrize(
    "change",
    [{"tier": "fulL"}, {"files": "relative"}, {"readable": ["x"]}, {"limits": {"processes": 0}}],
)
def test_what_is_no_confinement_is_refused(change):
    with pytest.raises(ValueError):
        Confinement.from_json(Confinement("none", Limits(), None).to_json() | change)


@pytest.mark.parametrize("path", ["/", "/tmp", "/home", "/proc", "/dev", "/dev/null", "/proc/1"])
def test_the_folders_of_the_sandbox_cannot_be_shown(path):
    with pytest.raises(SandboxError, match=path):
        paths.plan([Path(path)])


def test_what_python_needs_is_readable_and_not_more(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
    found = [str(path) for path in readable_paths()]
    assert all(os.path.exists(path) for path in found)
    home = os.path.expanduser("~")
    assert not {"/", "/tmp", "/etc", "/home", home, str(tmp_path)} & set(found)
    for needed in (sys.prefix, sys.base_prefix, os.__file__, json.__file__, paths.__file__):
        assert any(paths.below(needed, path) for path in found), needed


@pytest.mark.parametrize("abi", [1, 2, 3, 4, 5])
def test_an_older_landlock_is_made_up_for(user, abi, folder, monkeypatch):
    shown = folder / "shown"
    shown.write_text("data")
    shown.chmod(0o666)
    monkeypatch.setattr(landlock, "version", lambda: min(abi, 7))

    def run():
        outside = os.getpid()

        def attempt():
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
            return {
                "truncate": outcome(os.truncate, shown, 0),
                "open": outcome(os.open, shown, os.O_RDONLY | os.O_TRUNC),
                "signal": outcome(os.kill, outside, 0),
                "group": outcome(os.kill, -1, 0),
                "own": outcome(os.kill, os.getpid(), 0),
                "write": outcome(Path("own").write_text, "x"),
                "read": outcome(shown.read_text),
            }

        return confined(attempt, tier="filters", readable=(shown,)).value

    value = as_user(user, run)
    assert (value["own"], value["write"], value["read"]) == ("ok", "ok", "ok")
    assert {value[n] for n in ("truncate", "open", "signal", "group")} <= {"EPERM", "EACCES"}
    assert shown.read_text() == "data"


def test_without_landlock_the_full_tier_stands(user, monkeypatch):
    monkeypatch.setattr(landlock, "version", lambda: 0)
    assert run_as(user, lambda: outcome(os.mkdir, "/usr/x")).value == "EROFS"
    assert run_as(user, lambda: 1, tier="filters").reason == "failed"


def test_an_older_kernel_sets_each_mount_read_only(user, monkeypatch, folder):
    def unknown(*arguments):
        raise OSError(errno.ENOSYS, "unknown")

    (folder / "file").write_text("x")
    monkeypatch.setattr(inside.mounts.syscalls, "restrict_mounts", unknown)
    result = run_as(
        user,
        lambda: [outcome((folder / "file").write_text, "y"), outcome(os.mkdir, "/usr/x")],
        readable=(folder,),
    )
    assert result.value in (["EROFS", "EROFS"], ["EACCES", "EROFS"]), result


def test_the_finding_of_another_system_is_a_reason(monkeypatch):
    monkeypatch.setattr("nbjudge.sandbox.syscalls.machine", lambda: "")
    find_tier.cache_clear()
    try:
        finding = find_tier()
    finally:
        find_tier.cache_clear()
    assert (finding.tier, len(finding.missing)) == ("none", 1)


def test_the_finding_of_this_system():
    find_tier.cache_clear()
    assert find_tier().tier in TIERS


def test_importing_needs_nothing_heavy():
    script = (
        "import sys, nbjudge.sandbox\n"
        "heavy = {'numpy', 'tensorflow', 'nbgrader.api', 'nbformat', 'zmq', 'ctypes.util'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_importing_works_where_there_is_no_linux():
    script = (
        "import os, sys, subprocess, tempfile; sys.platform = 'elsewhere'\n"
        "sys.modules['fcntl'] = sys.modules['resource'] = None\n"
        "del os.sysconf, os.uname, os.fork, os.pidfd_open\n"
        "import nbjudge.sandbox as s; print(s.find_tier().tier, len(s.find_tier().missing))\n"
        "s.readable_paths()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "none 1\n", done.stderr


def test_descendants_are_found_without_the_kernels_lists(monkeypatch):
    others = set(watch.descendants_of(os.getpid(), 100)())  # of other tests
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.fork()
        os.write(writer, b"x")
        signal.pause()
    os.read(reader, 1), os.read(reader, 1)
    listed = set(watch.descendants_of(os.getpid(), 100)()) - others
    monkeypatch.setattr(watch.os.path, "exists", lambda path: False)
    scanned = set(watch.descendants_of(os.getpid(), 100)()) - others
    for pid in listed:
        os.kill(pid, signal.SIGKILL)
    os.waitpid(child, 0)
    assert child in listed and len(listed) == 2
    assert scanned == listed
