#!/usr/bin/env python3
"""Tests the style and the layers of the project; each message names the cure.

usage: scripts/tidy.py [--root DIR] [--self-test]
  --self-test  plants one violation of every rule in a temporary tree and expects each to be found
example: scripts/tidy.py
"""

import argparse
import ast
import json
import pathlib
import re
import subprocess
import sys
import tempfile

LINES_MAX = 400
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100

# Files that were longer when the limit came: path -> lines. The numbers may only fall.
LONG_FILES = {}

SKIPPED_FOLDERS = {".git", ".cache", "build", "data", "dist", "node_modules", "__pycache__"}
PRODUCT = ("common/", "services/", "schemas/", "cli/")
CODE = (".hpp", ".cpp")
TEXT = CODE + (".py", ".sh", ".sql", ".md", ".yaml", ".yml", ".txt", ".cmake", ".js", ".jsx",
               ".css", ".html", ".json")
NARROW = CODE + (".py", ".sh", ".sql", ".cmake", ".txt")

# Where a layer may look. The longest prefix counts; layers that are absent here may see everything
# but the tests. {x} is the service's own name.
LAYERS = {
    "schemas/": ["schemas/", "common/base/", "common/schema/"],
    "common/": ["common/", "schemas/"],
    "services/{x}/": ["services/{x}/", "common/", "schemas/"],
    "services/{x}/core/": ["services/{x}/core/", "common/base/", "common/schema/", "schemas/",
                           "common/bus/access", "common/crypto/hash.hpp",
                           "common/crypto/sign.hpp", "common/crypto/encode.hpp",
                           "common/crypto/seal.hpp", "common/crypto/entropy.hpp"],
}
IMPURE = re.compile(r"^(atomic|chrono|condition_variable|cstdio|ctime|filesystem|fstream|future|"
                    r"iostream|mutex|random|semaphore|shared_mutex|thread|unistd\.h|fcntl\.h|"
                    r"poll\.h|signal\.h|time\.h|sys/.*)$")

# Seconds per file that includes them: one or two .cpp files each, never a header of the product.
HEAVY = {"CLI11": r"CLI/", "nlohmann": r"nlohmann/", "msgpack": r"msgpack",
         "yaml-cpp": r"yaml-cpp/", "httplib": r"httplib", "pqxx": r"pqxx/",
         "zmq": r"zmq\.hp?p?|zmq_addon"}
HEAVY_FILES_MAX = 2

# (pattern, where it counts, where it is allowed, what to do instead)
BANNED = [
    (r"\b(FIXME|XXX|TODO)\b", "", "", "finish it now or leave it out"),
    (r"\bsleep_(for|until)\b|\busleep\(|[^_\w.>]sleep\(", r"^tests/.*\.(cpp|hpp)$", "",
     "wait for a state or a message, never for time"),
    (r"\brandom_device\b", r"\.(cpp|hpp)$", r"^common/crypto/",
     "take crypto::Entropy for secrets, Chance for the rest"),
    (r"\busing namespace std\b", r"\.(cpp|hpp)$", "", "name what you use"),
    (r"(?<![\w])printf\(", r"^services/.*\.(cpp|hpp)$", "", "use the service's log"),
    (r"\b(strcpy|strcat|sprintf|vsprintf|gets)\(", r"\.(cpp|hpp)$", "", "use std::string and fmt"),
    (r"(?<![\w.:>*])(std::)?system\(\s*[\x22(]|\bpopen\(", r"^(?!tests/).*\.(cpp|hpp)$", "",
     "start the program with an argument list, without a shell"),
    (r"(?<![\w.}])/work/|\bissues show\b|\bissue #?\d|\bshared/design\b|/tmp/bash_jobs", "", "",
     "the project speaks of itself only"),
]


def load(root):
    """Path -> text of every file of ours that holds text."""
    tree = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if SKIPPED_FOLDERS & set(name.split("/")) or not path.is_file() or path.is_symlink():
            continue
        raw = path.read_bytes()
        if path.suffix in TEXT or raw.startswith(b"#!"):
            tree[name] = raw.decode("utf-8", errors="replace")
    return tree


def is_code(name):
    return name.endswith(CODE)


def in_product(name):
    return name.startswith(PRODUCT) and is_code(name)


