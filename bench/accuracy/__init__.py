"""How accurate is the phase? Every estimator, one protocol, one command.

`python -m bench.accuracy FILE... --montage occipital` scores recordings against the
offline truth, `python -m bench.accuracy --synthetic` against a phase that is known.
"""
