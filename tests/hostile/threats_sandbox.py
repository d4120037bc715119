"""Reaching for files, other processes, the network and secrets from inside a cell."""

from hostile_threat import attack, ended, harmless

TRY = """
import json, os, socket, sys
from pathlib import Path
got = {}
def attempt(name, act):
    try:
        got[name] = "ok " + repr(act())[:2000]
    except BaseException as error:
        got[name] = type(error).__name__ + " " + str(error)[:100]
"""
TELL = "\nprint('PROBE' + json.dumps(got))"

READ = (
    TRY
    + """
root = "@ROOT@"
for name in ("source/h1/tasks.ipynb", "source", "labels.json", "gradebook/gradebook.db",
             "gradebook", "gradebook/records", "submitted/honest/h1/tasks.ipynb", "submitted",
             "nbgrader_config.py", "autograded", "feedback", "release/h1/tasks.ipynb"):
    path = os.path.join(root, name)
    attempt(name, lambda: os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(9))
for path in ("@TESTS@/hostile_course.py", "/etc/shadow", "/root/.ssh", "/root/.bashrc",
             "/proc/kcore",
             "/proc/1/root@ROOT@/source", "/proc/self/cwd/../../..@ROOT@/labels.json",
             "/dev/mem", "/dev/sda", "/sys",
             "/run", "/var/lib", "/var/log", "/old", "/host", "@TMP@/nbjudge-warm", "/boot"):
    attempt(path, lambda: os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(9))
def others(folder, known):
    return [name for name in os.listdir(folder) if name not in known] or 1 / 0
attempt("beside what is given", lambda: others(root, ["given.txt"]))
# Where this repository itself lies in /tmp, its environment is shown there.
tops = [path.split("/")[2] for path in (root, *sys.path) if path.startswith("/tmp/")]
attempt("in tmp", lambda: others("/tmp", tops))
attempt("in the home of root", lambda: others("/root", [".pyenv"]))
"""
    + TELL
)

GIVEN = TRY + "\nattempt('given', lambda: open(os.environ['HOSTILE_GIVEN']).read())" + TELL

PROCESSES = (
    TRY
    + """
mine = {os.getpid()}
others = [int(p) for p in os.listdir("/proc") if p.isdigit() and int(p) not in mine]
attempt("others", lambda: others or 1 / 0)
for number in [*others, 1, os.getppid()]:
    if number not in mine:
        for part in ("environ", "cmdline", "maps"):
            attempt(f"{number} {part}",
                    lambda: open(f"/proc/{number}/{part}", "rb").read() or 1 / 0)
        attempt(f"{number} mem", lambda: open(f"/proc/{number}/mem", "rb+"))
        attempt(f"{number} fd", lambda: os.listdir(f"/proc/{number}/fd"))
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)
for other in ("ptrace", "process_vm_readv"):
    attempt(other, lambda: call(other, 16, 2, 0, 0, 0, 0))
attempt("unshare", lambda: call("unshare", 0x10000000))
attempt("setns", lambda: call("setns", 0, 0))
attempt("mount", lambda: call("mount", b"tmpfs", b"/tmp", b"tmpfs", 0, 0))
attempt("umount", lambda: call("umount2", b"/tmp", 2))
attempt("chroot", lambda: call("chroot", b"/tmp"))
attempt("setuid", lambda: os.setuid(0))
attempt("chown", lambda: os.chown("/home/student/work", 0, 0))
attempt("keyctl", lambda: call("syscall", 250, 0, -3, 0))
attempt("bpf", lambda: call("syscall", 321, 0, 0, 0))
attempt("io_uring", lambda: call("syscall", 425, 1, 0))
"""
    + TELL
)

ENVIRONMENT = """
import os, sys
print(dict(os.environ))
print(open("/proc/self/environ", "rb").read())
print(open("/proc/1/environ", "rb").read())
print(open("/proc/self/cmdline", "rb").read(), sys.argv, sys.orig_argv)
"""

DESCRIPTORS = (
    TRY
    + """
for number in os.listdir("/proc/self/fd"):
    attempt("link " + number, lambda: os.readlink(f"/proc/self/fd/{number}"))
links = dict(got)
got.clear()
for name, link in links.items():
    number, link = int(name.split()[1]), link.partition("'")[2].rstrip("'")
    if link.startswith(("/dev/null", "anon_inode:", "socket:", "pipe:")) or not link:
        continue
    attempt(link, lambda: os.read(number, 9))
for number in map(int, (name.split()[1] for name in links)):
    attempt(f"openat {number}", lambda: os.open("../../../../../etc/shadow", 0, dir_fd=number))
    attempt(f"fchdir {number}", lambda: os.fchdir(number))
"""
    + TELL
)

WRITE = (
    TRY
    + """
import numpy, nbjudge, site
root = "@ROOT@"
places = [root + "/" + name for name in ("source/h1/x", "gradebook/gradebook.db", "labels.json",
          "autograded/x", "submitted/honest/h1/tasks.ipynb", "x", "nbgrader_config.py")]
places += [numpy.__file__, nbjudge.__file__, site.getsitepackages()[0] + "/evil.pth",
           site.getsitepackages()[0] + "/sitecustomize.py", sys.executable, "/x", "/usr/x",
           "/etc/passwd", "/etc/ld.so.preload", "/proc/self/oom_score_adj_",
           "/proc/sys/kernel/core_pattern", "/dev/x", "@TESTS@/evil.py",
           os.environ["HOSTILE_GIVEN"]]
for path in places:
    attempt(path, lambda: open(path, "a").write("evil"))
    attempt("remove " + path, lambda: os.remove(path))
    attempt("link " + path, lambda: os.link(path, "linked"))
"""
    + TELL
)

