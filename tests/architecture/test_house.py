"""House rules that no linter knows; each rule is tried on the tree and on a planted breach, so that it is able to fail."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"

MOST_MODULE_LINES = 400
MOST_FUNCTION_LINES = 40
BANNED_NAMES = {"utils", "helpers", "common", "misc", "base", "core", "lib", "manager", "types", "data"}
# The first two record the fault; the writer and the readers hand it to whoever asked, and must outlive it.
MAY_CATCH_ALL = ("regcert/web/middleware.py", "regcert/workers/", "regcert/store/database.py", "regcert/store/readers.py")
MAY_PRINT = ("regcert/cli/",)
# A library for other programs: its names are imported from the room itself.
OFFERS_NAMES = "regcert/client/__init__.py"
TRUST_TYPES = "regcert/domain/submission.py"
MAKERS = {
    # The second takes up what the first one received and kept for later.
    "Received": (
        "regcert/web/taxii/objects.py",
        "regcert/flows/unspool.py",
        "regcert/flows/release.py",
        "regcert/flows/publish_incidents.py",
    ),
    "Parsed": ("regcert/domain/submission.py",),
    "Verified": ("regcert/signing/verify.py",),
    "Admitted": ("regcert/policy/admission.py",),
}
# Built from pieces, or this file would break its own rule.
FOREIGN = re.compile(
    "|".join(
        (
            r"(?<![\w.-])/work" + "/",  # the machine of whoever wrote it
            r"/opt" + r"/(?:pypi|wheels)",
            r"files\.python" + r"hosted\.org",
            r"://pypi\." + "org",
            r"registry\.npm" + r"js\.org",
        )
    )
)

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function


@dataclass(frozen=True)
class Module:
    """One source file, read once."""

    path: str  # from src/, with forward slashes
    source: str
    tree: ast.Module

    @classmethod
    def of(cls, path: str, source: str) -> "Module":
        return cls(path, source, ast.parse(source))

    def walk(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))


Rule = Callable[[Module], Iterator[str]]


def _docstring_lines(node: Documented) -> int:
    if ast.get_docstring(node, clean=False) is None:
        return 0
    first = node.body[0]
    return (first.end_lineno or first.lineno) - first.lineno + 1


def names_say_who_lives_there(module: Module) -> Iterator[str]:
    """Refuse drawers in which anything fits."""
    yield from sorted(BANNED_NAMES.intersection(module.path.removesuffix(".py").split("/")))


def modules_are_short(module: Module) -> Iterator[str]:
    """Refuse modules that nobody reads to the end."""
    lines = module.source.count("\n")
    if lines > MOST_MODULE_LINES:
        yield f"{lines} lines"


def functions_are_short(module: Module) -> Iterator[str]:
    """Refuse functions that do not fit on a screen; what explains them does not count, and a step of the schema is one list."""
    if "/migrations/versions/" in module.path:
        return
    for node in module.walk(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, Function)
        lines = (node.end_lineno or node.lineno) - node.lineno + 1 - _docstring_lines(node)
        if lines > MOST_FUNCTION_LINES:
            yield f"{node.name}: {lines} lines"


def rooms_tell_their_story_and_nothing_else(module: Module) -> Iterator[str]:
    """Refuse code in a package's `__init__`; only the root may say which version it is, and the client which names it offers."""
    if not module.path.endswith("/__init__.py"):
        return
    if ast.get_docstring(module.tree) is None:
        yield "no docstring"
    for node in module.tree.body[1:]:
        is_version = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"
        is_name = isinstance(node, ast.ImportFrom) or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
        if not ((is_version and module.path == "regcert/__init__.py") or (is_name and module.path == OFFERS_NAMES)):
            yield f"code in line {node.lineno}"


def what_is_public_is_documented(module: Module) -> Iterator[str]:
    """Refuse a public module, class, function or method without a docstring."""

    def is_overload(node: Documented) -> bool:
        # It repeats for type checkers what the function behind it says, and has no docstring of its own.
        return isinstance(node, Function) and [ast.unparse(one) for one in node.decorator_list] == ["overload"]

    def undocumented(node: Documented, name: str) -> Iterator[str]:
        if ast.get_docstring(node) is None:
            yield name
        if isinstance(node, Function):
            return
        for child in node.body:
            if isinstance(child, ast.ClassDef | Function) and not child.name.startswith("_") and not is_overload(child):
                yield from undocumented(child, f"{name}.{child.name}")

    yield from undocumented(module.tree, module.path)


def faults_are_not_swallowed(module: Module) -> Iterator[str]:
    """Refuse a bare or broad `except` anywhere but where faults are recorded."""
    if module.path.startswith(MAY_CATCH_ALL):
        return
    for node in module.walk(ast.ExceptHandler):
        assert isinstance(node, ast.ExceptHandler)
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        if any(kind is None or ast.unparse(kind) in {"Exception", "BaseException"} for kind in caught):
            yield f"broad except in line {node.lineno}"


