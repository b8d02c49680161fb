#!/usr/bin/python3
"""Holds the shape of src/: who includes whom, what may be used where.

  check_layers.py           checks; prints FILE:LINE: what is wrong; exit 1 if anything is

Rules: src/layers.txt names every room and only rooms above it; an include crosses rooms only as listed there; heavy
headers stay in .cpp files, one per room; <regex> and <iostream> are banned; only base/clock reads the time; .def lists
are sorted and complete; namespaces are vedette::<room>, one per plugin file; a file over 500 lines says why (a comment
line `// long: reason`).
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

# Headers that cost 1.6 s or more each: in .cpp files only, and in one such file per room. A tuple narrows it further.
HEAVY = {
    r"yaml-cpp/": ("base/yaml.cpp",),
    r"simdjson(\.h|/)": None,
    r"re2/": None,
    r"rocksdb/": None,
    r"curl/": None,
}
CPP_ONLY = [r"fmt/", r"hs\.h", r"openssl/", r"zstd\.h", r"zlib\.h"]
BANNED_INCLUDES = ["regex", "iostream"]
TIME_READS = re.compile(r"clock::now\s*\(|\bgettimeofday\s*\(|\bclock_gettime\s*\("
                        r"|(?<![\w.>])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0|&)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
ENTRY = re.compile(r"^VEDETTE_[A-Z_]+\(([a-z0-9_]+)\)$")
SPEC = re.compile(r"^[\w:]*Spec spec\(\)[a-z ]*(\{|$)", re.M)
NAMESPACE = re.compile(r"^namespace\s+([\w:]+)", re.M)
NO_COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)


def read_layers(problems):
    """room -> set of rooms it may include; complains about cycles, doubles and unknown names."""
    layers = {}
    for number, line in enumerate((SRC / "layers.txt").read_text().split("\n"), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        room, _, rest = line.partition(":")
        if room in layers:
            problems.append(f"src/layers.txt:{number}: room {room} is listed twice")
        for other in rest.split():
            if other not in layers:
                problems.append(f"src/layers.txt:{number}: {room} names {other}, which is not above it")
        layers[room] = set(rest.split()) | {room}
    for folder in sorted(p for p in SRC.iterdir() if p.is_dir()):
        if folder.name not in layers:
            problems.append(f"src/layers.txt:1: room {folder.name} is missing")
    return layers


def strip(text):
    """Comments and strings become blanks; line numbers stay."""
    return NO_COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def check_includes(name, room, text, layers, heavy_use, problems):
    for number, line in enumerate(text.split("\n"), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        kind, target = found.groups()
        at = f"src/{name}:{number}:"
        if kind == '"':
            other = target.split("/")[0]
            if "/" not in target:
                problems.append(f'{at} include "{target}": write it with its room, "room/file"')
            elif other not in layers:
                problems.append(f'{at} include "{target}": there is no room {other}')
            elif other not in layers.get(room, ()):
                problems.append(f"{at} {room} must not include {other} (src/layers.txt)")
            continue
        if target in BANNED_INCLUDES:
            problems.append(f"{at} <{target}> is banned")
        header = name.endswith(".hpp")
        for pattern, only in HEAVY.items():
            if not re.match(pattern, target):
                continue
            if header:
                problems.append(f"{at} <{target}> is heavy: put it behind a header of ours")
            elif only and name not in only:
                problems.append(f"{at} <{target}> belongs in {' '.join(only)} only")
            elif not name.endswith("_test.cpp"):
                heavy_use.setdefault((room, pattern), set()).add(name)
        if header and any(re.match(p, target) for p in CPP_ONLY):
            problems.append(f"{at} <{target}> only in .cpp files")


def check_text(name, room, text, layers, listed, problems):
    code = strip(text)
    if not re.fullmatch(r"base/clock(_test)?\.[ch]pp", name):
        for number, line in enumerate(code.split("\n"), 1):
            if TIME_READS.search(line):
                problems.append(f"src/{name}:{number}: reads the time; only base/clock may")
    # base has what every room uses, so it is in vedette itself; other rooms' names may be declared, not invented.
    allowed = {"std"} | {f"vedette::{r}" for r in layers.get(room, ())}
    for index, found in enumerate(NAMESPACE.finditer(code)):
        space = found.group(1)
        if index and "::" not in space:
            continue  # nested in one that was looked at
        if space == "vedette" or (room == "base" and space.startswith("vedette::")):
            continue
        if not any(space == a or space.startswith(a + "::") for a in allowed):
            number = code.count("\n", 0, found.start()) + 1
            problems.append(f"src/{name}:{number}: namespace {space} should be vedette::{room}")
    if name.endswith(".cpp") and not name.endswith("_test.cpp") and SPEC.search(code):
        stem = pathlib.Path(name).stem
        if stem not in listed.get(room, ()):
            problems.append(f"src/{name}:1: {name} is not listed in {room}.def")
        if not re.search(rf"^namespace vedette::{room}::{stem}\b", code, re.M):
            problems.append(f"src/{name}:1: a plugin file is in a namespace of its own, vedette::{room}::{stem}")
    lines = text.count("\n")
    if lines > 500 and not re.search(r"^// long: \S", text, re.M):
        problems.append(f"src/{name}:1: {lines} lines; split it, or say why in a line `// long: reason`")


def check_defs(problems):
    listed = {}
    for path in sorted(SRC.glob("*/*.def")):
        room, name = path.parent.name, path.relative_to(SRC)
        if path.stem != room:
            continue  # a table of other kind
        names = []
        for number, line in enumerate(path.read_text().split("\n"), 1):
            line = line.split("//")[0].strip()
            if not line or line.startswith("#"):
                continue
            found = ENTRY.match(line)
            if not found:
                problems.append(f"src/{name}:{number}: cannot read '{line}'; write VEDETTE_XXX(name)")
                continue
            names.append(found.group(1))
            if names[-1:] != sorted(names)[-1:] or names.count(names[-1]) > 1:
                problems.append(f"src/{name}:{number}: {names[-1]} is out of order or doubled; keep the list sorted")
            if not (path.parent / (names[-1] + ".cpp")).exists():
                problems.append(f"src/{name}:{number}: there is no src/{room}/{names[-1]}.cpp")
        listed[room] = names
    return listed


def check():
    problems = []
    layers = read_layers(problems)
    listed = check_defs(problems)
    heavy_use = {}
    for path in sorted(SRC.glob("**/*.[ch]pp")):
        name = str(path.relative_to(SRC))
        room = name.split("/")[0]
        text = path.read_text(errors="replace")
        check_includes(name, room, text, layers, heavy_use, problems)
        check_text(name, room, text, layers, listed, problems)
    for (room, pattern), files in sorted(heavy_use.items()):
        if len(files) > 1:
            problems.append(f"src/{min(files)}:1: <{pattern}...> in more than one file of {room}: {' '.join(sorted(files))}")
    return problems


if __name__ == "__main__":
    found_problems = check()
    print("\n".join(found_problems), end="\n" if found_problems else "")
    sys.exit(1 if found_problems else 0)
