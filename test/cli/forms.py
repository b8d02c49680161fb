#!/usr/bin/python3
"""The form of what machines read: alerts and events on one line each, keys sorted, exactly the members that are promised."""
import json
import re

from _cli import ROOT, SMALL, check, finish, vedette

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3,9})?Z")
ALERT = {"context", "count", "episode", "evidence", "evidence_hash", "first", "id", "key", "last", "late", "revision", "rule",
         "status", "values"}
RULE = {"id", "language", "level", "tags", "title"}
LEVELS = ["informational", "low", "medium", "high", "critical"]


def loads(line, what):
    """The value; all objects in it have sorted keys, none twice."""
    def members(pairs):
        keys = [k for k, _ in pairs]
        check(keys == sorted(set(keys)), f"{what}: keys are sorted: {keys}")
        return dict(pairs)
    return json.loads(line, object_pairs_hook=members)


siege = [str(ROOT / "examples/ssh-siege" / name) for name in ("auth.log", "access.log")]
done = vedette("scan", *siege, "--json", "--year", "2026", "--timezone", "UTC")
check(done.code == 0 and done.out.endswith(b"\n"), "the siege is scanned", done)
alerts = [loads(line, "alert") for line in done.out.splitlines()]
check(len(alerts) > 50, f"{len(alerts)} alerts")
for alert in alerts:
    optional = {"continues", "into"}
    check(ALERT <= set(alert) <= ALERT | optional, f"members of an alert: {sorted(alert)}")
    check(RULE <= set(alert["rule"]), f"members of a rule: {sorted(alert['rule'])}")
    check(alert["rule"]["level"] in LEVELS and alert["rule"]["language"] == "sigma", f"{alert['rule']}")
    check(alert["status"] in ("open", "closed"), alert["status"])
    check(alert["id"] == alert["episode"] and alert["revision"] == 1, "scan publishes once")
    check(all(TIME.fullmatch(alert[k]) for k in ("first", "last")) and alert["first"] <= alert["last"], "times")
    check(re.fullmatch("[0-9a-f]{32}", alert["episode"]) and re.fullmatch("[0-9a-f]{32}", alert["evidence_hash"]), "hashes")
    check(1 <= len(alert["evidence"]) <= 100 and alert["count"] >= 1, f"{len(alert['evidence'])} pieces of evidence")
    times = [e["time"] for e in alert["evidence"]]
    check(times == sorted(times), "evidence in order of time")
    check(alert["first"] == times[0] and alert["last"] == times[-1], "first and last are those of the evidence")
    for piece in alert["evidence"]:
        check({"id", "raw", "time", "type"} <= set(piece) <= {"id", "raw", "raw_b64", "time", "type"}, f"{sorted(piece)}")
        check(re.fullmatch(r"file/.*#\d+@\d+(\.\d+)?", piece["id"]), piece["id"])
check(len({a["episode"] for a in alerts}) == len(alerts), "no episode twice")

# An event's id leads back to its line.
for piece in alerts[0]["evidence"]:
    path, offset = re.fullmatch(r"file/(.*)#0@(\d+)", piece["id"]).groups()
    with open(path, "rb") as log:
        log.seek(int(offset))
        check(log.readline().rstrip(b"\n").decode() == piece["raw"], f"{piece['id']} is where the line is")

done = vedette("decode", *siege, "--year", "2026", "--timezone", "UTC")
check(done.code == 0, "the siege is decoded", done)
events = [json.loads(line) for line in done.out.splitlines()]
check(len(events) == 678, f"{len(events)} events, one per line")
for line, event in zip(done.out.splitlines(), events):
    members = [m for m in event if m not in ("raw_b64", "repeat")]  # these only where they say something
    check(members == ["id", "time", "type", "raw", "fields"], f"members of an event: {list(event)}")
    check(TIME.fullmatch(event["time"]) and "/" in event["type"], f"{event['time']} {event['type']}")
    check(list(event["fields"]) == sorted(event["fields"]), f"fields are sorted: {list(event['fields'])}")
check([e["repeat"] for e in events if "repeat" in e] == [5], "a repeat is said where there is one")
check({e["type"] for e in events} >= {"linux/sshd", "linux/sudo", "web/access"}, "types are found per line")

# What is wrong with --json is on standard error, never between the alerts.
done = vedette("scan", SMALL, "nowhere.log", "--json", "--year", "2026")
check(all(line.startswith(b"{") for line in done.out.splitlines()) and b"nowhere.log" in done.err, "errors apart", done)
done = vedette("rules", "check", "--json")
rules = [json.loads(line) for line in done.out.splitlines()]
check(done.code == 0 and len(rules) > 20, f"{len(rules)} rules", done)
check(all(list(r) == ["id", "title", "path", "status", "line", "reason"] and r["status"] == "loaded" for r in rules), "rules check --json")
finish()
