"""Real datasets, one file each. Where they are looked for stands in `pellucid.data.sources`."""

from .babi import Question, Stories, Story, babi
from .digits import digits
from .enron import enron
from .fashion_mnist import fashion_mnist
from .imdb import imdb
from .labelled import LabelledTexts
from .made_up import made_up_mails, made_up_reviews
from .mails import mails
from .mnist import mnist
from .pictures import Pictures
from .rt_polarity import rt_polarity
from .running_text import RunningText, text
from .shakespeare import python_documentation, shakespeare
from .table import Table, table

__all__ = [
    "LabelledTexts",
    "Pictures",
    "Question",
    "RunningText",
    "Stories",
    "Story",
    "Table",
    "babi",
    "digits",
    "enron",
    "fashion_mnist",
    "imdb",
    "made_up_mails",
    "made_up_reviews",
    "mails",
    "mnist",
    "python_documentation",
    "rt_polarity",
    "shakespeare",
    "table",
    "text",
]