NETWORK = (
    TRY
    + """
def tcp(address):
    with socket.create_connection(address, 1) as made:
        made.send(b"evil")
def udp(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.settimeout(1)
        made.sendto(b"evil", address)
        made.connect(address)
        made.send(b"evil")
        return "sent"
def unix(address, kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_UNIX, kind) as made:
        made.settimeout(1)
        made.connect(address)
        made.send(b"evil")
attempt("tcp", lambda: tcp(("127.0.0.1", @TCP@)))
attempt("tcp by name", lambda: tcp(("localhost", @TCP@)))
attempt("tcp 6", lambda: tcp(("::1", @TCP@)))
attempt("udp", lambda: udp(("127.0.0.1", @UDP@)) and 1 / 0)
attempt("abstract", lambda: unix("\\0@ABSTRACT@"))
attempt("path", lambda: unix("@SOCKET@"))
attempt("path datagram", lambda: unix("@SOCKET@", socket.SOCK_DGRAM))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3))
attempt("vsock", lambda: socket.socket(40, socket.SOCK_STREAM))
attempt("mptcp", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262))
attempt("sctp", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132))
def links():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as made:
        return socket.if_nameindex()
attempt("interfaces", lambda: [name for _, name in links() if name != "lo"] or 1 / 0)
"""
    + TELL
)

SURVIVORS = """
import atexit, os, signal, sys, threading, time
atexit.register(lambda: sys.exit(7))
atexit.register(lambda: time.sleep(600))
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        for number in range(1, 30):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        while True:
            time.sleep(1)
def go_on():
    while True:
        print("still here")
        time.sleep(0.01)
for _ in range(3):
    threading.Thread(target=go_on, daemon=False).start()
"""

SIGNALS = """
import os, signal
for number in (0, -1, 1, os.getppid()):
    for name in ("SIGTERM", "SIGKILL", "SIGSTOP", "SIGHUP", "SIGUSR1"):
        try:
            os.kill(number, getattr(signal, name))
        except OSError:
            pass
"""


def no_attempt_succeeds(graded) -> None:
    tried = graded.probe()
    assert len(tried) > 4
    assert {name: what for name, what in tried.items() if what.startswith("ok")} == {}


def given_is_there(graded) -> None:
    assert graded.probe() == {"given": "ok 'what students may read'"}


def nothing_was_heard(graded) -> None:
    no_attempt_succeeds(graded)
    assert graded.heard == []


def probe(words: str, source: str, **options):
    return harmless(words, last=source, **({"check": no_attempt_succeeds} | options))


THREATS = {
    "reads-files": probe("the instructor's files and the machine's", READ, as_ordinary=True),
    "reads-given": probe("the data that it may read", GIVEN, check=given_is_there),
    "reads-processes": probe("other processes, and more rights", PROCESSES, as_ordinary=True),
    "reads-environment": harmless(
        "environments", last=ENVIRONMENT, stock_shows="environment", as_ordinary=True
    ),
    "uses-descriptors": probe("what descriptors it inherited", DESCRIPTORS, as_ordinary=True),
    "writes-files": probe("writing where it must not", WRITE, as_ordinary=True),
    "calls-out": probe("every kind of socket", NETWORK, check=nothing_was_heard, as_ordinary=True),
    "reads-source": attack(
        "the source, by its path",
        last="from pathlib import Path\n"
        "print([p.read_text() for p in Path('@ROOT@/source').glob('*/*.ipynb')])",
        stock_shows="solution",
    ),
    "reads-gradebook": attack(
        "the gradebook, by its path",
        last="from pathlib import Path\n"
        "for path in sorted(Path('@ROOT@').glob('**/gradebook.db')):\n"
        "    print(path.read_bytes().decode('latin-1'))",
        stock_shows="gradebook",
    ),
    "reads-classmate": attack(
        "another student's submission",
        last="print(open('@ROOT@/submitted/classmate/h1/tasks.ipynb').read())",
        stock_shows="classmate",
    ),
    "survives": harmless("processes and threads that go on", last=SURVIVORS, as_ordinary=True),
    "signals-everybody": harmless("signals to 0, -1, 1 and its parent", last=SIGNALS),
    "signals-first": harmless("the same before all other cells", SIGNALS, as_ordinary=True),
    "leaves": ended("os._exit", "The kernel died in", "import os\nos._exit(0)"),
    "aborts": ended("os.abort", "The kernel died in", "import os\nos.abort()"),
    "crashes": ended("a segmentation fault", "kernel died", "import ctypes\nctypes.string_at(0)"),
    "stops-the-loop": ended(
        "stops the kernel's own loop",
        "",
        "import asyncio\nasyncio.get_event_loop().stop()\nget_ipython().kernel.io_loop.stop()",
    ),
    "closes-descriptors": ended(
        "closes all its descriptors", "", "import os\nos.closerange(0, 1000)"
    ),
    "exits": harmless("exit() and quit() in a cell", last="exit()"),
}
