#!/usr/bin/python3
"""Rules that cannot be held are refused with file and line and stop nothing else; with no rule left the exit is 2."""
import json
import pathlib

from _cli import SMALL, check, finish, vedette

RULE = """title: {title}
id: {id}
description: For a test.
logsource: {{product: linux, service: sshd}}
detection:
  selection: {{user: root, action: login, outcome: failure}}
  condition: selection
level: high
"""
ID = "5b0d4ee3-40b7-4b7c-9f43-1d9a4a6d9c0"


def write(name, text):
    pathlib.Path(name).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(name).write_text(text)
    return name


def scan(*words):
    return vedette("scan", SMALL, "--json", "--year", "2026", *words)


def titles(done):
    return sorted({json.loads(line)["rule"]["title"] for line in done.out.splitlines()})


good = write("rules/good.yml", RULE.format(title="Good", id=ID + "1"))
CASES = {
    "no YAML": ("title: x\ndetection:\n  a: [b, c\n  condition: a\n", "rules/bad.yml:4: "),
    "tabs": ("title: x\ndetection:\n\ta: b\n", "rules/bad.yml:3: "),
    "a key twice": (RULE.format(title="Bad", id=ID + "2") + "level: low\n", "rules/bad.yml:9: "),
    "unknown modifier": (RULE.format(title="Bad", id=ID + "2").replace("user:", "user|fuzzy:"),
                         "rules/bad.yml:6: rule 'Bad' is not loaded: unknown modifier 'fuzzy'"),
    "unknown selection": (RULE.format(title="Bad", id=ID + "2").replace("condition: selection", "condition: selection and other"),
                          "rules/bad.yml:7: rule 'Bad' is not loaded: "),
    "broken condition": (RULE.format(title="Bad", id=ID + "2").replace("condition: selection", "condition: (selection"),
                         "rules/bad.yml:7: rule 'Bad' is not loaded: "),
    "a regex that needs backtracking": (RULE.format(title="Bad", id=ID + "2").replace("user: root", r"user|re: '(a)\1'"),
                                        "rules/bad.yml:6: rule 'Bad' is not loaded: "),
    "no detection": ("title: Bad\nid: " + ID + "2\nlogsource: {product: linux}\n", "rules/bad.yml:1: rule 'Bad' is not loaded: "),
    "no rule at all": ("- just\n- a list\n", "rules/bad.yml:1: "),
    "bytes": ("\x00\x01\x02", "rules/bad.yml:1: "),
}
for name, (text, message) in CASES.items():
    bad = write("rules/bad.yml", text)
    done = scan("--rules", bad)
    check(done.code == 2 and done.out == b"", f"{name}: no rule loads, exit 2", done)
    check(f"vedette: {message}".encode() in done.err, f"{name}: `{message}`", done)
    check(b"vedette: no rule loads; " in done.err, f"{name}: and what to do", done)
    done = scan("--rules", "rules")
    check(done.code == 0 and titles(done) == ["Good"], f"{name}: the other rule runs, exit 0", done)
    check(f"vedette: {message}".encode() in done.err, f"{name}: the refused one is named", done)
    done = vedette("rules", "check", "rules")
    check(done.code == 1 and b"1 loaded, 0 degraded, 1 refused" in done.out, f"{name}: rules check exits 1", done)

# Two rules with one id: both are refused, both named.
write("rules/bad.yml", RULE.format(title="Twin", id=ID + "1"))
done = scan("--rules", "rules", "--rules", write("other.yml", RULE.format(title="Other", id=ID + "3")))
check(done.code == 0 and titles(done) == ["Other"], "of two rules with one id none runs", done)
check(b"vedette: rules/good.yml:1: rule 'Good' is not loaded: the id " + (ID + "1").encode() + b" is also that of rules/bad.yml:1" in done.err
      and b"vedette: rules/bad.yml:1: rule 'Twin' is not loaded: the id" in done.err, "both are named", done)
done = scan("--rules", good, "--rules", good)
check(done.code == 0 and titles(done) == ["Good"], "the same file twice is one rule", done)

# Without id a rule goes by its text.
write("no-id.yml", RULE.format(title="Nameless", id="x").replace("id: x\n", ""))
done = scan("--rules", "no-id.yml")
ids = {json.loads(line)["rule"]["id"] for line in done.out.splitlines()}
check(len(ids) == 1 and ids.pop().startswith("sha:"), "a rule without id", done)

# Many refusals do not drown the screen; a path that is not there is no rule.
for i in range(30):
    write(f"many/{i}.yml", f"title: Bad {i}\n")
done = scan("--rules", "many", "--rules", good)
check(done.err.count(b"is not loaded") == 20 and b"10 more rules are not loaded; see vedette rules check" in done.err, "twenty are named", done)
done = scan("--rules", "nowhere.yml")
check(done.code == 2 and b"vedette: nowhere.yml: " in done.err, "a missing file of rules", done)
done = vedette("rules", "check", "nowhere.yml")
check(done.code == 1 and b"vedette: nowhere.yml: " in done.err, "the same in rules check", done)
finish()
