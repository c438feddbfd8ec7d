"""The tour: a network learns to read handwritten digits, and one sees how.

guide.py       from beginning to end
digits.py      what it learns from
first_step.py  one step, with the numbers worth showing
learning.py    the network and its training, by the public framework
watching.py    what is seen meanwhile
result.py      what it can do in the end
pages.py       what is printed; wrapping.py breaks it into lines
recording.py   the same as a picture of a terminal
words.py       the texts, which stand with the book's
"""
