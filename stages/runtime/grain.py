"""What of a file of Python decides a result: its syntax tree without what is only said.

Left out are the words of logs, of errors and of help texts, and what runs for a type checker alone,
so that an edit of a sentence or of a progress interval reruns nothing.
"""

import ast

TOLD = frozenset({"say", "Progress"})  # calls whose arguments only people see


def deciding(tree: ast.Module) -> ast.Module:
    """The part of a syntax tree that decides results; `tree` is changed in place.

    Left out are the bodies of `if TYPE_CHECKING`, the arguments of calls of `say` and `Progress`,
    those of the exception in `raise`, the keyword `help` of `add_argument`, and the bodies of
    functions whose return annotation is `Sentence`.
    """
    _Grain().visit(tree)
    return tree


class _Grain(ast.NodeTransformer):
    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        return node.orelse if _name(node.test) == "TYPE_CHECKING" else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = _name(node.func)
        if name in TOLD:
            node.args, node.keywords = [], []
        elif name == "add_argument":
            node.keywords = [word for word in node.keywords if word.arg != "help"]
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.exc, ast.Call):
            node.exc.args, node.exc.keywords = [], []
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        if node.returns is not None and _name(node.returns) == "Sentence":
            node.body = []
        return node


def _name(node: ast.expr) -> str:
    """The last name of `a.b.c`, or nothing for another expression."""
    return getattr(node, "attr", getattr(node, "id", ""))
