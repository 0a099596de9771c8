"""The long experiments of the book: run once, recorded, shown by a chapter.

A chapter shows numbers that took hours. Here is everything that makes them: each module of this
package is one experiment, with every setting in one dataclass. ::

    make experiment                                # which experiments there are
    make experiment NAME='long_memory --list'      # its runs, and which are finished
    make experiment NAME='long_memory --jobs 4'    # do what is missing, then record
    make experiment NAME='long_memory --check'     # repeat a cheap part of the record

``make experiment`` is ``python -m experiments`` with ``book`` on Python's path.

A finished run is kept under ``_build/experiments``, one file each, and is not repeated: after Ctrl-C,
or a power cut, the same command goes on. The record is ``book/_data/<name>.json``. A chapter reads it
with :func:`load`.

An experiment is a module with

- ``Settings``, a frozen dataclass whose defaults are the recorded experiment,
- ``plan(settings, finished)``, the runs still wanted, each a dictionary of keyword arguments,
  given the results so far by :func:`run_key`; it is asked again after each round, until it wants
  nothing new, so that a later run can depend on an earlier one,
- ``run(**one_run)``, one run: the same arguments give the same result, in any process,
- ``summarise(settings, finished)``, what the chapter shows,
- ``TOLERANCE``, how closely a repetition must agree, see :func:`differences`,
- ``QUICK``, settings of a few runs of seconds. They are recorded in full, and :func:`check_recorded`
  repeats them.

Runs, results and summaries are what JSON can write: numbers, text, lists, dictionaries, ``None``.
"""

from experiments.records import Record, check_recorded, differences, load, run_key

__all__ = ["Record", "check_recorded", "differences", "load", "run_key"]
