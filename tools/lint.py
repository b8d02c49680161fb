#!/usr/bin/python3
"""All quick checks of the text of this repository; the last line is `N passed, N failed`.

  lint.py [--no-format]
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import check_layers  # noqa: E402
import golden  # noqa: E402


def files_of_repository():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True,
                         check=True).stdout
    return [ROOT / n for n in out.decode().split("\0") if n and (ROOT / n).is_file()]


def check_format():
    files = [str(f.relative_to(ROOT)) for f in files_of_repository() if f.suffix in (".cpp", ".hpp")]
    if not files:
        return []
    done = subprocess.run(["clang-format-19", "--dry-run", "-Werror", "--ferror-limit=1", *files], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    bad = [line.split(": error")[0] for line in done.stderr.split("\n") if ": error" in line]
    if done.returncode and not bad:
        bad = [done.stderr[:500]]
    return [f"{b}: not formatted; run `make fmt`" for b in bad]


def check_golden():
    problems = []
    for folder, keys in (("golden", golden.load_case), ("cli", golden.load_case), ("modes", golden.load_mode)):
        for path in sorted((ROOT / "test" / folder).glob("**/*.yaml")):
            try:
                keys(path)
            except Exception as error:  # whatever is wrong with a data file, name the file
                problems.append(str(error) if str(path) in str(error) else f"{path}: {error}")
            if folder != "modes" and not path.with_suffix(".out").exists():
                problems.append(f"{path.relative_to(ROOT)}:1: {path.stem}.out is missing")
    return problems


def slug(title):
    """The anchor a page gives a heading."""
    return re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", title).strip().lower()).replace(" ", "-")


def check_documents():
    """Links lead somewhere, fences are closed, images exist."""
    problems = []
    for path in (f for f in files_of_repository() if f.suffix == ".md"):
        name, fence, prose = path.relative_to(ROOT), None, []
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            mark = re.match(r"\s*(```+|~~~+)", line)
            if mark and fence is None:
                fence = (mark.group(1), number)
            elif mark and fence and line.strip().startswith(fence[0]):
                fence = None
            elif fence is None:
                prose.append((number, re.sub(r"`[^`]*`", "", line)))
        if fence:
            problems.append(f"{name}:{fence[1]}: this block is not closed")
        for number, line in prose:
            for target in re.findall(r"\]\(([^)\s]+)\)", line):
                if re.match(r"[a-z]+:", target):
                    continue
                file, _, anchor = target.partition("#")
                goal = path if not file else (ROOT / file[1:] if file.startswith("/") else path.parent / file)
                if not goal.exists():
                    problems.append(f"{name}:{number}: {target} does not exist")
                elif anchor and goal.suffix == ".md":
                    titles = re.findall(r"^#+ (.*)$", goal.read_text(encoding="utf-8"), re.M)
                    if anchor not in map(slug, titles):
                        problems.append(f"{name}:{number}: {target}: there is no such heading")
    return problems


def check_text():
    """No tabs or trailing blanks in our own sources, no merge marks, files end with a newline."""
    problems = []
    for path in files_of_repository():
        name = path.relative_to(ROOT)
        if path.suffix not in (".cpp", ".hpp", ".py", ".sh", ".def", ".cmake", ".md", ".yaml", ".yml"):
            continue
        if name.parts[0] in ("examples",):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if text and not text.endswith("\n"):
            problems.append(f"{name}:1: no newline at the end")
        for number, line in enumerate(text.split("\n"), 1):
            if re.match(r"(<<<<<<<|>>>>>>>) ", line):
                problems.append(f"{name}:{number}: a merge mark")
            elif line != line.rstrip() and path.suffix in (".cpp", ".hpp", ".py", ".cmake"):
                problems.append(f"{name}:{number}: blanks at the end of the line")
    return problems


def check_scripts():
    """Every script can be parsed."""
    problems = []
    for path in files_of_repository():
        name = path.relative_to(ROOT)
        if path.suffix == ".sh" or name == pathlib.Path(".ci/run"):
            done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)
            if done.returncode:
                problems.append(done.stderr.strip())
        elif path.suffix == ".py":
            try:
                compile(path.read_text(encoding="utf-8"), str(name), "exec")
            except SyntaxError as error:
                problems.append(f"{name}:{error.lineno}: {error.msg}")
    return problems


def main():
    checks = {"layers": check_layers.check, "golden": check_golden, "documents": check_documents,
              "text": check_text, "scripts": check_scripts}
    if "--no-format" not in sys.argv:
        checks["format"] = check_format
    failed = 0
    for name, check in checks.items():
        problems = check()
        failed += bool(problems)
        for problem in problems:
            print(f"FAILED {name}: {problem}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
