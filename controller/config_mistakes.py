"""One sentence for each mistake in a configuration: the key, the rule, the value."""

import difflib
from collections.abc import Iterable
from typing import Any, get_args

import pydantic
from pydantic import BaseModel

# What Python calls these things is not what stands in the file.
_RULES = {
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be text in quotes",
    "path_type": "must be a path in quotes",
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "string_too_short": "must not be empty",
    "too_short": "must list {min_length} or more",
    "too_long": "must list {max_length} or fewer",
}


def sentences(error: pydantic.ValidationError, root: type[BaseModel]) -> list[str]:
    """Return what is wrong with a configuration, one sentence per mistake.

    Parameters
    ----------
    error : pydantic.ValidationError
    root : type of BaseModel
        The model of the whole file, for the names that are valid.
    """
    return [_sentence(item, root) for item in error.errors()]


def _sentence(item: Any, root: type[BaseModel]) -> str:
    loc, kind, context = item["loc"], item["type"], item.get("ctx", {})
    key = _key(_path(loc, root))
    value = item["input"]
    match kind:
        case "extra_forbidden":
            return f"unknown key {key}{_nearest(loc, root)}"
        case "missing":
            return f"{key} is missing; add it."
        case "finite_number":
            return f"{key} must be a finite number, not {value}."
        case "value_error":
            reason = str(context["error"]).rstrip(".")
            return f"{key}: {reason}." if key else f"{reason}."
        case "union_tag_invalid":
            return (
                f"{key}.kind is {context['tag']!r}, but must be one of "
                f"{context['expected_tags']}."
            )
        case "union_tag_not_found":
            return f"{key}.kind is missing; add it."
    if kind in _RULES:
        return f"{key} {_RULES[kind].format(**context)}, not {value!r}."
    rule = item["msg"].replace("Input should be", "must be")
    return f"{key} {rule}, not {value!r}."


def _key(path: list[Any]) -> str:
    """Return the keys with dots between; entries of a list count from 1."""
    key = ""
    for part in path:
        key += f" {part + 1}" if isinstance(part, int) else f".{part}"
    return key.removeprefix(".")


def _path(loc: tuple[Any, ...], root: type[BaseModel]) -> list[Any]:
    """Return the keys as the file has them: the kind of a table is none of them."""
    is_kind = len(loc) > 1 and loc[1] in _kinds_in(root, loc[0])
    return [loc[0], *loc[2:]] if is_kind else list(loc)


def _nearest(loc: tuple[Any, ...], root: type[BaseModel]) -> str:
    names = sorted(_names_beside(loc, root))
    close = difflib.get_close_matches(str(loc[-1]), names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; valid here: {', '.join(names)}."


def _names_beside(loc: tuple[Any, ...], root: type[BaseModel]) -> Iterable[str]:
    models = [root]
    for part in loc[:-1]:
        if isinstance(part, int):
            continue
        models = [model for model in models if part in _kinds_of(model)] or [
            inner
            for model in models
            if part in model.model_fields
            for inner in _models_in(model.model_fields[str(part)].annotation)
        ]
    return {name for model in models for name in model.model_fields}


def _kinds_in(root: type[BaseModel], name: str) -> list[Any]:
    if name not in root.model_fields:
        return []
    models = _models_in(root.model_fields[name].annotation)
    return [kind for model in models for kind in _kinds_of(model)]


def _kinds_of(model: type[BaseModel]) -> tuple[Any, ...]:
    kind = model.model_fields.get("kind")
    return () if kind is None else get_args(kind.annotation)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [
        model for argument in get_args(annotation) for model in _models_in(argument)
    ]