def includes(text):
    """(line number, header, is it ours) of each #include."""
    for number, line in enumerate(text.split("\n"), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if found:
            yield number, found[2], found[1] == '"'


def layer_of(name):
    """The allowed prefixes for a file, or None."""
    parts = name.split("/")
    own = parts[1] if parts[0] == "services" and len(parts) > 2 else ""
    best = max((p for p in LAYERS if name.startswith(p.replace("{x}", own))), key=len, default=None)
    return best and [allowed.replace("{x}", own) for allowed in LAYERS[best]]


def check_layers(tree):
    for name, text in tree.items():
        if not is_code(name):
            continue
        allowed = layer_of(name)
        in_core = re.match(r"services/\w+/core/", name)
        in_test = name.startswith(("tests/", "bench/"))
        for line, header, ours in includes(text):
            if not ours:
                if in_core and IMPURE.match(header):
                    yield name, line, f"<{header}> in a core: pass what it gives as an argument"
                continue
            if header.startswith(("tests/", "bench/")) and not in_test:
                yield name, line, f"{header} belongs to the tests; the product cannot include it"
            elif allowed and not header.startswith(tuple(allowed)):
                yield name, line, f"{header} is not below this layer; allowed: {', '.join(allowed)}"
            elif header.endswith("seeded_entropy.hpp") and not (
                    in_test or name.startswith(("common/sim/", "common/crypto/"))):
                yield name, line, "seeded entropy is for simulation and tests only"


def check_heavy(tree):
    for library, pattern in HEAVY.items():
        users = []
        for name, text in tree.items():
            if not in_product(name):
                continue
            lines = [line for line, header, _ in includes(text) if re.match(pattern, header)]
            if lines and name.endswith(".hpp"):
                yield name, lines[0], f"{library} in a header slows every build: move it to a .cpp"
            elif lines:
                users.append((name, lines[0]))
        for name, line in users[HEAVY_FILES_MAX:]:
            first = ", ".join(user for user, _ in users[:HEAVY_FILES_MAX])
            yield name, line, f"{library} is included by {len(users)} files; use those of {first}"


def check_length(tree):
    for name, text in tree.items():
        lines = text.count("\n")
        limit = LONG_FILES.get(name, LINES_MAX)
        if name.endswith(CODE + (".py",)) and lines > limit:
            yield name, limit + 1, f"{lines} lines, at most {limit}: split it by subject"


def functions_of_python(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno


def functions_of_code(root, names):
    command = ["ctags", "--output-format=json", "--fields=+ne", "--kinds-C++=f",
               "--language-force=C++", "-o", "-", "-L", "-"]
    done = subprocess.run(command, cwd=root, input="\n".join(names), text=True, check=True,
                          capture_output=True)
    for line in done.stdout.splitlines():
        tag = json.loads(line)
        if "end" in tag:
            yield tag["path"], tag["name"], tag["line"], tag["end"]


def check_functions(tree, root):
    found = [(name, *function) for name, text in tree.items() if name.endswith(".py")
             for function in functions_of_python(text)]
    names = [name for name in tree if is_code(name)]
    if names:
        found += functions_of_code(root, names)
    for path, function, first, last in found:
        if last - first + 1 > FUNCTION_LINES_MAX:
            yield path, first, (f"{function} has {last - first + 1} lines, at most "
                                f"{FUNCTION_LINES_MAX}: split it by step")


def check_lines(tree):
    for name, text in tree.items():
        narrow = name.endswith(NARROW) or text.startswith("#!")
        for number, line in enumerate(text.split("\n"), 1):
            if narrow and len(line) > COLUMNS_MAX:
                yield name, number, f"{len(line)} columns, at most {COLUMNS_MAX}"
            if line != line.rstrip():
                yield name, number, "white space at the end of the line"
        if text and not text.endswith("\n"):
            yield name, text.count("\n") + 1, "no newline at the end of the file"


def check_headers(tree):
    for name, text in tree.items():
        lines = text.split("\n")
        if name.endswith(".hpp") and lines[0] != "#pragma once":
            yield name, 1, "the first line of a header is #pragma once"
        elif name.endswith(".hpp") and (len(lines) < 2 or not lines[1].startswith("//")):
            yield name, 2, "say in a comment what it is, who owns it, which thread, which units"


def check_core_tests(tree):
    for name in tree:
        found = re.fullmatch(r"services/(\w+)/core/(\w+)\.hpp", name)
        if not found:
            continue
        tests = f"tests/services/{found[1]}_core/"
        if not any(other.startswith(tests) and f'"{name}"' in text for other, text in tree.items()):
            yield name, 1, f"no test under {tests} includes it: add {tests}{found[2]}_test.cpp"


def check_words(tree):
    for name, text in tree.items():
        if name == "scripts/tidy.py":
            continue
        for pattern, where, allowed, instead in BANNED:
            if not re.search(where, name) or (allowed and re.search(allowed, name)):
                continue
            for number, line in enumerate(text.split("\n"), 1):
                found = re.search(pattern, line)
                if found:
                    yield name, number, f"'{found[0].strip()}': {instead}"


def check_dead(tree):
    used = {header for name, text in tree.items() if is_code(name)
            for _, header, ours in includes(text) if ours}
    for name in tree:
        if in_product(name) and name.endswith(".hpp") and name not in used:
            yield name, 1, "no file includes this header: use it or remove it"


def check_format(tree, root):
    names = [name for name in tree if is_code(name)]
    if not names:
        return
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *names], cwd=root, text=True,
                          capture_output=True, check=False)
    seen = set()
    for line in done.stderr.splitlines():
        found = re.match(r"(.+?):(\d+):\d+: error: code should be clang-formatted", line)
        if found and found[1] not in seen:
            seen.add(found[1])
            yield found[1], int(found[2]), f"not formatted; run: clang-format -i {found[1]}"
    if done.returncode != 0 and not seen:
        yield names[0], 1, f"clang-format failed: {done.stderr.strip()[:200]}"


