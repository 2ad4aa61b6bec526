"""What keeps the style alive: order of stages, sizes, names. Reads the source, imports nothing."""

import ast
import io
import re
import statistics
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "peftide"
TESTS = ROOT / "tests"

# What a stage may import stands above it. No two stages share a place.
ORDER = [
    "version",
    "environment",
    "errors",
    "quantities",
    "types",
    "on_demand",
    "ragged",
    "progress",
    "process",
    "distributed",
    "files",
    "saved",
    "config",
    "work_folder",
    "outputs",
    "workers",
    "run_folder",
    "run_decisions",
    "parameters",
    "resume_points",
    "optimizer",
    "hardware",
    "native",
    "metrics",  # arrays in, numbers out
    "sequences",
    "shards",
    "databases",
    "outcomes",
    "similarity",
    "splitting",
    "baselines",
    "auditing",
    "tasks",
    "evaluation",
    "maps",  # vectors, labels and parts in; points out
    "report",
    "tokens",
    "packing",
    "backbones",
    "adapters",
    "engine",
    "pooling",
    "scaling",
    "pairing",
    "heads",
    "variants",
    "model",
    "encoding",
    "bundle_record",
    "bundle",
    "predictor",
    "exporting",
    "explaining",
    "screening",
    "serving",
    "training",
    "pretraining",
    "planning",
    "comparing",
    "sweeping",
    "simulate",
    "commands",
    "estimators",
    "cli",
    "__init__",  # the lazy names of the package
    "__main__",  # `python -m peftide`
]
WITHOUT_TORCH = {
    *(
        "version",
        "errors",
        "quantities",
        "types",
        "on_demand",
        "process",
        "files",
        "saved",
        "config",
        "sequences",
        "shards",
        "workers",
        "databases",
        "similarity",
        "metrics",
        "outcomes",
        "baselines",
        "report",
    ),
    *("auditing", "splitting", "tasks", "evaluation", "bundle_record"),
    *("cli", "__init__", "__main__"),
}
TORCH = {"torch", "transformers", "peft", "accelerate"}
REGISTRIES = {
    "TASKS": "tasks",
    "ADAPTERS": "adapters",
    "BACKBONES": "backbones",
    "BASELINES": "baselines",
}
PAGES = {
    "TASKS": "tasks.md",
    "ADAPTERS": "methods.md",
    "BACKBONES": "backbones.md",
    "BASELINES": "baselines.md",
}
UNTESTED = {"__init__.py", "__main__.py", "types.py", "version.py"}  # no behaviour of their own
TESTS_WITHOUT_MODULE = {"contracts", "integration", "cli", "test_architecture.py"}
FORBIDDEN_NAMES = {"utils", "util", "common", "misc", "helpers", "helper"}
EXPERIMENTS = 13  # YAML files in configs/

Function = ast.FunctionDef | ast.AsyncFunctionDef
Block = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.Match,
)