def only_commands_print(module: Module) -> Iterator[str]:
    """Refuse `print` outside the commands."""
    if module.path.startswith(MAY_PRINT):
        return
    for node in module.walk(ast.Call):
        assert isinstance(node, ast.Call)
        if ast.unparse(node.func) == "print":
            yield f"print in line {node.lineno}"


def trust_has_one_maker(module: Module) -> Iterator[str]:
    """Refuse to see a trust type made by anyone but its maker.

    Calls are looked for, under their own name. That nobody copies one with `dataclasses.replace` or renames it on import is
    not checked here: who does that means to.
    """
    for node in module.walk(ast.Call):
        assert isinstance(node, ast.Call)
        name = ast.unparse(node.func).rpartition(".")[2]
        if name in MAKERS and module.path not in MAKERS[name]:
            yield f"{name} made in line {node.lineno}"


def _function(lines: int, docstring: str = "") -> str:
    return f"def work():\n{docstring}" + "    pass\n" * (lines - 1)


# A rule, where the breach is planted, and the breach.
BREACHES: dict[str, tuple[Rule, str, str]] = {
    "a drawer": (names_say_who_lives_there, "regcert/web/utils.py", ""),
    "a room for drawers": (names_say_who_lives_there, "regcert/common/tokens.py", ""),
    "401 lines": (modules_are_short, "regcert/flows/publish.py", "\n" * 401),
    "a function of 41": (functions_are_short, "regcert/flows/publish.py", _function(41)),
    "an async method of 41": (
        functions_are_short,
        "regcert/flows/publish.py",
        "class C:\n    async def work():\n" + "        pass\n" * 40,
    ),
    "a room without story": (rooms_tell_their_story_and_nothing_else, "regcert/flows/__init__.py", ""),
    "code in a room": (rooms_tell_their_story_and_nothing_else, "regcert/flows/__init__.py", '"""Flows."""\nimport os\n'),
    "names offered elsewhere": (
        rooms_tell_their_story_and_nothing_else,
        "regcert/flows/__init__.py",
        '"""Flows."""\nfrom regcert.flows.publish import publish\n',
    ),
    "code where names are offered": (rooms_tell_their_story_and_nothing_else, OFFERS_NAMES, '"""Client."""\nopen("x")\n'),
    "a version elsewhere": (
        rooms_tell_their_story_and_nothing_else,
        "regcert/flows/__init__.py",
        '"""Flows."""\n__version__ = "1"\n',
    ),
    "a silent module": (what_is_public_is_documented, "regcert/clock.py", "X = 1\n"),
    "a silent function": (what_is_public_is_documented, "regcert/clock.py", '"""Time."""\ndef now(): ...\n'),
    "a silent function behind an overload": (
        what_is_public_is_documented,
        "regcert/clock.py",
        '"""Time."""\n@overload\ndef f(): ...\ndef f(): ...\n',
    ),
    "a silent method": (
        what_is_public_is_documented,
        "regcert/clock.py",
        '"""Time."""\nclass Clock:\n    """Tell."""\n    async def now(self): ...\n',
    ),
    "a bare except": (faults_are_not_swallowed, "regcert/flows/publish.py", "try: ...\nexcept: ...\n"),
    "a broad except": (faults_are_not_swallowed, "regcert/web/app.py", "try: ...\nexcept Exception: ...\n"),
    "a broad except among others": (
        faults_are_not_swallowed,
        "regcert/store/tx.py",
        "try: ...\nexcept (OSError, BaseException): ...\n",
    ),
    "a print": (only_commands_print, "regcert/web/app.py", "print(1)\n"),
    "admitted by a flow": (trust_has_one_maker, "regcert/flows/publish.py", "Admitted(1)\n"),
    "verified by policy": (trust_has_one_maker, "regcert/policy/admission.py", "submission.Verified(1)\n"),
    "parsed by stix": (trust_has_one_maker, "regcert/stix/reader.py", "x = Parsed(1)\n"),
    "received by a flow": (trust_has_one_maker, "regcert/flows/publish.py", "f(Received(b''))\n"),
}

