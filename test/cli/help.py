#!/usr/bin/python3
"""Every command explains itself: --help with examples, options it knows, and the nearest name for what it does not."""
import re

from _cli import check, finish, vedette

overview = vedette("--help")
check(overview.code == 0 and overview.err == b"", "vedette --help is no error", overview)
check(vedette("-h").out == overview.out and vedette("help").out == overview.out, "-h and help are the same")
nothing = vedette()
check(nothing.code == 2 and nothing.out == b"" and nothing.err == overview.out, "without a command it is an error", nothing)
commands = re.findall(r"^  ([a-z]+) {2,}\S", overview.out.decode(), re.MULTILINE)
check({"scan", "decode", "rules"} <= set(commands), f"commands: {commands}")

for command in commands:
    done = vedette(command, "--help")
    text = done.out.decode()
    check(done.code == 0 and done.err == b"", f"{command} --help is no error", done)
    check(text.startswith(f"usage: vedette {command}"), f"{command} --help begins with the usage", done)
    check(vedette(command, "-h").out == done.out, f"{command} -h is the same")
    examples = text.partition("\nexamples:\n")[2].splitlines()
    check(len(examples) >= 2 and all(f"vedette {command}" in e for e in examples), f"{command} --help has examples", done)
    check(all(len(line) <= 110 for line in text.splitlines()), f"{command} --help keeps to a width")
    for flag in re.findall(r"^  --([a-z-]+)", text, re.MULTILINE):
        wrong = flag[:-1] + ("x" if flag[-1] != "x" else "y")
        done = vedette(command, f"--{wrong}")
        known = re.search(rb"did you mean --([a-z-]+)\?", done.err)
        check(done.code == 2 and known and done.out == b"", f"{command} --{wrong} names an option that there is", done)
    done = vedette(command[:-1] + "q")
    check(done.code == 2 and b"did you mean" in done.err, f"{command[:-1]}q names a command that there is", done)

# Examples use options that there are.
for command in commands:
    text = vedette(command, "--help").out.decode()
    flags = set(re.findall(r"^  --([a-z-]+)", text, re.MULTILINE)) | {"help"}
    used = re.findall(r"--([a-z-]+)", text.partition("\nexamples:\n")[2])
    check(set(used) <= flags, f"{command}: examples with {set(used) - flags}")
version = vedette("--version")
check(version.code == 0 and re.fullmatch(rb"vedette \d+\.\d+\.\d+\n", version.out), "--version", version)
finish()