MODULES = sorted(PACKAGE.rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name_of(path: Path) -> str:
    """`src/peftide/heads.py` → `peftide.heads`; an `__init__` has the name of its folder."""
    dotted = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    return dotted.removesuffix(".__init__")


def stage_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def place(module: str) -> int:
    stage = stage_of(module)
    return (
        ORDER.index(stage) if stage in ORDER else 0
    )  # one without a place is a finding of its own


BY_NAME = {name_of(path): path for path in MODULES}


def imports(nodes: Iterable[ast.AST], *, everywhere: bool) -> Iterator[str]:
    """Every module or name imported: at load time, or also in functions and for type checkers."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif everywhere or not isinstance(node, Function | ast.Lambda | ast.If):
            yield from imports(ast.iter_child_nodes(node), everywhere=everywhere)
        elif isinstance(node, ast.If):
            at_load = (
                node.orelse
                if "TYPE_CHECKING" in ast.unparse(node.test)
                else node.body + node.orelse
            )
            yield from imports(at_load, everywhere=False)


def module_of(imported: str) -> str:
    """The module of ours that an import reads, or the name itself where it is not ours."""
    parent = imported.rpartition(".")[0]
    return parent if imported not in BY_NAME and parent in BY_NAME else imported


def loaded_with(module: str) -> set[str]:
    """Everything that importing a module imports, through peftide's own modules too."""
    seen: set[str] = set()
    waiting = {module}
    while waiting:
        current = waiting.pop()
        seen.add(current)
        if current in BY_NAME:
            found = {
                module_of(name) for name in imports(tree(BY_NAME[current]).body, everywhere=False)
            }
            parents = {current.rpartition(".")[0]} - {""}
            waiting |= (found | parents) - seen
    return seen


def torch_loaded_with(module: str) -> list[str]:
    """What of torch's family importing a module loads, however indirectly."""
    return sorted(
        n
        for n in loaded_with(module)
        if n.startswith("safetensors.torch") or n.partition(".")[0] in TORCH
    )


def documentation_lines(module: ast.Module) -> set[int]:
    """Lines of docstrings, and of the bare strings that document a name."""
    texts = [
        node
        for node in ast.walk(module)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    return {line for node in texts for line in range(node.lineno, (node.end_lineno or 0) + 1)}


@cache
def code_lines(path: Path) -> frozenset[int]:
    """Line numbers that hold code: no blank line, comment or docstring."""
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    silent |= {tokenize.ENCODING, tokenize.ENDMARKER}
    text = path.read_text(encoding="utf-8")
    tokens = [
        t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type not in silent
    ]
    lines = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    return frozenset(lines - documentation_lines(tree(path)))


def functions() -> Iterator[tuple[Path, Function]]:
    for path in MODULES:
        for node in ast.walk(tree(path)):
            if isinstance(node, Function):
                yield path, node


def function_sloc(path: Path, function: Function) -> int:
    """Lines of code from `def` to the end, nested functions included, decorators not."""
    return len(code_lines(path) & set(range(function.lineno, (function.end_lineno or 0) + 1)))


def nesting(node: ast.AST) -> int:
    """How many blocks stand inside one another; `elif` is no deeper than its `if`."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef | ast.Lambda):
            continue  # counted on its own
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        step = isinstance(child, Block) and not is_elif
        deepest = max(deepest, step + nesting(child))
    return deepest


def parameters(function: Function) -> tuple[int, int]:
    """Number of positional parameters and of all, without `self` and `cls`."""
    arguments = function.args
    names = [argument.arg for argument in arguments.posonlyargs + arguments.args]
    positional = len(names) - (names[:1] in (["self"], ["cls"]))
    return positional, positional + len(arguments.kwonlyargs)


@cache
def commands() -> frozenset[str]:
    """Names of the commands: the module of each in `cli` is loaded when it is called."""
    return frozenset(keys_of(assignments(tree(PACKAGE / "cli" / "main.py")).get("COMMANDS")))


@cache
def called_by_transformers() -> frozenset[str]:
    """Functions registered as attention, which `transformers` calls with arguments in its order."""
    return frozenset(
        node.args[1].id
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "register_attention"
        and isinstance(node.args[1], ast.Name)
    )


def fail_on(offenders: Iterable[str]) -> None:
    listed = sorted(offenders)
    assert not listed, "\n  " + "\n  ".join(listed)


def label(path: Path, function: Function | None = None) -> str:
    place = str(path.relative_to(ROOT))
    return f"{place}:{function.lineno} {function.name}" if function else place


def test_the_package_is_found() -> None:
    assert len(MODULES) > 1
    folders = {path.parent for path in MODULES}
    named = {path.parent for path in MODULES if path.name == "__init__.py"}
    strange = {stage_of(module) for module in BY_NAME} - set(ORDER)
    fail_on(
        [f"{label(folder)}: no __init__.py" for folder in folders - named]
        + [f"{stage}: stage without a place in ORDER" for stage in strange]
    )


def test_a_stage_imports_only_stages_to_its_left() -> None:
    fail_on(
        f"{label(path)} imports {imported}"
        for module, path in BY_NAME.items()
        for imported in imports(tree(path).body, everywhere=True)
        if module_of(imported) in BY_NAME and place(module_of(imported)) > place(module)
    )


def test_stages_of_arrays_load_no_torch() -> None:
    fail_on(
        f"{label(path)} loads {', '.join(torch_loaded_with(module))}"
        for module, path in BY_NAME.items()
        if stage_of(module) in WITHOUT_TORCH
        and not (stage_of(module) == "cli" and path.stem in commands())
        and torch_loaded_with(module)
    )


def test_functions_are_small() -> None:
    sizes = {label(path, function): function_sloc(path, function) for path, function in functions()}
    fail_on(
        f"{name}: {size} lines of code, at most 60" for name, size in sizes.items() if size > 60
    )
    assert statistics.median(sizes.values()) <= 8
    assert statistics.quantiles(sizes.values(), n=10)[-1] <= 30


def test_functions_are_flat() -> None:
    fail_on(
        f"{label(path, function)}: {nesting(function)} blocks inside one another, at most 3"
        for path, function in functions()
        if nesting(function) > 3
    )


def test_functions_take_few_parameters() -> None:
    offenders = []
    for path, function in functions():
        positional, total = parameters(function)
        if (positional > 3 or total > 6) and function.name not in called_by_transformers():
            found = f"{positional} positional of {total} parameters"
            offenders.append(f"{label(path, function)}: {found}, at most 3 of 6")
    fail_on(offenders)


def test_modules_are_short_and_shallow() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    fail_on(f"{label(path)}: {n} lines, at most 400" for path, n in lines.items() if n > 400)
    assert statistics.median(lines.values()) <= 130
    fail_on(label(path) for path in MODULES if len(path.relative_to(PACKAGE).parts) > 2)


def test_no_module_is_a_drawer_of_leftovers() -> None:
    fail_on(name for name in BY_NAME if FORBIDDEN_NAMES & set(name.split(".")))


def test_tests_mirror_the_modules() -> None:
    wanted = {
        path.relative_to(PACKAGE).with_name(f"test_{path.name}")
        for path in MODULES
        if path.name not in UNTESTED
    }
    there = {path.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    left_over = {path for path in there - wanted if path.parts[0] not in TESTS_WITHOUT_MODULE}
    fail_on(
        [f"missing: tests/{path}" for path in wanted - there]
        + [f"tests/{path} mirrors no module" for path in left_over]
    )


def top_level(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Statements outside functions and classes, those under `if` and `try` included."""
    for node in nodes:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from top_level(ast.iter_child_nodes(node))


def assignments(module: ast.Module) -> dict[str, ast.expr | None]:
    """Names that a module's top level assigns, and what to."""
    found: dict[str, ast.expr | None] = {}
    for node in top_level(module.body):
        if isinstance(node, ast.Assign):
            targets = [name for target in node.targets for name in ast.walk(target)]
        else:
            targets = [node.target] if isinstance(node, ast.AnnAssign) else []
        if isinstance(node, ast.Assign | ast.AnnAssign):
            found |= {name.id: node.value for name in targets if isinstance(name, ast.Name)}
    return found


def keys_of(value: ast.expr | None) -> list[str]:
    """The keys of a dict literal with keys of text, alone or as the argument of a call."""
    if isinstance(value, ast.Call) and len(value.args) == 1:
        value = value.args[0]
    keys = value.keys if isinstance(value, ast.Dict) else []
    return [
        key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
    ]


def defined_names(module: ast.Module) -> set[str]:
    """Names of a module's top level, and those that a `__getattr__` finds in a dict beside it."""
    names = set(assignments(module))
    for node in top_level(module.body):
        if isinstance(node, Function | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    if "__getattr__" in names:
        names |= {key for value in assignments(module).values() for key in keys_of(value)}
    return names


def test_public_names_exist_once() -> None:
    offenders = []
    for path in MODULES:
        listed = assignments(tree(path)).get("__all__")
        names = ast.literal_eval(listed) if listed else []
        offenders += [
            f"{label(path)}: {n} twice in __all__" for n in set(names) if names.count(n) > 1
        ]
        missing = set(names) - defined_names(tree(path))
        offenders += [f"{label(path)}: {name} in __all__, but not there" for name in missing]
    fail_on(offenders)


def test_imported_names_exist() -> None:
    offenders = []
    for path in MODULES:
        for imported in imports(tree(path).body, everywhere=True):
            module, name = module_of(imported), imported.rpartition(".")[2]
            is_ours = imported.startswith("peftide.") and imported not in BY_NAME
            known = defined_names(tree(BY_NAME[module])) if module in BY_NAME else set()
            if is_ours and name not in known:
                offenders.append(f"{label(path)} imports {imported}")
    fail_on(offenders)


def test_the_reference_names_every_choice() -> None:
    offenders = []
    for registry, folder in REGISTRIES.items():
        page = ROOT / "docs" / "reference" / PAGES[registry]
        text = page.read_text(encoding="utf-8")
        code = " ".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))
        keys = keys_of(assignments(tree(PACKAGE / folder / "__init__.py")).get(registry))
        if not keys:
            offenders.append(f"{folder}/__init__.py: {registry} is no dict literal with entries")
        offenders += [
            f"{page.relative_to(ROOT)}: no `{key}` of {registry}"
            for key in keys
            if not re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", code)
        ]
    fail_on(offenders)


def test_every_experiment_is_counted() -> None:
    assert len(list((ROOT / "configs").rglob("*.yaml"))) == EXPERIMENTS
    fail_on(label(path) for path in (ROOT / "configs").rglob("*.yml"))


def test_only_the_command_line_and_the_report_print() -> None:
    fail_on(
        f"{label(path)}:{node.lineno} prints"
        for module, path in BY_NAME.items()
        if stage_of(module) not in {"cli", "report"}
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    )


def test_annotations_are_evaluated() -> None:
    """The future import would turn them to text, which jaxtyping cannot check."""
    fail_on(
        label(path)
        for path in MODULES
        if "__future__.annotations" in imports(tree(path).body, everywhere=False)
    )
