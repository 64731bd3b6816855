"""One file, one published algorithm. METHODS finds them by name: `cwgan-gp` is in `cwgan_gp.py`.

Only modules of this package can be named: a checkpoint carries its recipe, and a recipe from elsewhere must not be able
to run any other code. A method is imported when it is first asked for, so painting loads no other method.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping

from impasto.painter import Networked


class Methods(Mapping[str, type[Networked]]):
    """The table of methods, by name. The class of a method is the one whose `Options` have the method's name."""

    def __init__(self) -> None:
        names = sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))
        self._found: dict[str, type[Networked] | None] = dict.fromkeys(names)

    def __getitem__(self, name: str) -> type[Networked]:
        """Return the class of a method; raise KeyError where there is no such method."""
        found = self._found[name]
        if found is None:
            found = self._found[name] = _method_in(name)
        return found

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names in alphabetical order."""
        return iter(self._found)

    def __len__(self) -> int:
        """Return how many methods there are."""
        return len(self._found)


def _method_in(name: str) -> type[Networked]:
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Networked) and value.__module__ == module.__name__:
            options = getattr(value, "Options", None)
            if options is not None and options.model_fields["name"].default == name:
                return value
    raise TypeError(
        f"{module.__name__} has no class of a method named {name!r}; give one `Options` with the field "
        f'name: Literal["{name}"] = "{name}"'
    )


METHODS = Methods()
