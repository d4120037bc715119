"""What a confined process can reach, with the same attempts unconfined as a control."""

import contextlib
import ctypes
import json
import mmap
import os
import socket
import subprocess
import sys
from pathlib import Path

import nbjudge
import pytest
from harness import ORDINARY, as_user, confined, outcome, run_as
from nbjudge.sandbox import readable_paths

TIERS = ["full", "filters"]
SECRET = "the-gradebook-of-everyone"


def connect(family, kind, address):
    with socket.socket(family, kind) as attempt:
        attempt.settimeout(5)
        attempt.connect(address)
        if kind == socket.SOCK_DGRAM:
            attempt.send(b"out")


@contextlib.contextmanager
def listeners(folder):
    """Sockets outside: TCP, UDP, abstract, by path; with how to reach each."""
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(b"\0nbjudge-test-" + os.urandom(8).hex().encode())
        abstract.listen()
        path = stack.enter_context(socket.socket(socket.AF_UNIX))
        path.bind(str(folder / "socket"))
        os.chmod(folder / "socket", 0o777)
        path.listen()
        yield (
            {
                "tcp": (socket.AF_INET, socket.SOCK_STREAM, tcp.getsockname()),
                "udp": (socket.AF_INET, socket.SOCK_DGRAM, udp.getsockname()),
                "abstract": (socket.AF_UNIX, socket.SOCK_STREAM, abstract.getsockname()),
                "path": (socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "socket")),
            },
            udp,
        )


@pytest.mark.parametrize("tier", ["none", *TIERS])
def test_no_socket_of_the_host_is_reached(user, tier, folder):
    with listeners(folder) as (targets, udp):
        # The folder of the socket is shown, so that not its absence keeps it from being reached.
        result = run_as(
            user,
            lambda: {name: outcome(connect, *target) for name, target in targets.items()},
            tier=tier,
            readable=() if tier == "full" else (folder,),
        )
        arrived = outcome(udp.recv, 10)
    if tier == "none":
        assert result.value == dict.fromkeys(targets, "ok")
        assert arrived == "ok"
    else:
        assert "ok" not in {result.value[name] for name in ("tcp", "abstract", "path")}
        assert arrived == "EAGAIN"


def test_a_shown_socket_is_refused_where_sockets_are_not_namespaced(user, folder):
    with listeners(folder) as (targets, _):
        result = run_as(
            user, lambda: outcome(connect, *targets["path"]), tier="filters", readable=(folder,)
        )
    assert result.value == "EPERM"