def check_all(root):
    tree = load(root)
    rules = {
        "layer": check_layers(tree), "heavy": check_heavy(tree), "length": check_length(tree),
        "function": check_functions(tree, root), "line": check_lines(tree),
        "header": check_headers(tree), "core test": check_core_tests(tree),
        "word": check_words(tree), "dead": check_dead(tree), "format": check_format(tree, root),
    }
    return len(tree), [(rule, *finding) for rule, findings in rules.items() for finding in findings]


# Rule, path, content, a part of the message: each must be found, in this file and by this rule.
PLANTED = [
    ("layer", "services/vault/vault.hpp", '#include "services/node/node.hpp"\n', "below this"),
    ("layer", "common/bus/bus.hpp", '#include "services/node/node.hpp"\n', "below this layer"),
    ("layer", "schemas/vault.hpp", '#include "common/bus/bus.hpp"\n', "below this layer"),
    ("layer", "services/vault/core/a.hpp", '#include "common/store/store.hpp"\n', "below this"),
    ("layer", "services/vault/core/b.hpp", "#include <chrono>\n", "as an argument"),
    ("layer", "cli/c.cpp", '#include "tests/x.hpp"\n', "belongs to the tests"),
    ("layer", "cli/d.cpp", '#include "common/crypto/seeded_entropy.hpp"\n', "seeded entropy"),
    ("heavy", "common/bus/e.hpp", "#include <zmq.hpp>\n", "in a header"),
    ("length", "common/bus/f.cpp", "int f();\n" * 401, "401 lines"),
    ("function", "common/bus/g.cpp", "void g() {\n" + "  g();\n" * 70 + "}\n", "72 lines"),
    ("function", "scripts/g.py", "def g():\n" + "    g()\n" * 70, "71 lines"),
    ("line", "common/bus/h.cpp", "// " + "h" * 98 + "\n", "101 columns"),
    ("line", "docs/i.md", "text \n", "white space"),
    ("line", "docs/j.md", "text", "no newline"),
    ("header", "common/bus/k.hpp", "// no guard\n", "#pragma once"),
    ("header", "common/bus/l.hpp", "#pragma once\n\n", "say in a comment"),
    ("core test", "services/vault/core/m.hpp", "#pragma once\n// m\n", "m_test.cpp"),
    ("word", "docs/n.md", "FIXME\n", "finish it"),
    ("word", "tests/o.cpp", "sleep_for(1);\n", "wait for a state"),
    ("word", "cli/p.cpp", "std::random_device p;\n", "Entropy"),
    ("word", "cli/q.cpp", "using namespace std;\n", "name what you use"),
    ("word", "services/vault/r.cpp", 'printf("r");\n', "log"),
    ("word", "cli/s.cpp", "strcpy(a, b);\n", "std::string"),
    ("word", "cli/t.cpp", 'system("t");\n', "without a shell"),
    ("word", "cli/u.cpp", 'popen("u", "r");\n', "without a shell"),
    ("word", "docs/v.md", "see /work/main\n", "of itself"),
    ("dead", "common/bus/w.hpp", "#pragma once\n// w\n", "no file includes"),
    ("format", "common/bus/x.cpp", "int   x ;\n", "clang-format -i"),
    ("heavy", "services/z.cpp", "#include <pqxx/pqxx>\n", "included by 3"),
]

CLEAN = {
    "services/vault/core/good.hpp": '#pragma once\n// Good.\n\n#include "common/base/id.hpp"\n',
    "common/base/id.hpp": "#pragma once\n// Ids.\n",
    "tests/services/vault_core/good_test.cpp": '#include "services/vault/core/good.hpp"\n',
    "common/store/one.cpp": "#include <pqxx/pqxx>\n",
    "common/postgres/two.cpp": "#include <pqxx/pqxx>\n",
    "docs/good.md": "A system (with parts) that sleeps.\n",
}


def write_tree(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def self_test():
    style = "BasedOnStyle: Google\nColumnLimit: 100\n"
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        write_tree(root, {".clang-format": style, **CLEAN})
        _, findings = check_all(root)
        wrong = [f"a clean tree was refused: {finding}" for finding in findings]
        write_tree(root, {path: content for _, path, content, _ in PLANTED})
        _, findings = check_all(root)
        for rule, path, _, part in PLANTED:
            if not any(rule == r and path == p and part in m for r, p, _, m in findings):
                wrong.append(f"rule '{rule}' did not find its violation in {path} ({part})")
    print("\n".join(wrong) or f"all {len(PLANTED)} planted violations were found")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).parents[1])
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    count, findings = check_all(arguments.root.resolve())
    for rule, name, line, message in findings:
        print(f"{name}:{line}: {rule}: {message}")
    print(f"{count} files read, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
