"""Which nodes of a syntax tree say that a value comes from another, for each language.

The rules are those that published CodeBLEU values rest on (package `codebleu` 0.7.0), so a language is read no further than there:
C and C++ by the rules of C#, whose trees they share in part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True)
class Rules:
    """What the data flow of a language is read from.

    Attributes:
        statements: type of a node -> how it is read, the name of a method of `dataflow.Flow`.
        value: field with the value of a definition.
        alternatives: children of a branch that start from the state before it.
        all_after: every child after the first such one does too.
        before: whether the state before a branch can also be the one after it: always, or only unless it has an else.
        again_after: child of a `for` after which its children are read once more.
        loop_fields: variable and sequence of a loop over a sequence.
        bare: an assignment may lack its right side, as an annotation does.
    """

    statements: Mapping[str, str]
    value: str = "value"
    alternatives: frozenset[str] = frozenset()
    all_after: bool = True
    before: Literal["always", "unless_else"] = "unless_else"
    again_after: str = ""
    loop_fields: tuple[str, str] = ("name", "value")
    bare: bool = False


def _read(**types: str) -> Mapping[str, str]:
    return MappingProxyType({name: how for how, names in types.items() for name in names.split()})


_C_SHARP = Rules(
    _read(
        assign="assignment_expression", define_by_place="variable_declarator", increment="postfix_unary_expression",
        branch="if_statement else", repeat="for_statement", each="for_each_statement", twice="while_statement",
    ),
    alternatives=frozenset({"if_statement", "else"}),
    again_after="local_variable_declaration",
    loop_fields=("left", "right"),
)  # fmt: skip

RULES: Mapping[str, Rules] = MappingProxyType({
    "python": Rules(
        _read(
            assign_pairs="assignment augmented_assignment", comprehend="for_in_clause", define="default_parameter",
            branch="if_statement", loop_pairs="for_statement", twice="while_statement",
        ),
        alternatives=frozenset({"elif_clause", "else_clause"}),
        all_after=False,
        bare=True,
    ),
    "java": Rules(
        _read(
            assign="assignment_expression", define="variable_declarator", increment="update_expression", branch="if_statement else",
            repeat="for_statement", each="enhanced_for_statement", twice="while_statement",
        ),
        alternatives=frozenset({"if_statement", "else"}),
        again_after="local_variable_declaration",
    ),
    "c_sharp": _C_SHARP,
    "c": _C_SHARP,
    "cpp": _C_SHARP,
    "ruby": Rules(
        _read(
            assign_pairs="assignment", assign_ends="operator_assignment", define="keyword_parameter",
            branch="if elsif else unless when", loop_pattern="for", twice="while_modifier until",
        ),
        alternatives=frozenset({"if", "elsif", "else", "unless", "when"}),
        all_after=False,
    ),
    "go": Rules(
        _read(
            assign="assignment_statement", define="var_spec", increment="inc_statement", branch="if_statement else", repeat="for_statement"
        ),
        alternatives=frozenset({"if_statement", "else"}),
        before="always",
        again_after="for_clause",
    ),
    "php": Rules(
        _read(
            assign="assignment_expression augmented_assignment_expression", define="simple_parameter", increment="update_expression",
            branch="if_statement else_clause", repeat="for_statement", each_variable="foreach_statement", twice="while_statement",
        ),
        value="default_value",
        alternatives=frozenset({"if_statement", "else_clause"}),
        before="always",
        again_after="assignment_expression",
    ),
    "javascript": Rules(
        _read(
            assign="assignment_pattern augmented_assignment_expression", define="variable_declarator", increment="update_expression",
            branch="if_statement else", repeat="for_statement", twice="while_statement",
        ),
        alternatives=frozenset({"if_statement", "else"}),
        before="always",
        again_after="variable_declaration",
    ),
    "rust": Rules(
        _read(
            assign="assignment_expression compound_assignment_expr let_expression", define_function="function_item",
            branch="if_expression if_let_expression match_expression else", repeat="for_expression", each="for_each_statement",
            twice="while_expression while_let_expression loop_expression",
        ),
        alternatives=frozenset({"if_expression", "if_let_expression", "match_expression", "else"}),
        loop_fields=("left", "right"),
    ),
})  # fmt: skip
