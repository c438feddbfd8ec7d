"""A small made-up language for the map of words: a few hundred sentences about people, cities and films.

Large collections of text take hours to learn. In these sentences each word is met in the few places
where it belongs, so that vectors are learned in a second; what one finds in them, one can check by
looking at the sentences.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ..data import Vocabulary

Array = Any

# who: (he or she, rank or age)
PEOPLE = {
    "man": ("he", "grown"), "woman": ("she", "grown"),
    "king": ("he", "ruler"), "queen": ("she", "ruler"),
    "prince": ("he", "heir"), "princess": ("she", "heir"),
    "boy": ("he", "child"), "girl": ("she", "child"),
    "father": ("he", "parent"), "mother": ("she", "parent"),
    "actor": ("he", "player"), "actress": ("she", "player"),
}  # fmt: skip
THINGS = {
    "ruler": ("crown", "throne"), "heir": ("castle", "crown"), "grown": ("newspaper", "coat"),
    "child": ("toy", "kite"), "parent": ("cradle", "stroller"), "player": ("role", "script"),
}  # fmt: skip
OF = {"he": "his", "she": "her"}
WEARS = {"he": "beard", "she": "gown"}
CITIES = {
    "paris": ("france", "french"), "rome": ("italy", "italian"), "madrid": ("spain", "spanish"),
    "berlin": ("germany", "german"), "beijing": ("china", "chinese"),
}  # fmt: skip
FILMS = {
    "wonderful": ("loved", "stayed"), "brilliant": ("loved", "stayed"), "great": ("loved", "stayed"),
    "terrible": ("hated", "left"), "boring": ("hated", "left"), "awful": ("hated", "left"),
}  # fmt: skip
ANIMALS = {"cat": ("meows", "milk"), "dog": ("barks", "bone"), "horse": ("neighs", "hay")}


@cache
def sentences() -> tuple[tuple[str, ...], ...]:
    """All sentences, as words."""
    told = []
    for who, (he, rank) in PEOPLE.items():
        for thing in THINGS[rank]:
            told.append(f"the {who} has {OF[he]} {thing}")
            told.append(f"{he} is the {who} with the {thing}")
            told.append(f"the {who} said that {he} lost {OF[he]} {thing}")
        told.append(f"the {who} has a {WEARS[he]}")
        told.append(f"{he} is a {who} with a {WEARS[he]}")
    for city, (country, speech) in CITIES.items():
        told.append(f"{city} is the capital of {country}")
        told.append(f"in {city} they speak {speech}")
        told.append(f"in {country} they speak {speech}")
        told.append(f"they came to {city} in {country}")
        told.append(f"{country} has its capital in {city}")
    for how, (felt, went) in FILMS.items():
        for film in ("film", "story"):
            told.append(f"the {film} was {how} and they {felt} it")
            told.append(f"a {how} {film} so they {went}")
            told.append(f"they found the {film} {how}")
    for animal, (sound, food) in ANIMALS.items():
        told.append(f"the {animal} {sound} and wants {food}")
        told.append(f"they gave the {animal} some {food}")
        told.append(f"a {animal} {sound} at night")
    return tuple(tuple(sentence.split()) for sentence in told)


@cache
def vocabulary() -> Vocabulary:
    """All words, the most frequent first."""
    return Vocabulary(
        (word for sentence in sentences() for word in sentence), specials=(), unknown=None
    )


@cache
def mapped() -> tuple[str, ...]:
    """The words that stand on the map: those that mean something of their own."""
    things = [t for pair in THINGS.values() for t in pair]
    places = [w for city, others in CITIES.items() for w in (city, *others)]
    animals = [w for animal, others in ANIMALS.items() for w in (animal, *others)]
    films = [w for how, others in FILMS.items() for w in (how, others[0])]
    wanted = [*PEOPLE, *OF, *WEARS.values(), *things, *places, *films, "film", "story", *animals]
    return tuple(dict.fromkeys(wanted))


@cache
def blanks(window: int) -> tuple[Array, Array]:
    """Each word of each sentence as a blank to be filled.

    Args:
        window: how many words before and after the blank are looked at.

    Returns:
        For each blank the shares of the words around it, (blanks, words), each row adding up to 1;
        and the number of the word that belongs there, (blanks,).
    """
    number = vocabulary()
    around, wanted = [], []
    for sentence in sentences():
        for at, word in enumerate(sentence):
            near = (*sentence[max(0, at - window) : at], *sentence[at + 1 : at + 1 + window])
            row = np.zeros(len(number))
            for other in near:
                row[number[other]] += 1 / len(near)
            around.append(row)
            wanted.append(number[word])
    return np.array(around), np.array(wanted)