def families():
    make = socket.socket
    vsock, alg, packet = socket.AF_VSOCK, socket.AF_ALG, socket.AF_PACKET
    return {
        "vsock": outcome(make, vsock, socket.SOCK_STREAM),
        "alg": outcome(make, alg, socket.SOCK_SEQPACKET),
        "packet": outcome(make, packet, socket.SOCK_RAW),
        "raw": outcome(make, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        "ping": outcome(make, socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
        "mptcp": outcome(make, socket.AF_INET, socket.SOCK_STREAM, 262),
        "netfilter": outcome(make, socket.AF_NETLINK, socket.SOCK_RAW, 12),
        "pair": outcome(socket.socketpair, vsock),
    }


@pytest.mark.parametrize("tier", TIERS)
def test_other_address_families_are_refused(user, tier):
    refused = run_as(user, families, tier=tier).value
    assert set(refused.values()) <= {"EPERM", "EAFNOSUPPORT"}


def test_the_control_makes_a_vsock_socket(user):
    assert run_as(user, families, tier="none").value["vsock"] == "ok"


def own_network():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return {
            "tcp": outcome(connect, socket.AF_INET, socket.SOCK_STREAM, server.getsockname()),
            "outside": outcome(connect, socket.AF_INET, socket.SOCK_STREAM, ("192.0.2.1", 9)),
            "interfaces": [name for _, name in socket.if_nameindex()],
            "pair": outcome(socket.socketpair),
        }


def test_the_full_tier_has_a_network_of_its_own(user):
    value = run_as(user, own_network).value
    assert value == {"tcp": "ok", "outside": "ENETUNREACH", "interfaces": ["lo"], "pair": "ok"}


@pytest.mark.parametrize("tier", ["none", *TIERS])
def test_files_of_the_host_cannot_be_read(user, tier, folder):
    work, shown = folder / "submitted", folder / "shown"
    work.mkdir()
    shown.mkdir()
    (work / "notebook.ipynb").write_text("{}")
    (shown / "data.csv").write_text("1")
    (shown / "inner").mkdir()
    (shown / "inner" / "secret").write_text(SECRET)
    (folder / "gradebook.db").write_text(SECRET)
    (work / "link").symlink_to(folder / "gradebook.db")
    (work / "way").symlink_to(folder)
    os.mkfifo(work / "fifo")

    def look():
        return {
            "gradebook": outcome(Path(folder, "gradebook.db").read_text),
            "hidden": outcome(Path(shown, "inner", "secret").read_text),
            "shadow": outcome(Path("/etc/hostname").read_text),
            "shown": outcome(Path(shown, "data.csv").read_text),
            "write": outcome(Path(shown, "data.csv").write_text, "2"),
            "new": outcome(Path(shown, "new").write_text, "2"),
            "remove": outcome(os.unlink, shown / "data.csv"),
            "mode": outcome(os.chmod, shown / "data.csv", 0o700),
            "far": outcome(os.chmod, folder / "gradebook.db", 0o700),
            "work": sorted(os.listdir(".")),
            "own": outcome(Path("own").write_text, "x"),
            "temporary": outcome(Path(os.environ["TMPDIR"], "own").write_text, "x"),
        }

    own = (shown, shown / "data.csv", folder / "gradebook.db")
    for path in own:
        path.chmod(0o777)
        if user == "ordinary" and os.getuid() == 0:
            os.chown(path, ORDINARY, ORDINARY)
    value = run_as(
        user, look, tier=tier, files=work, readable=(shown,), hidden=(shown / "inner",)
    ).value
    modes = {path.stat().st_mode & 0o777 for path in own if path.exists()}
    assert value["own"] == value["temporary"] == "ok"
    assert value["work"] == ["notebook.ipynb"]
    reached = {name for name in ("gradebook", "hidden", "shadow") if value[name] == "ok"}
    changed = {name for name in ("write", "new", "remove") if value[name] == "ok"}
    if tier == "none":
        assert reached == {"gradebook", "hidden", "shadow"}
        assert changed == {"write", "new", "remove"}
        assert 0o700 in modes
    else:
        assert not reached
        assert not changed
        assert modes == {0o777}
        assert value["shown"] == "ok"
        assert (shown / "data.csv").read_text() == "1"
    assert not (work / "own").exists()


def test_nothing_beside_a_shown_folder_is_visible(user, folder):
    for name in ("shown", "beside"):
        (folder / "deep" / name).mkdir(parents=True)
    # Where this repository itself lies in /tmp, its environment is shown there.
    own_places = {path.parts[2] for path in readable_paths() if path.is_relative_to("/tmp")}
    result = run_as(
        user,
        lambda: {
            "deep": os.listdir(folder / "deep"),
            "tmp": sorted(os.listdir("/tmp")),
            "rename": outcome(os.rename, folder, "/tmp/other"),
            "beside": outcome(os.mkdir, folder / "deep" / "beside"),
            "root": outcome(os.mkdir, "/new"),
            "etc": outcome(Path("/etc/passwd").write_text, ""),
            "resolv": os.path.exists("/etc/resolv.conf"),
        },
        readable=(folder / "deep" / "shown",),
    )
    assert result.value == {
        "deep": ["shown"],
        "tmp": sorted({folder.name, *own_places}),
        "rename": "EBUSY",
        "beside": "EROFS",
        "root": "EROFS",
        "etc": result.value["etc"],
        "resolv": False,
    }
    assert result.value["etc"] in {"EACCES", "EROFS"}


def test_a_link_inside_a_shown_folder_leads_only_where_asked(user, folder):
    for name in ("shown", "target", "other"):
        (folder / name).mkdir()
        (folder / name / "file").write_text(name)
    (folder / "shown" / "good").symlink_to(folder / "target")
    (folder / "shown" / "bad").symlink_to(folder / "other")
    result = run_as(
        user,
        lambda: [
            outcome(Path(folder, "shown", name, "file").read_text) for name in ("good", "bad")
        ],
        readable=(folder / "shown", folder / "shown" / "good"),
    )
    assert result.value == ["ok", "ENOENT"]


def identity():
    lines = Path("/proc/self/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    return {
        "uids": os.getresuid(),
        "gids": os.getresgid(),
        "groups": os.getgroups(),
        "capabilities": {status[n].strip() for n in status if n.startswith("Cap")}.pop(),
        "distinct": len({status[n].strip() for n in status if n.startswith("Cap")}),
        "privileges": status["NoNewPrivs"].strip(),
        "setuid": outcome(os.setuid, 0),
        "session": os.getsid(0) == os.getpid(),
        "terminal": outcome(os.open, "/dev/tty", os.O_RDWR),
        "securebits": ctypes.CDLL(None).prctl(27, 0, 0, 0, 0),
    }


@pytest.mark.parametrize("tier", TIERS)
def test_the_process_has_no_privileges(user, tier):
    value = run_as(user, identity, tier=tier).value
    assert 0 not in value["uids"] + value["gids"]
    assert len(set(value["uids"])) == 1
    assert (int(value["capabilities"], 16), value["distinct"]) == (0, 1) or user == "ordinary"
    assert value["privileges"] == "1"
    assert value["setuid"] in {"EPERM", "EINVAL"}
    assert value["session"]
    assert value["terminal"] != "ok"
    if tier == "full":
        assert (int(value["capabilities"], 16), value["distinct"]) == (0, 1)
        assert value["securebits"] == 0xEF
        assert value["groups"] in ([], [65534])


def test_two_sandboxes_of_root_have_different_users():
    if os.getuid() != 0:
        pytest.skip("the tests were not started as root")
    first, second = (run_as("root", os.getuid).value for _ in range(2))
    assert first != second


def test_only_own_processes_are_seen(user):
    def look():
        with subprocess.Popen(["sleep", "100"]) as child:
            seen = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
            child.kill()
        return [os.getpid(), seen == [1, child.pid]]

    assert run_as(user, look).value == [1, True]


@pytest.mark.parametrize("tier", TIERS)
def test_the_environment_of_the_server_is_gone(user, tier):
    # It must be part of the memory that the kernel gave the program at its start.
    package = str(Path(nbjudge.__file__).parents[1])
    script = (
        "import json, os, sys; sys.path.insert(0, sys.argv[1]); from harness import *\n"
        "from pathlib import Path\n"
        "def look():\n"
        "    own = subprocess.run(['/usr/bin/env'], capture_output=True).stdout\n"
        "    return [dict(os.environ), Path('/proc/self/environ').read_text(), own.decode()]\n"
        "import subprocess\n"
        "value = as_user(sys.argv[2], lambda: confined(\n"
        "    look, tier=sys.argv[3], environment={'GIVEN': '1'}).value)\n"
        "print(json.dumps(value))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(Path(__file__).parent), user, tier],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": package, "A_TOKEN": SECRET},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout
    environment = json.loads(done.stdout)[0]
    assert set(environment) == {"PATH", "HOME", "LANG", "TMPDIR", "USER", "GIVEN"}


def forbidden_calls(*names):
    libc = ctypes.CDLL(None, use_errno=True)
    x86 = os.uname().machine == "x86_64"

    def call(number, *arguments):
        if libc.syscall(number, *arguments) < 0:
            raise OSError(ctypes.get_errno(), "refused")

    def shared():
        mmap.mmap(-1, 4096).close()

    attempts = {
        "unshare": (call, 272 if x86 else 97, 0x10000000),
        "unshare mounts": (call, 272 if x86 else 97, 0x20000),
        "clone": (call, 56 if x86 else 220, 0x10000000 | 17, 0, 0, 0, 0),
        "clone3": (call, 435, 0, 0),
        "setns": (call, 308 if x86 else 268, 0, 0),
        "mount": (call, 165 if x86 else 40, b"none", b"/tmp", b"tmpfs", 0, 0),
        "fsopen": (call, 430, b"tmpfs", 0),
        "open_tree": (call, 428, -100, b"/usr", 1),
        "chroot": (os.chroot, "/usr"),
        "ptrace": (call, 101 if x86 else 117, 0, 0, 0, 0),
        "process_vm_readv": (call, 310 if x86 else 270, os.getpid(), 0, 0, 0, 0, 0),
        "bpf": (call, 321 if x86 else 280, 0, 0, 0),
        "perf": (call, 298 if x86 else 241, 0, 0, -1, -1, 0),
        "io_uring": (call, 425, 8, b"\0" * 120),
        "keyctl": (call, 250 if x86 else 219, 0, -3, 0),
        "userfaultfd": (call, 323 if x86 else 282, 1),
        "memfd": (os.memfd_create, "x"),
        "shmget": (call, 29 if x86 else 194, 0, 4096, 0o1600),
        "shared": (shared,),
        "seccomp": (call, 317 if x86 else 277, 99, 0, 0),
        "deathsig": (call, 157 if x86 else 167, 1, 0, 0, 0, 0),
        "dumpable": (call, 157 if x86 else 167, 4, 0, 0, 0, 0),
        "personality": (call, 135 if x86 else 92, 0x0040000),
        "tiocsti": (call, 16 if x86 else 29, 0, 0x5412, b"x"),
        "device": (os.mknod, "device", 0o20666, os.makedev(1, 1)),
        "x32": (call, 0x40000000 | 39 if x86 else 1 << 20),
    }
    return {name: outcome(*attempts[name]) for name in names or attempts}


@pytest.mark.parametrize("tier", TIERS)
def test_dangerous_calls_are_refused(user, tier):
    value = run_as(user, forbidden_calls, tier=tier).value
    unknown = {name for name, error in value.items() if error == "ENOSYS"}
    assert unknown == {"clone3", "memfd", "x32"}
    assert {error for name, error in value.items() if name not in unknown} == {"EPERM"}


def test_the_control_may_do_most_of_that(user):
    # Those that change nothing but the process itself.
    permitted = ["unshare", "memfd", "shared", "deathsig", "dumpable", "personality"]
    value = run_as(user, lambda: forbidden_calls(*permitted, "clone3", "seccomp"), tier="none")
    # To the kernel itself, the arguments of the last two are wrong.
    wrong = {"clone3": "EINVAL", "seccomp": "EINVAL"}
    assert value.value == dict.fromkeys(permitted, "ok") | wrong


@pytest.mark.parametrize("tier", ["none", *TIERS])
def test_no_signal_leaves(user, tier):
    def run():
        outside = os.getpid()

        def attempt():
            return [outcome(os.kill, pid, 0) for pid in (outside, os.getppid() or outside)]

        return confined(attempt, tier=tier).value

    value = as_user(user, run)
    assert ("ok" in value) is (tier == "none")


def test_zeros_cannot_be_mapped_as_memory_of_nobody(user):
    def attempt():
        descriptor = os.open("/dev/zero", os.O_RDWR)
        return [os.read(descriptor, 3) == bytes(3), outcome(mmap.mmap, descriptor, 4096)]

    assert run_as(user, attempt).value == [True, "ENODEV"]
    assert run_as(user, attempt, tier="none").value == [True, "ok"]


def test_files_can_be_used_as_a_notebook_does(user):
    def use():
        import multiprocessing
        import tempfile
        import threading

        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"1")
        context = multiprocessing.get_context("fork")
        with context.Pool(2) as pool:
            sums = pool.map(abs, [-1, -2])
        zeros = os.read(os.open("/dev/zero", os.O_RDONLY), 4)
        python = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True)
        return [sums, list(zeros), python.stdout.decode().strip(), os.path.expanduser("~")]

    assert run_as(user, use).value == [[1, 2], [0, 0, 0, 0], "42", "/home/student"]
