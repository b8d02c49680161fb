#!/usr/bin/python3
"""What cannot be written is exit 1 and said, for everything that prints; and nothing is written into the wrong file."""
import os
import signal
import subprocess

from _cli import SMALL, VEDETTE, Done, check, finish, vedette

for words in (["scan", SMALL], ["scan", SMALL, "--json"], ["scan", SMALL, "--fail-on", "low"], ["decode", SMALL],
              ["rules", "list"], ["rules", "check"], ["rules", "test"], ["--help"], ["scan", "--help"], ["--version"]):
    with open("/dev/full", "wb") as full:
        done = vedette(*words, stdout=full)
    check(done.code == 1, f"{' '.join(words)}: a full disk is exit 1", done)
    check(b"vedette: standard output could not be written" in done.err, f"{' '.join(words)}: and it is said", done)

# Who reads only the beginning (`| head`) ends it without a word.
process = subprocess.Popen([VEDETTE, "decode", *[SMALL] * 1], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL))
process.stdout.close()
err = process.stderr.read()
process.wait(30)
check(err == b"", "a closed pipe is no reason for a message", Done(process.returncode, b"", err))

# With standard streams closed their numbers are free: no file of ours may get them.
for closed in (">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
    before = os.stat(SMALL).st_size
    done = subprocess.run(["bash", "-c", f"{VEDETTE} scan {SMALL} {closed}"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30, check=False)
    want = 0 if closed == "2>&-" else 1
    check(done.returncode == want, f"scan {closed}: exit {done.returncode}, expected {want}")
    check(os.stat(SMALL).st_size == before, f"scan {closed}: the log grew")
finish()
