"""`Tensor` built up in seven small steps: seven files, each whole in itself and one idea longer.

    step1_numbers     a tensor is a box with numbers in it
    step2_memory      it remembers what made it
    step3_way_back    so one can walk back and ask what each number is to blame for
    step4_many_uses   what was used several times waits until all its users have reported
    step5_rules       every operation brings a rule of its own for the way back
    step6_stretching  what was stretched on the way there is summed on the way back
    step7_learning    layers, a loss, a small step downhill: it learns

Each needs NumPy only and runs by itself:

    python -m pellucid.book.seven_steps.step4_many_uses

The tensor of the seventh step is Pellucid's own in small: `pellucid/tape.py` walks back in the same
way, and `pellucid/ops` holds the rules.
"""

STEPS = (
    "step1_numbers",
    "step2_memory",
    "step3_way_back",
    "step4_many_uses",
    "step5_rules",
    "step6_stretching",
    "step7_learning",
)
