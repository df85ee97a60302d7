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
    "string_pattern_mismatch": "must match {pattern}",
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
    return [_sentence(item, root) for item in error.errors() if not _follows(item)]


def _follows(item: Any) -> bool:
    """Return whether a list only seems too short for want of its wrong entries."""
    if item["type"] != "too_short" or not isinstance(item["input"], list | tuple):
        return False
    return bool(len(item["input"]) >= item["ctx"]["min_length"])


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
            return f"{key}.kind is {context['tag']!r}, {_nearest_kind(context)}"
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
    path: list[Any] = []
    models, is_chosen = [root], False
    for part in loc:
        of_kind = [model for model in models if part in _kinds_of(model)]
        if of_kind and not is_chosen:
            models, is_chosen = of_kind, True
            continue
        path.append(part)
        if not isinstance(part, int):
            models, is_chosen = _models_below(models, part), False
    return path


def _nearest(loc: tuple[Any, ...], root: type[BaseModel]) -> str:
    names = sorted(_names_beside(loc, root))
    close = difflib.get_close_matches(str(loc[-1]), names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; valid here: {', '.join(names)}."


def _nearest_kind(context: dict[str, Any]) -> str:
    kinds = [kind.strip("'") for kind in context["expected_tags"].split(", ")]
    close = difflib.get_close_matches(str(context["tag"]), kinds, n=1, cutoff=0.8)
    if close:
        return f"which is no kind; did you mean {close[0]!r}?"
    return f"but must be one of {context['expected_tags']}."


def _names_beside(loc: tuple[Any, ...], root: type[BaseModel]) -> Iterable[str]:
    models = [root]
    for part in loc[:-1]:
        if isinstance(part, int):
            continue
        of_kind = [model for model in models if part in _kinds_of(model)]
        models = of_kind or _models_below(models, part)
    return {name for model in models for name in model.model_fields}


def _models_below(models: list[type[BaseModel]], name: str) -> list[type[BaseModel]]:
    return [
        inner
        for model in models
        if name in model.model_fields
        for inner in _models_in(model.model_fields[name].annotation)
    ]


def _kinds_of(model: type[BaseModel]) -> tuple[Any, ...]:
    kind = model.model_fields.get("kind")
    return () if kind is None else get_args(kind.annotation)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [
        model for argument in get_args(annotation) for model in _models_in(argument)
    ]
