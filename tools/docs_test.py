#!/usr/bin/python3
"""Runs every ```sh block of README.md and docs/*.md, so that what we tell people to type works.

  docs_test.py [--list] [FILE...]

Each block runs with `bash -euo pipefail` in a fresh copy of the repository's files, with `vedette` in PATH and at
build/release/vedette, and must end with 0. A comment on the line before the block changes that:

  <!-- exit: 2 -->         the exit code it must end with
  <!-- skip: reason -->    not run (needs the network, takes long, is the test itself); counted as skipped
  <!-- output -->          on the line before a ```text block: what the last sh block prints, exactly
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIME_LIMIT = 120


class Block:
    def __init__(self, name, line, directives):
        self.name, self.line, self.text, self.output = name, line, [], None
        self.exit = int(directives.get("exit", 0))
        self.skip = directives.get("skip")


def blocks_of(path):
    name = path.relative_to(ROOT)
    blocks, fence, current, directives = [], None, None, {}
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        mark = re.match(r"(```+|~~~+)\s*(\w*)", line)
        if fence:
            if mark and line.startswith(fence) and not mark.group(2):
                fence = current = None
            elif current is not None:
                current.append(line)
            continue
        comment = re.match(r"<!--\s*(exit|skip|output)\s*:?\s*(.*?)\s*-->", line)
        if comment:
            directives[comment.group(1)] = comment.group(2)
            continue
        if mark:
            fence, current = mark.group(1), None
            if mark.group(2) == "sh":
                blocks.append(Block(name, number, directives))
                current = blocks[-1].text
            elif mark.group(2) == "text" and "output" in directives and blocks:
                current = blocks[-1].output = []
        if line.strip():
            directives = {}
    return blocks


def files_of_repository():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True,
                         check=True).stdout
    return [n for n in out.decode().split("\0") if n and (ROOT / n).is_file()]


def run(block, pristine, program, base):
    """What is wrong, or None."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=base)) / "vedette"
    shutil.copytree(pristine, folder, symlinks=True)
    release = folder / "build" / "release"
    release.mkdir(parents=True)
    (release / "vedette").symlink_to(program)
    environment = dict(os.environ, PATH=f"{release}:{os.environ['PATH']}", TZ="UTC", COLUMNS="80",
                       HOME=str(folder.parent), TMPDIR=str(folder.parent))
    try:
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(block.text)], cwd=folder, env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=TIME_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return f"no end after {TIME_LIMIT} s"
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)
    if done.returncode != block.exit:
        return f"exit {done.returncode}, expected {block.exit}\n{done.stderr.decode(errors='replace')[-2000:]}"
    if block.output is not None:
        want, got = "\n".join(block.output).strip("\n"), done.stdout.decode(errors="replace").strip("\n")
        if want != got:
            return f"it prints\n{got[:6000]}"
    return None


def main():
    names = [a for a in sys.argv[1:] if not a.startswith("--")]
    paths = [pathlib.Path(n).resolve() for n in names] or [p for p in [ROOT / "README.md"] if p.exists()] + sorted(
        (ROOT / "docs").glob("**/*.md"))
    blocks = [b for p in paths for b in blocks_of(p)]
    if "--list" in sys.argv:
        for block in blocks:
            print(f"{block.name}:{block.line}", f"(skip: {block.skip})" if block.skip else block.text)
        return 0
    program = pathlib.Path(os.environ.get("VEDETTE", ROOT / "build/release/vedette")).resolve()
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory(prefix="docs.") as base:
        pristine = pathlib.Path(base) / "pristine"
        for name in files_of_repository():
            (pristine / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, pristine / name, follow_symlinks=False)
        for block in blocks:
            if block.skip is not None:
                print(f"SKIPPED {block.name}:{block.line}: {block.skip}")
                skipped += 1
                continue
            wrong = run(block, pristine, program, base)
            passed, failed = passed + (not wrong), failed + bool(wrong)
            if wrong:
                print(f"FAILED {block.name}:{block.line}: {wrong}")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
