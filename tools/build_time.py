#!/usr/bin/python3
"""Where build time goes: build_time.py [build/release] [--gate]

Reads .ninja_log. With --gate, exit 1 if a step took over 10 s times the number of files in it, or all steps
together over 600 CPU seconds (5 minutes on two cores).
"""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def files_in(folder, output):
    """A unity file stands for the files it includes."""
    source = output.removesuffix(".o").split(".dir/", 1)
    unity = folder / "CMakeFiles" / (source[0] + ".dir") / source[1].removesuffix(".cxx") if len(source) == 2 else None
    for candidate in ([unity, unity.with_suffix(".cxx")] if unity else []):
        if candidate.exists():
            return max(1, candidate.read_text().count("#include"))
    return 1


def main():
    names = [a for a in sys.argv[1:] if not a.startswith("--")]
    folder = pathlib.Path(names[0]) if names else ROOT / "build" / "release"
    steps = {}
    for line in (folder / ".ninja_log").read_text().split("\n")[1:]:
        fields = line.split("\t")
        if len(fields) >= 4:
            steps[fields[3]] = (int(fields[0]), int(fields[1]))
    slowest = sorted(steps.items(), key=lambda s: s[1][0] - s[1][1])
    too_long = []
    for output, (began, ended) in slowest:
        count = files_in(folder, output)
        if output.endswith(".o") and (ended - began) / 1000 > 10 * count:
            too_long.append(output)
    for output, (began, ended) in slowest[:20]:
        print(f"{(ended - began) / 1000:7.1f} s  {output}")
    total = sum(e - b for b, e in steps.values()) / 1000
    print(f"{total:7.1f} s  in {len(steps)} steps, about {total / (os.cpu_count() or 1):.0f} s on {os.cpu_count()} cores")
    for output in too_long:
        print(f"too slow: {output}")
    return int("--gate" in sys.argv and (bool(too_long) or total > 600))


if __name__ == "__main__":
    sys.exit(main())
