"""A network taken elsewhere: as a NumPy script, a PyTorch module or an ONNX file.

What is written comes from a record of the operations that one prediction really runs
(`pellucid.nn.recording`), not from what layers are called. So a network of one's own is exported like
any other. Before anything is called done, what was written predicts once, and is compared.

names.py          what values are called in a program
text.py           a record as lines of a program; what NumPy and PyTorch have in common
numpy_script.py   a script that needs NumPy only; numpy_helpers.py: functions it may take along
torch_module.py   a PyTorch module with the same weights
onnx_file.py      an ONNX file; onnx_rules.py: what each operation is called there
"""

from .door import Exported, export

__all__ = ["Exported", "export"]