# What the same rules must let be.
ALLOWED: dict[str, tuple[Rule, str, str]] = {
    "a word in a name": (names_say_who_lives_there, "regcert/store/database.py", ""),
    "400 lines": (modules_are_short, "regcert/flows/publish.py", "\n" * 400),
    "40 lines and a docstring": (
        functions_are_short,
        "regcert/flows/publish.py",
        _function(40, '    """A\n\n    long\n    story.\n    """\n'),
    ),
    "the version": (
        rooms_tell_their_story_and_nothing_else,
        "regcert/__init__.py",
        '"""RegCERT."""\n__version__ = "1"\n',
    ),
    "names of the client": (
        rooms_tell_their_story_and_nothing_else,
        OFFERS_NAMES,
        '"""Client."""\nfrom regcert.client.reader import Reader\n__all__ = ["Reader"]\n',
    ),
    "what is private": (
        what_is_public_is_documented,
        "regcert/clock.py",
        '"""Time."""\ndef _now(): ...\nclass _C:\n    def f(self): ...\n',
    ),
    "an overload": (
        what_is_public_is_documented,
        "regcert/clock.py",
        '"""Time."""\n@overload\ndef f(): ...\ndef f():\n    """Tell."""\n',
    ),
    "a function in a function": (
        what_is_public_is_documented,
        "regcert/clock.py",
        '"""Time."""\ndef now():\n    """Tell."""\n    def inner(): ...\n',
    ),
    "a narrow except": (faults_are_not_swallowed, "regcert/web/app.py", "try: ...\nexcept (OSError, KeyError): ...\n"),
    "the middleware": (faults_are_not_swallowed, "regcert/web/middleware.py", "try: ...\nexcept Exception: ...\n"),
    "a worker": (faults_are_not_swallowed, "regcert/workers/outbox.py", "try: ...\nexcept Exception: ...\n"),
    "a command": (only_commands_print, "regcert/cli/team.py", "print(1)\n"),
    "the maker": (trust_has_one_maker, "regcert/policy/admission.py", "Admitted(1)\n"),
    "a mention": (trust_has_one_maker, "regcert/store/objects.py", "def add(it: Admitted): ...\n"),
}

RULES = tuple(dict.fromkeys(rule for rule, _, _ in BREACHES.values()))


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    files = sorted((SRC / "regcert").rglob("*.py"))
    assert files
    return [Module.of(path.relative_to(SRC).as_posix(), path.read_text(encoding="utf-8")) for path in files]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every text file that is or would be committed, by its path."""
    # safe.directory: the tests may run as another user than the one who cloned.
    listing = ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git work tree: what belongs to the project cannot be told")
    paths = [ROOT / name for name in listed.decode().split("\0") if name]
    contents = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths if path.is_file()}
    assert contents
    return {path: content.decode(errors="replace") for path, content in contents.items() if b"\0" not in content}


def foreign_addresses(text: str) -> list[str]:
    """Find what only means something on one machine or names where packages come from."""
    return [f"line {number}: {found[0]}" for number, line in enumerate(text.splitlines(), 1) if (found := FOREIGN.search(line))]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_house_keeps_its_rules(rule, modules):
    """Every module of the house keeps every rule."""
    assert [f"{module.path}: {breach}" for module in modules for breach in rule(module)] == []


@pytest.mark.parametrize("name", BREACHES)
def test_rule_notices_when_it_is_broken(name):
    """A rule that cannot fail protects nothing."""
    rule, path, source = BREACHES[name]
    assert len(list(rule(Module.of(path, source)))) == 1


@pytest.mark.parametrize("name", ALLOWED)
def test_rule_stays_silent_when_it_is_kept(name):
    """A rule that cries wolf is switched off."""
    rule, path, source = ALLOWED[name]
    assert list(rule(Module.of(path, source))) == []


def test_every_trust_type_has_a_maker_in_the_table(modules):
    """The table of makers speaks of the classes that exist, all of them."""
    found = [module for module in modules if module.path == TRUST_TYPES]
    if not found:
        pytest.skip("the trust types are not written yet")
    classes = {node.name for node in found[0].tree.body if isinstance(node, ast.ClassDef)}
    assert set(MAKERS) <= classes


def test_no_file_names_a_machine_or_a_registry(texts):
    """What is committed works on every machine and from every package source."""
    assert [f"{path}: {found}" for path, text in texts.items() for found in foreign_addresses(text)] == []


def test_no_lock_holds_an_address(texts):
    """Locks hold versions and hashes; where packages come from is the installer's business."""
    locks = [path for path in texts if path.endswith(".lock")]
    assert locks
    assert [path for path in locks if "://" in texts[path]] == []


@pytest.mark.parametrize(
    "line",
    [
        "see /work" + "/shared/notes.md",
        "--find-links=file:///opt" + "/wheels",
        "https://files.python" + "hosted.org/a.whl",
        "https://pypi." + "org/simple",
    ],
)
def test_foreign_address_is_noticed_when_planted(line):
    """The rule on addresses is able to fail."""
    assert foreign_addresses(f"fine\n{line}\n") == [f"line 2: {FOREIGN.findall(line)[0]}"]


@pytest.mark.parametrize("line", ["docs/work/plan.md", "/opt/regcert", "regcert team home", "https://example.org/homework/"])
def test_ordinary_address_is_let_be(line):
    """The rule on addresses leaves ordinary paths alone."""
    assert foreign_addresses(line) == []


def test_intake_loads_no_web_server_when_it_begins() -> None:
    """The second process pays in memory for what it imports; it answers nobody, draws nothing and migrates nothing."""
    told = "import sys, regcert.assembly.intake; print(*sorted({'aiohttp', 'jinja2', 'alembic', 'typer'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, check=True, text=True).stdout.split() == []
