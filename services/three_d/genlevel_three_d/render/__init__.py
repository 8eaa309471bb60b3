"""A small software renderer: the same bytes on every machine, without display, GPU or graphics library.

Results do not depend on instruction sets, threads or a linear algebra library: projected corners are whole numbers of 1/256 pixel, coverage and
order in depth are decided in whole numbers, and what is left in floating point is elementwise addition, multiplication, division and square
root, which IEEE 754 fixes to the last bit. No sums over arrays, no matrix products, no sine.
"""
