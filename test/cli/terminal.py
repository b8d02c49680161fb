#!/usr/bin/python3
"""On a terminal nothing that a log holds takes effect: no control characters, no changes of direction; colours are ours."""
import os
import pathlib
import pty
import re
import subprocess

from _cli import VEDETTE, check, finish, vedette

HOSTILE = [b"\x1b]0;owned\x07", b"\x1b[2J\x1b[H", b"\x9b31m", b"\xc2\x9b31m", "\u202eevil".encode(), b"\x00\x08\x7f", b"\xff\xfe",
           b"\r overwritten", "\u2066\u200b\ufeff".encode()]
OURS = re.compile(rb"\x1b\[[0-9;]*m|\r?\x1b\[K|\r\n|\r(?=\[[#.]{25}\])")


def on_terminal(*words, **environment):
    """What a terminal gets, standard error included."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([VEDETTE, *words], stdin=subprocess.DEVNULL, stdout=follower, stderr=follower,
                               env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environment})
    os.close(follower)
    out = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        out += piece
    process.wait(30)
    os.close(leader)
    return out


SHAPELESS = "[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
TURNING = "[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"  # JSON keeps what only has no shape


def harmless(out, what, unwanted=SHAPELESS):
    rest = OURS.sub(b"", out)
    bad = re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", rest)
    check(bad is None, f"{what}: {rest[max(0, bad.start() - 60):bad.start() + 60]!r}" if bad else what)
    text = rest.decode("utf-8", "surrogateescape")
    bad = re.search(unwanted, text)
    check(bad is None, f"{what}: direction, shapeless or no UTF-8: {text[max(0, bad.start() - 60):bad.start() + 60]!r}" if bad else what)


with open("hostile.log", "wb") as log:
    for second, evil in enumerate(HOSTILE):
        log.write(b"Mar 27 13:06:%02d web1 sshd[1]: Failed password for %s from 192.0.2.1 port 1 ssh2\n" % (second, evil))
        log.write(b"Mar 27 13:07:%02d web1 sshd[1]: Accepted password for a%s from 192.0.2.1 port 1 ssh2\n" % (second, evil))
        log.write(b"Mar 27 13:08:%02d web1 sudo:  b%s : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/%s\n" % (second, evil, evil))
        log.write(b'%s - - [27/Mar/2026:13:09:%02d +0000] "GET /%s?<script> HTTP/1.1" 404 1 "-" "nikto %s"\n' % (evil, second, evil, evil))
        log.write(b'{"a":"%s","list":["%s",{"%s":1}],"%s":true}\n' % (evil, evil, evil, evil))
        log.write(evil + b"\n")

report = on_terminal("scan", "hostile.log", "--year", "2026")
harmless(report, "the report on a terminal is harmless")
check(b"\x1b[1m" in report or b"\x1b[31m" in report, "a terminal gets colours")
check(b"Failed password" in report and b"\\x1b]0;owned\\x07" in report, "control characters are shown as what they are")
harmless(on_terminal("scan", "hostile.log", "--year", "2026", "--json"), "JSON on a terminal is harmless", TURNING)
harmless(on_terminal("decode", "hostile.log", "--year", "2026", "--explain"), "decode on a terminal is harmless", TURNING)

plain = on_terminal("scan", "hostile.log", "--year", "2026", NO_COLOR="1")
check(not re.search(rb"\x1b\[[0-9;]*m", plain), "NO_COLOR is heard")
check(not re.search(rb"\x1b\[[0-9;]*m", on_terminal("scan", "hostile.log", TERM="dumb")), "TERM=dumb gets no colours")
piped = vedette("scan", "hostile.log", "--year", "2026")
check(b"\x1b" not in piped.out and b"\x1b" not in piped.err, "a pipe gets no colours and no progress bar", piped)
check(all(len(line) <= 80 for line in piped.out.decode().split("\n")), "the report keeps to 80 columns", piped)
harmless(piped.out.replace(b"\n", b"\r\n"), "the report in a pipe is harmless")

# Names of files and titles of rules may be a stranger's too.
name = "a\x1b[31m\u202eb.log"
harmless(vedette("scan", name).err.replace(b"\n", b"\r\n"), "a file name in an error")
pathlib.Path("rule.yml").write_text('title: "a\\e[31m\\u202eb"\nid: x\nlogsource: {product: linux}\n'
                                    "detection: {s: {user|nix: a}, condition: s}\n")
for words in (["rules", "check", "rule.yml"], ["rules", "lint", "rule.yml"], ["scan", "hostile.log", "--rules", "rule.yml"]):
    harmless(on_terminal(*words), "a title of a rule: " + " ".join(words))
finish()
