#!/usr/bin/python3
"""run, check, status and doctor: which configuration is taken, and what is said about one that is wrong."""
import os
import pathlib
import re
import signal
import subprocess
import time

from _cli import ROOT, SMALL, VEDETTE, check, finish, vedette

GOOD = f"""state: state
sources:
  - {{name: small, type: file, paths: [{SMALL}], year: 2026}}
outputs:
  - {{type: file, path: alerts.ndjson}}
"""


def config(text, name="vedette.yaml"):
    pathlib.Path(name).write_text(text)
    return name


def says(what, done, code, *messages):
    check(done.code == code, f"{what}: exit {done.code}, expected {code}", done)
    for message in messages:
        check(message.encode() in done.err, f"{what}: `{message}`", done)


# Which file is taken.
for command in ("run", "check", "status"):
    done = vedette(command)
    says(f"{command} without a configuration", done, 2, "vedette: ", "vedette.yaml")
    says(f"{command} with one that is not there", vedette(command, "--config", "nowhere.yaml"), 2, "nowhere.yaml")
config(GOOD)
done = vedette("check")
check(done.code == 0 and re.fullmatch(rb"(\./)?vedette.yaml is fine: 1 source, 1 output, \d+ rules\n", done.out), "check finds ./vedette.yaml", done)
check(not os.path.exists("state"), "check makes nothing")
shipped = vedette("check", "--config", str(ROOT / "examples/this-machine.yaml"))
check(shipped.code == 0, "the example is right", shipped)

# What is wrong is told whole, with line and the nearest word.
WRONG = {
    "not YAML": (GOOD + "x: [\n", "c.yaml:"),
    "unknown key": (GOOD.replace("state:", "stat:"), "c.yaml:1: unknown key 'stat'; did you mean 'state'?"),
    "unknown type": (GOOD.replace("type: file, paths", "type: fiel, paths"), "c.yaml:3: unknown type of source 'fiel'; did you mean 'file'?"),
    "unknown option": (GOOD.replace("paths:", "path:"), "c.yaml:3: "),
    "no path": (GOOD.replace(f"paths: [{SMALL}], ", ""), "c.yaml:3: "),
    "bad duration": ("lateness: 10\n" + GOOD, "c.yaml:1: lateness: '10' is no duration"),
    "bad level": (GOOD.replace("alerts.ndjson", "a, min_level: hihg"), "c.yaml:5: "),
    "two sources of one name": (GOOD.replace("outputs:", f"  - {{name: small, type: file, paths: [{SMALL}]}}\noutputs:"), "c.yaml:4: "),
    "a secret that is not set": (GOOD.replace("alerts.ndjson", "'${env:VEDETTE_NO_SUCH}'"), "VEDETTE_NO_SUCH"),
    "a secret file that is not there": (GOOD.replace("alerts.ndjson", "'${file:/nowhere/secret}'"), "/nowhere/secret"),
    "a list instead of a map": ("- a\n- b\n", "c.yaml:1: "),
}
for name, (text, message) in WRONG.items():
    config(text, "c.yaml")
    for command in ("check", "run"):
        says(f"{name}, {command}", vedette(command, "--config", "c.yaml"), 2, f"vedette: ", message)
check(not os.path.exists("state"), "a wrong configuration makes nothing")
done = vedette("check", "--config", config(GOOD.replace("state:", "stat:").replace("type: file, paths", "type: fiel, paths"), "c.yaml"))
says("two errors", done, 2, "c.yaml:1: ", "c.yaml:3: ")
says("no sources", vedette("run", "--config", config("state: state\n", "c.yaml")), 2, "no sources are configured")
says("rules that are not there", vedette("check", "--config", config(GOOD + "rules: {paths: [nowhere]}\n", "c.yaml")), 2, "nowhere")
says("a path for --workers", vedette("run", "--workers", "many"), 2, "--workers")
says("no time at all", vedette("run", "--checkpoint-every", "0s"), 2, "--checkpoint-every")

# Disabling: by id or title; what others count of it still counts; a name that nothing has is told.
config(GOOD + "rules: {disable: [Failed password, 6aaaa15a-b740-45e7-947b-88782f243018, No such rule]}\n", "d.yaml")
done = vedette("scan", "--config", "d.yaml", SMALL, "--json", "--year", "2026")
titles = {t.decode() for t in re.findall(rb'"title":"([^"]*)"', done.out)}
check(done.code == 0 and "Failed password" not in titles and "First sudo by a user" not in titles, "disabled rules are silent", done)
check({"Brute force from one address", "Login after brute force from the same address"} <= titles, "what counts them is not", done)
check(b"no rule has the id or title 'No such rule'" in done.err, "a rule that there is not", done)

# A service: one per state folder, asked over its socket, ended by a signal.
says("status without a service", vedette("status"), 1, "no service answers")
service = subprocess.Popen([VEDETTE, "run"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
for _ in range(100):
    done = vedette("status")
    if done.code == 0 and b'"events":6' in done.out:
        break
    time.sleep(0.1)
check(done.code == 0 and done.out.count(b"\n") == 1 and b'"events":6' in done.out, "status is one line of JSON", done)
says("a second service", vedette("run"), 1, f"process {service.pid}")
check(os.stat("state").st_mode & 0o777 == 0o700, "nobody else reads the state")
service.send_signal(signal.SIGTERM)
out, err = service.communicate(timeout=30)
check(service.returncode == 0 and out == b"", f"SIGTERM ends it cleanly: {service.returncode} {err!r}")
alerts = pathlib.Path("alerts.ndjson").read_bytes()
check(b"Brute force from one address" in alerts, "the file has its alerts")
service = subprocess.Popen([VEDETTE, "run"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
time.sleep(1)
service.send_signal(signal.SIGINT)
check(service.wait(30) == 0, "Ctrl-C ends it cleanly")
check(pathlib.Path("alerts.ndjson").read_bytes() == alerts, "started again, it has nothing new to tell")

done = vedette("doctor")
check(done.code == 0 and all(re.match(rb"ok  ", line) for line in done.out.splitlines()), "doctor is content", done)
done = vedette("doctor", "--config", config(GOOD.replace(SMALL, "/nowhere/a.log"), "c.yaml"))
check(done.code == 1 and b"BAD   source small: /nowhere/a.log" in done.out, "doctor names what is missing", done)
finish()
