#!/usr/bin/python3
"""What scan says and how it ends for inputs that are odd: what cannot be read is named, the rest is done, exit 1."""
import gzip
import json
import os
import pathlib
import random
import shutil
import subprocess

from _cli import SMALL, VEDETTE, check, finish, vedette

HERE = pathlib.Path.cwd()
SCAN = ("--json", "--year", "2026", "--timezone", "UTC", "--min-level", "critical")


def alerts(done):
    return [json.loads(line)["rule"]["title"] for line in done.out.splitlines()]


BRUTE = ["Login after brute force from the same address"]


def missing():
    done = vedette("scan", "nowhere.log", SMALL, "nothing-*.log", *SCAN)
    check(done.code == 1, "a missing path is exit 1", done)
    check(b"vedette: nowhere.log: does not exist" in done.err, "the missing path is named", done)
    check(b"vedette: nothing-*.log: no file matches" in done.err, "the glob without match is named", done)
    check(alerts(done) == BRUTE, "what can be read is read", done)


def missing_goes_before_fail_on():
    done = vedette("scan", "nowhere.log", SMALL, *SCAN, "--fail-on", "low")
    check(done.code == 1, "what could not be read is exit 1, also when --fail-on is reached", done)


def folders():
    os.makedirs("empty/deeper", exist_ok=True)
    done = vedette("scan", "empty", *SCAN)
    check(done.code == 0 and done.out == b"", "an empty folder is nothing wrong", done)
    os.makedirs("tree/a/b", exist_ok=True)
    shutil.copy(SMALL, "tree/a/b/auth.log")
    os.symlink("..", "tree/a/b/loop")
    os.symlink("nowhere", "tree/dangling")
    os.mkfifo("tree/pipe")
    done = vedette("scan", "tree", *SCAN)
    check(alerts(done) == BRUTE, "a folder stands for all below it; loops of links and pipes do not hang", done)


def odd_names():
    shutil.copy(SMALL, "--odd [1]*.log")
    done = vedette("scan", *SCAN, "--", "--odd [1]*.log")
    check(done.code == 0 and alerts(done) == BRUTE, "after -- a word is a path; the name of a file is no glob", done)


def without_rights():
    os.makedirs("locked/below", exist_ok=True)
    shutil.copy(SMALL, "locked/below/a.log")
    shutil.copy(SMALL, "secret.log")
    shutil.copy(SMALL, "open.log")
    os.chmod("locked", 0)
    os.chmod("secret.log", 0)
    # Root reads everything unless it gives that right away.
    drop = [] if os.getuid() else ["setpriv", "--bounding-set=-dac_override,-dac_read_search",
                                   "--inh-caps=-all", "--"]
    done = subprocess.run([*drop, VEDETTE, "scan", "locked", "secret.log", "open.log", *SCAN],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    os.chmod("locked", 0o700)
    os.chmod("secret.log", 0o600)
    done.code, done.out, done.err = done.returncode, done.stdout, done.stderr
    check(done.code == 1, "what may not be read is exit 1", done)
    check(b"vedette: locked" in done.err and b"vedette: secret.log" in done.err, "both are named", done)
    check(done.err.count(b"ermission denied") == 2, "and why", done)
    check(alerts(done) == BRUTE, "the file that may be read is read", done)


def compressed():
    text = pathlib.Path(SMALL).read_bytes()
    pathlib.Path("good.gz").write_bytes(gzip.compress(text[:300]) + gzip.compress(text[300:]))
    done = vedette("scan", "good.gz", *SCAN)
    check(done.code == 0 and alerts(done) == BRUTE, "gzip of several members is one text", done)
    shutil.copy("good.gz", "plain-name.log")
    done = vedette("scan", "plain-name.log", *SCAN)
    check(done.code == 0 and alerts(done) == BRUTE, "what is compressed is known by its bytes, not its name", done)
    long = text + b"".join(b"Mar 27 14:00:%02d web1 cron[%d]: %s\n" % (i % 60, i, random.Random(i).randbytes(60).hex().encode())
                           for i in range(20000))
    whole = gzip.compress(long)
    pathlib.Path("cut.gz").write_bytes(whole[:len(whole) // 2])
    done = vedette("scan", "cut.gz", *SCAN)
    check(done.code == 1 and b"vedette: cut.gz: gzip data ends in the middle" in done.err, "a cut gz is named", done)
    check(alerts(done) == BRUTE, "what lies before the cut is read", done)
    zst = subprocess.run(["zstd", "-q", "-c"], input=long, stdout=subprocess.PIPE, check=True).stdout
    pathlib.Path("cut.zst").write_bytes(zst[:len(zst) // 2])
    done = vedette("scan", "cut.zst", *SCAN)
    check(done.code == 1 and b"vedette: cut.zst: zstd data ends in the middle" in done.err, "a cut zst is named", done)
    check(alerts(done) == BRUTE, "what lies before the cut is read", done)
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF
    damaged[len(whole) // 2 + 1] ^= 0xFF
    pathlib.Path("damaged.gz").write_bytes(damaged)
    done = vedette("scan", "damaged.gz", *SCAN)
    check(done.code == 1 and b"damaged.gz" in done.err, "a damaged gz is named", done)


def binary():
    noise = random.Random(7).randbytes(100_000)
    pathlib.Path("noise").write_bytes(noise)
    done = vedette("scan", "noise", "--json")
    records = noise.count(b"\n") + (not noise.endswith(b"\n"))
    check(done.code == 0, "bytes that are no log are no error", done)
    check(f"read      {records} records".encode() in done.err and b"balances" in done.err,
          "every piece between line ends is accounted for", done)
    done = vedette("decode", "noise")
    check(done.code == 0 and len([json.loads(x) for x in done.out.splitlines()]) + 1 >= records,
          "and decode prints each as JSON", done)
    pathlib.Path("zeros").write_bytes(bytes(100_000))
    done = vedette("scan", "zeros", "--json")
    check(done.code == 0 and b"read      1 record" in done.err, "a hundred thousand NUL are one record", done)


def standard_input():
    text = pathlib.Path(SMALL).read_bytes()
    done = vedette("scan", "-", *SCAN, input=text)
    check(done.code == 0 and alerts(done) == BRUTE, "- is standard input", done)
    done = vedette("scan", "-", *SCAN, input=gzip.compress(text))
    check(done.code == 0 and alerts(done) == BRUTE, "also when it is compressed", done)
    done = vedette("scan", "-", *SCAN, input=text[:-1])
    check(done.code == 0 and alerts(done) == BRUTE, "the last line may lack its end", done)
    done = vedette("scan", "-", *SCAN, input=text.replace(b"\n", b"\r\n"))
    check(done.code == 0 and alerts(done) == BRUTE, "lines may end with CR LF", done)


for part in (missing, missing_goes_before_fail_on, folders, odd_names, without_rights, compressed, binary, standard_input):
    part()
finish()
