"""How fast the package is, beside what people would otherwise use. See ``python -m benchmarks -h``.

``cells`` says what is measured, ``contestants`` who does it, ``timing`` how. ``parts`` measures
what the time is made of, ``project`` the book's builds and tests. ``report`` writes the table and
the file that the book shows.
"""
