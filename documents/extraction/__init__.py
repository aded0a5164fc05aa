"""From a file to its text: `detection.detect` tells the kind of a file, `sandbox.extract` reads it.

Files come from strangers and the libraries that parse them hang, abort and fill the memory on the wrong ones. So
`sandbox` starts one process for each file, with hard limits; `child` is what runs in it, and the readers (`plain`,
`markup`, `tables`, `word`, `pdf`, `structured`) run nowhere else. Nothing is imported here, to keep that start short.
"""
