"""How Lontar comes onto a machine: a bundle without internet, a Debian package, and what is cut from both.

Nothing here is installed with Lontar; `slim.py`, `pasang.py` and `periksa.py` travel in the bundle beside the wheels.
"""
