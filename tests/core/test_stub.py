"""`_core.pyi` agrees with the compiled core: its names, and the names, kinds and defaults of parameters.

pybind11 writes each function's signature into the first line of its docstring.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from support.core_names import WITH_CUDA_ONLY

from efficientscn_trt import _core

STUB = Path(_core.__file__).with_name("_core.pyi")

Definition = ast.FunctionDef | ast.ClassDef | ast.AnnAssign


def named(body: list[ast.stmt]) -> dict[str, Definition]:
    found: dict[str, Definition] = {}
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            found[statement.name] = statement
        elif isinstance(statement, ast.AnnAssign):
            found[ast.unparse(statement.target)] = statement
    return found


STUBBED = {
    name: definition
    for name, definition in named(ast.parse(STUB.read_text(encoding="utf-8")).body).items()
    if _core.build_info()["cuda"] or name not in WITH_CUDA_ONLY
}


def public(names: Iterable[str]) -> set[str]:
    return {name for name in names if not name.startswith("_")}


def parameters(function: ast.FunctionDef) -> list[str]:
    """Each parameter as "name" or "name=default"; "*" comes before those that are keyword-only."""
    of = function.args
    plain = [argument.arg for argument in of.args]
    defaults = [""] * (len(plain) - len(of.defaults)) + ["=" + ast.unparse(value) for value in of.defaults]
    by_keyword = [
        argument.arg + ("=" + ast.unparse(value) if value else "")
        for argument, value in zip(of.kwonlyargs, of.kw_defaults, strict=True)
    ]
    star = ["*" + of.vararg.arg] if of.vararg else ["*"] if by_keyword else []
    return [name + default for name, default in zip(plain, defaults, strict=True)] + star + by_keyword


def bound_parameters(function: object) -> list[str]:
    signature = (inspect.getdoc(function) or "").splitlines()[0]
    (parsed,) = ast.parse(f"def {signature}: ...").body
    assert isinstance(parsed, ast.FunctionDef)
    return parameters(parsed)


def functions() -> Iterator[tuple[str, ast.FunctionDef, object]]:
    for name, definition in STUBBED.items():
        if isinstance(definition, ast.FunctionDef):
            yield name, definition, getattr(_core, name)
        elif isinstance(definition, ast.ClassDef):
            bound = vars(getattr(_core, name))
            for method, inner in named(definition.body).items():
                if isinstance(inner, ast.FunctionDef) and not inner.decorator_list:
                    yield f"{name}.{method}", inner, bound[method]


def test_the_stub_has_the_names_of_the_core() -> None:
    assert public(STUBBED) == public(vars(_core))


@pytest.mark.parametrize("name", [name for name, of in STUBBED.items() if isinstance(of, ast.ClassDef)])
def test_a_class_has_the_names_of_the_core(name: str) -> None:
    definition = STUBBED[name]
    assert isinstance(definition, ast.ClassDef)
    stubbed, bound = named(definition.body), vars(getattr(_core, name))
    assert public(stubbed) == public(bound)
    for member in public(stubbed):
        assert isinstance(bound[member], property) == bool(getattr(stubbed[member], "decorator_list", []))


@pytest.mark.parametrize(("stubbed", "bound"), [pytest.param(*of[1:], id=of[0]) for of in functions()])
def test_a_function_has_the_parameters_of_the_core(stubbed: ast.FunctionDef, bound: object) -> None:
    assert parameters(stubbed) == bound_parameters(bound)
