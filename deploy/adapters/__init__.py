"""What training leaves behind, as an engine runs it.

An adapter is any of three things over one base model, or several of them: weights that change, small modules
behind some layers, and virtual tokens that stand before every prompt.
"""
