"""Real datasets, one file each. Where they are looked for stands in `pellucid.data.sources`."""

from .babi import Question, Stories, Story, babi
from .digits import digits
from .fashion_mnist import fashion_mnist
from .mnist import mnist
from .pictures import Pictures

__all__ = ["Pictures", "Question", "Stories", "Story", "babi", "digits", "fashion_mnist", "mnist"]
