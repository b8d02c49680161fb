#!/usr/bin/python3
"""Memory is bounded whatever the input is: one line of 100 MB, one that only unpacks to that, many short ones."""
import gzip
import json
import os
import pathlib
import resource
import subprocess
import zlib

from _cli import VEDETTE, Done, check, finish

BOUND = 300 << 20
AFTER = b"\nMar 27 13:06:51 web1 sshd[411]: Failed password for root from 192.0.2.7 port 40112 ssh2\n"


def measured(*words, stdin=None):
    """The run and its greatest resident size in bytes."""
    with open("out", "wb") as out, open("err", "wb") as err:
        process = subprocess.Popen([VEDETTE, *words], stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    done = Done(process.returncode, pathlib.Path("out").read_bytes(), pathlib.Path("err").read_bytes())
    return done, usage.ru_maxrss * 1024


def bounded(what, *words, stdin=None):
    done, size = measured(*words, stdin=stdin)
    check(size < BOUND, f"{what}: {size >> 20} MiB", done)
    return done


def one_line(path, filler):
    with open(path, "wb") as out:
        out.write(b"Mar 27 13:06:50 web1 sshd[411]: ")
        for _ in range(100):
            out.write(filler * (1_000_000 // len(filler)))
        out.write(AFTER)


os.environ.pop("ASAN_OPTIONS", None)
for name, filler in (("text", b"x"), ("json", b'{"a":['), ("quotes", b'"\\'), ("nul", b"\0")):
    one_line(name, filler)
    done = bounded(f"one line of 100 MB ({name})", "scan", name, "--json", "--year", "2026")
    titles = [json.loads(line)["rule"]["title"] for line in done.out.splitlines()]
    check(done.code == 0 and "Failed password" in titles, f"{name}: the line after it is read as ever", done)
    check(b"1 record cut" in done.err and b"balances" in done.err, f"{name}: the cut is counted", done)
    if name == "text":
        with open(name, "rb") as text:
            bounded("the same on standard input", "scan", "-", "--json", stdin=text)
        bounded("decode", "decode", name)
    os.unlink(name)

packer = zlib.compressobj(9, zlib.DEFLATED, 31)
with open("bomb.gz", "wb") as out:
    for _ in range(300):
        out.write(packer.compress(b"\0" * 1_000_000))
    out.write(packer.flush())
done = bounded("300 MB in 300 kB", "scan", "bomb.gz", "--json")
check(done.code == 0 and b"1 record cut" in done.err, "a bomb is one long line", done)

pathlib.Path("blank.gz").write_bytes(gzip.compress(b"\n" * 50_000_000, 1))
done = bounded("50,000,000 empty lines", "scan", "blank.gz", "--json")
check(done.code == 0 and b"50,000,000 blank" in done.err, "empty lines are counted", done)
check(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < BOUND, "the test itself is to blame")
finish()
