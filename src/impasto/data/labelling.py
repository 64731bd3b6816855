"""Selects what is learned from a labelled collection: the attributes, their classes and the pictures of these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from impasto.chance import mixed_seed
from impasto.data.collection import Collection, Item
from impasto.errors import DataError, did_you_mean

NAMED = 5
"""Number of classes that a message names."""

Classes = Mapping[str, AbstractSet[str]]
"""Attribute to its learned classes."""
Counts = Mapping[str, Counter[str]]
"""Attribute to class to its number of training pictures."""


def chosen_attributes(collection: Collection, named: Sequence[str] | None) -> tuple[str, ...]:
    """Return the attributes to learn: those named, else `class`, else the only one.

    Raises DataError if one is missing, or if none is named and there are several.
    """
    there = collection.attributes
    if not there:
        raise DataError(
            f"{collection.root} has no labels; sort its pictures into a folder for each class or add a labels.csv "
            "with the columns path and class"
        )
    for name in named or ():
        if name not in there:
            raise DataError(
                f"data.label: the pictures of {collection.root} have no label {name!r}; they have {', '.join(there)}"
            )
    if not named and "class" not in there and len(there) > 1:
        raise DataError(
            f"data.label: {collection.root} has several labels; set data.label to one of them: {', '.join(there)}"
        )
    return tuple(named or (("class",) if "class" in there else there))


def named_classes(collection: Collection, attributes: Sequence[str], names: Sequence[str] | None) -> Classes:
    """Return the classes in `names`. An attribute of which it names no class keeps all of them.

    With several attributes a class is written `attribute=class`. Raises DataError for an unknown class.
    """
    there = {attribute: collection.histogram(attribute).keys() for attribute in attributes}
    if len(attributes) == 1:
        known = {name: (attributes[0], name) for name in there[attributes[0]]}
    else:
        known = {f"{attribute}={name}": (attribute, name) for attribute in attributes for name in there[attribute]}
    for name in names or ():
        if name not in known:
            what = attributes[0] if len(attributes) == 1 else "class"
            raise DataError(f"data.classes: {collection.root} has no {what} {name!r}{did_you_mean(name, known)}")
    chosen = [known[name] for name in names or ()]
    return {
        attribute: {name for of, name in chosen if of == attribute} or set(all_of_it)
        for attribute, all_of_it in there.items()
    }


def having(items: Iterable[Item], classes: Classes) -> list[Item]:
    """Return the items that have at least one of the classes."""
    return [item for item in items if any(item.labels.get(attribute) in of for attribute, of in classes.items())]


def with_held_out(items: list[Item], attribute: str, share: float) -> list[Item]:
    """Move a share of each class to the test split, unless there are test pictures already.

    Only the names decide which, so it is the same on every machine. In a class of three or more pictures at least one
    is held out and two are left for training. Pictures without the attribute count as one class.
    """
    if share == 0 or any(item.split == "test" for item in items):
        return items
    by_class: dict[str | None, list[str]] = {}
    for item in items:
        by_class.setdefault(item.labels.get(attribute), []).append(item.name)
    chosen = set()
    for names in by_class.values():
        count = max(0, min(max(1, round(share * len(names))), len(names) - 2))
        chosen.update(sorted(names, key=lambda name: mixed_seed("held out", name))[:count])
    return [item._replace(split="test") if item.name in chosen else item for item in items]


def class_counts(items: Sequence[Item], classes: Classes) -> Counts:
    """Return the number of training pictures of each class. Classes without any are left out."""
    return {
        attribute: Counter(
            item.labels[attribute] for item in items if item.split == "train" and item.labels.get(attribute) in of
        )
        for attribute, of in classes.items()
    }


def sizeable(classes: Classes, counts: Counts, min_images: int | None, largest: int | None) -> Classes:
    """Return the classes of each attribute with at least `min_images` pictures, and the `largest` of these.

    Raises DataError if an attribute has no class left.
    """
    if min_images is None and largest is None:
        return classes
    kept = {}
    for attribute, of in counts.items():
        by_size = sorted(of, key=lambda name: (-of[name], natural(name)))
        kept[attribute] = {name for name in by_size if of[name] >= (min_images or 1)} & set(by_size[:largest])
        if by_size and not kept[attribute]:
            raise DataError(
                f"data.min_images: no class of {attribute} has {min_images:,} training pictures; the largest, "
                f"{by_size[0]}, has {of[by_size[0]]:,}; use a smaller number"
            )
    return kept


def left_out(classes: Classes, counts: Counts) -> list[str]:
    """Return a sentence for each attribute: which classes of `counts` are not kept, and their sizes."""
    said = []
    for attribute, of in counts.items():
        gone = sorted(of.keys() - classes[attribute], key=natural)
        if gone:
            named = ", ".join(f"{name} ({of[name]:,})" for name in gone[:NAMED]) + (", …" if len(gone) > NAMED else "")
            kept = sum(of[name] for name in classes[attribute])
            said.append(
                f"{len(gone):,} of {len(of):,} classes of {attribute} are too small and left out: {named}; "
                f"{kept:,} pictures of {len(classes[attribute]):,} classes are kept"
            )
    return said


def check_counts(collection: Collection, counts: Counts) -> None:
    """Raise DataError for an attribute without classes, or for a class with a single picture."""
    for attribute, of in counts.items():
        if not of:
            raise DataError(
                f"{collection.root} has no training picture with a {attribute}; change its split.csv or data.label"
            )
        lonely = [name for name, count in of.items() if count == 1]
        if lonely:
            named = ", ".join(lonely[:NAMED]) + (", …" if len(lonely) > NAMED else "")
            raise DataError(
                f"{collection.root} has {len(lonely)} classes of {attribute} with a single training picture "
                f"({named}); add pictures, leave small classes out with data.min_images=2 or data.largest, or name the "
                "classes to learn in data.classes"
            )


def natural(name: str) -> tuple[int, str]:
    """Return a sort key that puts 2 before 10, and numbers before words."""
    return (int(name), "") if name.isdecimal() else (1 << 62, name)
