"""Seeing: what a tensor holds, what one step did, and pictures of both.

html.py      a tensor as a small table, for notebooks
step.py      one training step, told with its actual numbers
terminal.py  digits, bars and curves made of characters
picture.py   digits, curves and confusions as PNG or SVG (matplotlib)
drawing.py   a network as neurons, layers or letters (drawing_*.py: one each; svg.py: the shapes)
"""
