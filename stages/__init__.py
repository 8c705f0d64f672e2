"""Maskmill's stages: `ls stages/*.py` is the pipeline; run one as `python -m stages.<stage>`."""

import sys

from stages.runtime.arrow_memory import give_memory_back
from stages.runtime.stopping import end_with_the_run, stop_with_a_sentence
from stages.runtime.torchvision_import import put_off_compiler

if sys.argv[0] == "-m":  # a program is being started; it has imported nothing else yet
    stop_with_a_sentence()
    end_with_the_run()
    put_off_compiler()
    give_memory_back()
