"""Stacks of two widths, measured on the zoo: a narrow model of each kind is trained, widened, and stacked."""
