#!/usr/bin/python3
"""Writes content/ as one C++ table: embed_content.py CONTENT_DIR LIST_FILE OUT.cpp

The interface is src/catalog/embedded.hpp. Text becomes plain string literals, one per line of the file: quick to
compile, and any byte survives. Entries are sorted by path (bytewise).
"""
import os
import sys

PLAIN = {b for b in range(0x20, 0x7F)} - {ord('"'), ord("\\"), ord("?")}


def literal(line: bytes) -> str:
    out = []
    for b in line:
        # Three octal digits always: what follows can never become part of the escape.
        out.append(chr(b) if b in PLAIN else "\\n" if b == 0x0A else "\\%03o" % b)
    return '"' + "".join(out) + '"'


def main() -> int:
    root, listing, out_path = sys.argv[1:]
    with open(listing, encoding="utf-8") as f:
        names = sorted(os.path.relpath(n, root) for n in f.read().split("\n") if n)
    out = ['// Written by tools/embed_content.py from content/.', '#include "catalog/embedded.hpp"', "",
           "#include <array>", "", '#pragma GCC diagnostic ignored "-Woverlength-strings"', "", "namespace vedette::catalog {", "namespace {", "",
           f"constexpr std::array<EmbeddedFile, {len(names)}> files{{{{"]
    for name in names:
        with open(os.path.join(root, name), "rb") as f:
            text = f.read()
        lines = text.splitlines(keepends=True) or [b""]
        out.append(f"    {{{literal(name.encode())},")
        out.append("     std::string_view{" + "\n                      ".join(literal(x) for x in lines)
                   + f", {len(text)}}}}},")
    out += ["}};", "", "}  // namespace", "",
            "std::span<EmbeddedFile const> embedded_files() { return files; }", "",
            "}  // namespace vedette::catalog", ""]
    with open(out_path, "w", encoding="ascii") as f:
        f.write("\n".join(out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
